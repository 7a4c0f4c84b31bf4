//! The store that the rooms share: a question to it waits for a thread that may block.

use std::ops::Deref;
use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task;

use crate::config::STORE_THREADS;
use crate::store::{Error, Store};
use crate::wire::refusal::Refusal;

/// The store. What never blocks is called directly.
pub struct SharedStore {
    store: Arc<dyn Store>,
    /// A permit to ask for a client. One thread is always left for rooms that are opened.
    askers: Semaphore,
}

impl SharedStore {
    /// Shares a store.
    pub fn new(store: Arc<dyn Store>) -> SharedStore {
        SharedStore { store, askers: Semaphore::new(STORE_THREADS - 1) }
    }

    /// Asks the store on behalf of a client, when it is its turn.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Store) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Refusal> {
        // Nobody closes it.
        let _turn = self.askers.acquire().await.ok();
        self.read(question).await.map_err(unavailable)
    }

    /// Reads from the store, on a thread that may block.
    pub async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Store) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let store = self.store.clone();
        let answer = task::spawn_blocking(move || question(&*store)).await;
        answer.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_cancelled) => Err(Error("the server is closing".to_owned())),
        })
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
