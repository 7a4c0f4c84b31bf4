//! What may be done with a store beside the server that uses it.

use std::path::Path;
use std::sync::Arc;

use super::{Error, Keep, SqliteStore, Store, StoreSpec, open, sqlite};

/// All that is kept.
const ALL: Keep = Keep { messages: usize::MAX, files: u64::MAX, age: None };

/// Copies a store to a file, which another server can use as its own.
pub fn back_up(spec: &StoreSpec, to: &Path) -> Result<(), Error> {
    match spec {
        StoreSpec::Sqlite(path) => sqlite::back_up(path, to),
        StoreSpec::Memory => Err(forgets()),
        #[cfg(feature = "redis")]
        StoreSpec::Redis(_) => Err(Error(
            "a Redis is backed up by its own means, such as BGSAVE, or room by room by comet-chat export"
                .into(),
        )),
    }
}

/// Opens a store to read from it only: all that is kept, also if a server uses it.
pub fn open_to_read(spec: &StoreSpec) -> Result<Arc<dyn Store>, Error> {
    match spec {
        StoreSpec::Sqlite(path) => Ok(Arc::new(SqliteStore::open_to_read(path, ALL)?)),
        other => open_to_add(other),
    }
}

/// Opens a store to add to it, without forgetting anything. No server may use it, if only one can.
pub fn open_to_add(spec: &StoreSpec) -> Result<Arc<dyn Store>, Error> {
    match spec {
        StoreSpec::Memory => Err(forgets()),
        spec => open(spec, ALL),
    }
}

fn forgets() -> Error {
    Error("memory: is within the server that uses it: name another store by --store".into())
}
