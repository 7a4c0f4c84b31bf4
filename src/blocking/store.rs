//! The store that the rooms share: a question to it blocks the thread that asks.

use std::ops::Deref;
use std::sync::Arc;

use crate::store::{Error, Store};
use crate::wire::refusal::Refusal;

/// The store. What never blocks is called directly.
pub struct SharedStore {
    store: Arc<dyn Store>,
}

impl SharedStore {
    /// Shares a store.
    pub fn new(store: Arc<dyn Store>) -> SharedStore {
        SharedStore { store }
    }

    /// Asks the store on behalf of a client.
    pub fn ask<T>(&self, question: impl FnOnce(&dyn Store) -> Result<T, Error>) -> Result<T, Refusal> {
        self.read(question).map_err(unavailable)
    }

    /// Reads from the store.
    pub fn read<T>(&self, question: impl FnOnce(&dyn Store) -> Result<T, Error>) -> Result<T, Error> {
        question(&*self.store)
    }
}

impl Deref for SharedStore {
    type Target = dyn Store;

    fn deref(&self) -> &(dyn Store + 'static) {
        &*self.store
    }
}

/// The client's side of a store's error; ours is logged.
fn unavailable(error: Error) -> Refusal {
    tracing::warn!(%error, "the store could not be read");
    Refusal::StoreUnavailable
}
