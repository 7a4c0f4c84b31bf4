//! Those who are to be woken: all of them at once. To wake a task takes no kernel, so they need not wake one another as
//! threads do.

use std::marker::PhantomData;
use std::sync::Arc;

use tokio::sync::oneshot::{Receiver, Sender};

/// They stand in no line.
pub struct Line<T>(PhantomData<fn(T)>);

/// What somebody hears by.
pub type Ear<T> = Receiver<T>;

impl<T> Default for Line<T> {
    fn default() -> Line<T> {
        Line(PhantomData)
    }
}

impl<T> Line<T> {
    /// Whoever has this receiver hears by it.
    pub fn join(self: &Arc<Line<T>>, receiver: Receiver<T>) -> Ear<T> {
        receiver
    }

    /// Hands something to each of these.
    pub fn hand_out(&self, all: Vec<(Sender<T>, T)>) {
        for (to, what) in all {
            // It may have gone.
            let _ = to.send(what);
        }
    }
}
