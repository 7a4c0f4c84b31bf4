//! Those who are told what became of what they asked.

use super::letter::Engine;
use super::{Receipt, Unpublished, Wake};

/// Who is told what became of a draft.
pub(super) enum Asker<E: Engine> {
    Sender(E::To<Receipt>),
    Leaver(E::To<Result<(), Unpublished>>),
}

impl<E: Engine> Asker<E> {
    /// Answers: a sender what became of its message, anybody who leaves whether that is stored.
    pub(super) fn hears(self, receipt: Receipt, left: Result<(), Unpublished>) {
        match self {
            Asker::Sender(sender) => E::answer(sender, receipt),
            Asker::Leaver(done) => E::answer(done, left),
        }
    }
}

/// Hands subscribers what they waited for.
pub(super) fn wake<E: Engine>(woken: impl IntoIterator<Item = (E::To<Wake>, Wake)>) {
    for (subscriber, wake) in woken {
        E::answer(subscriber, wake);
    }
}
