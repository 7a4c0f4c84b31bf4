//! The way back from a store.

use super::{Arrived, Error};

/// What a store calls with the outcome of an append, from whatever thread it likes, exactly once. If it
/// is dropped before, for instance by a panic of the store's thread, it is called with an error: nobody
/// waits for ever.
///
/// It must not block: a store calls it between two commits.
pub struct Done(Option<Box<Call>>);

type Call = dyn FnOnce(Result<Arrived, Error>) + Send;

impl Done {
    /// Calls this.
    pub fn new(call: impl FnOnce(Result<Arrived, Error>) + Send + 'static) -> Done {
        Done(Some(Box::new(call)))
    }

    /// Tells the outcome.
    pub fn call(mut self, outcome: Result<Arrived, Error>) {
        if let Some(call) = self.0.take() {
            call(outcome);
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call(Err(Error("the store has ended before it could answer".into())));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::sync::mpsc::channel;

    use super::*;
    use crate::message::Epoch;

    #[test]
    fn it_is_called_once_whatever_becomes_of_the_store() {
        let (sender, outcomes) = channel();
        let done = || {
            let sender = sender.clone();
            Done::new(move |outcome| sender.send(outcome).expect("somebody listens"))
        };
        done().call(Ok(Arrived::unkept(Epoch::from_number(1), &[])));
        drop(done());
        let held = done();
        let panics = move || {
            let _held = held;
            resume_unwind(Box::new("planted"));
        };
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        drop(sender);
        let outcomes: Vec<_> = outcomes.iter().collect();
        assert_eq!(outcomes.len(), 3);
        assert!(outcomes[0].is_ok() && outcomes[1].is_err() && outcomes[2].is_err());
    }
}
