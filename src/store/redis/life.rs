//! What all threads of the store know: whose life this is.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

use crate::message::{Epoch, Seal};

/// The epoch of what Redis holds, and the name of this instance.
pub(super) struct Life {
    /// What the names of all keys begin with.
    pub(super) prefix: String,
    /// With what the keys of those who hold names are hashed: at first this instance's own, then what stands in Redis.
    pub(super) seal: Seal,
    /// The epoch that this instance begins, if it finds none.
    own: Epoch,
    /// The one that stands in Redis; 0 until that is known.
    epoch: AtomicU32,
    instance: RwLock<Arc<str>>,
    batches: AtomicU64,
}

impl Life {
    pub(super) fn new(prefix: &str) -> Life {
        Life {
            prefix: prefix.to_owned(),
            seal: Seal::random(),
            own: Epoch::random(),
            epoch: AtomicU32::new(0),
            instance: RwLock::new(a_name()),
            batches: AtomicU64::new(1),
        }
    }

    pub(super) fn epoch(&self) -> Epoch {
        match self.epoch.load(Relaxed) {
            0 => self.own,
            known => Epoch::from_number(known),
        }
    }

    /// Takes over the epoch that stands in Redis: another instance may have begun it after Redis was emptied.
    pub(super) fn learn(&self, epoch: u32) -> Epoch {
        let known = self.epoch.swap(epoch, Relaxed);
        if known != 0 && known != epoch {
            tracing::warn!(
                "this Redis holds another past than before: it was emptied, or a backup was put in its place"
            );
        }
        Epoch::from_number(epoch)
    }

    /// Under which name this instance holds people, and asks again for a lost outcome.
    pub(super) fn instance(&self) -> Arc<str> {
        self.instance.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a new name after the others took this instance for dead. Whether this is the first to notice. `first`
    /// is done before anybody goes under the new name.
    pub(super) fn begin_anew(&self, dead: &str, first: impl FnOnce()) -> bool {
        let mut instance = self.instance.write().unwrap_or_else(PoisonError::into_inner);
        let is_first = **instance == *dead;
        if is_first {
            first();
            *instance = a_name();
        }
        is_first
    }

    /// A number that no other batch of this process has.
    pub(super) fn next_batch(&self) -> u64 {
        self.batches.fetch_add(1, Relaxed)
    }
}

fn a_name() -> Arc<str> {
    format!("{:016x}", fastrand::u64(..)).into()
}
