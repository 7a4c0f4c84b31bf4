//! How the writer waits a moment for letters that are about to come.
//!
//! A sender that is answered often writes again at once. Without a pause, the letters of some rooms come while
//! those of the others are committed, and the two halves take turns for ever: each commit holds half of what
//! it could. So after a commit the writer waits for the letters of that commit to come again, but for a
//! quarter of the time that the commit took at most.
//!
//! A lone sender never waits for this. Nobody does some time after the last commit, nor on a fast disk.

use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use crate::config::{WRITER_GATHER, WRITER_GATHER_FROM};

/// For how many letters the next commit waits, and until when.
#[derive(Default)]
pub(super) struct Gather {
    /// How many may come: those of the last commit again, and those that waited for its end.
    expected: usize,
    until: Option<Instant>,
}

impl Gather {
    /// Plans the next wait, after a commit of `committed` letters. `waiting` letters are in the mailbox.
    pub(super) fn plan(&mut self, committed: usize, waiting: usize, took: Duration) {
        self.expected = committed + waiting;
        let pause = (took / 4).min(WRITER_GATHER);
        let pays = self.expected > 1 && took >= WRITER_GATHER_FROM;
        self.until = pays.then(|| Instant::now() + pause);
    }

    /// Waits for the letters that are expected, as long as that is planned.
    pub(super) fn wait<T>(&self, letters: &mut Vec<T>, mailbox: &Receiver<T>) {
        let Some(until) = self.until else { return };
        while letters.len() < self.expected
            && let Ok(letter) = mailbox.recv_deadline(until)
        {
            letters.push(letter);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use crossbeam_channel::unbounded;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn a_lone_sender_never_waits() {
        let (mailbox, letters) = unbounded();
        let mut gather = Gather::default();
        let mut batch = vec![1];
        gather.wait(&mut batch, &letters);
        gather.plan(1, 0, LONG);
        mailbox.send(2).expect("a mailbox");
        gather.wait(&mut batch, &letters);
        assert_eq!(batch, [1]);
    }

    #[test]
    fn after_a_fast_commit_nobody_is_waited_for() {
        let (mailbox, letters) = unbounded();
        let mut gather = Gather::default();
        gather.plan(2, 2, WRITER_GATHER_FROM / 2);
        mailbox.send(2).expect("a mailbox");
        let mut batch = vec![1];
        gather.wait(&mut batch, &letters);
        assert_eq!(batch, [1]);
    }

    #[test]
    fn those_that_were_answered_are_waited_for_and_those_that_waited_too() {
        let (mailbox, letters) = unbounded();
        let mut gather = Gather::default();
        gather.plan(2, 1, LONG);
        // As if a commit may last for ever: the test must not fail on a busy machine.
        gather.until = Some(Instant::now() + LONG);
        let senders =
            thread::spawn(move || (2..9).for_each(|letter| mailbox.send(letter).expect("a mailbox")));
        let mut batch = vec![1];
        gather.wait(&mut batch, &letters);
        senders.join().expect("the senders");
        assert_eq!(batch, [1, 2, 3]);
        assert_eq!(letters.len(), 5);
    }

    #[test]
    fn who_does_not_come_back_holds_up_nobody_for_long() {
        let (_mailbox, letters) = unbounded();
        let mut gather = Gather::default();
        gather.plan(100, 100, LONG);
        assert!(gather.until.is_some_and(|until| until <= Instant::now() + WRITER_GATHER));
        let mut batch = vec![1];
        gather.wait(&mut batch, &letters);
        assert_eq!(batch, [1]);
    }
}
