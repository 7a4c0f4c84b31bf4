//! What lies in a room's mailbox, by kind. It is counted only while somebody watches.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// A kind of letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody waits.
    Subscribe,
    /// Somebody says something.
    Publish,
    /// The store has an outcome.
    Arrived,
    /// Somebody waits no more.
    Unsubscribe,
    /// Anything else.
    Other,
}

impl Kind {
    /// All of them, with their names.
    pub const ALL: [(Kind, &str); 5] = [
        (Kind::Subscribe, "subscribe"),
        (Kind::Publish, "publish"),
        (Kind::Arrived, "arrived"),
        (Kind::Unsubscribe, "unsubscribe"),
        (Kind::Other, "other"),
    ];
}

/// Whether somebody watches.
static IS_WATCHED: AtomicBool = AtomicBool::new(false);

/// Counts what lies in the mailboxes of all rooms that wake from now on.
pub fn watch() {
    IS_WATCHED.store(true, Relaxed);
}

/// The counts of one mailbox.
#[derive(Debug, Default)]
pub struct Mailbox {
    inside: [AtomicUsize; Kind::ALL.len()],
    /// The most that lay in it since somebody looked.
    most: [AtomicUsize; Kind::ALL.len()],
    taken: AtomicU64,
}

impl Mailbox {
    /// An empty one, if somebody watches.
    pub fn watched() -> Option<Mailbox> {
        IS_WATCHED.load(Relaxed).then(Mailbox::default)
    }

    /// Counts a letter before it is sent.
    pub fn sent(&self, kind: Kind) {
        let before = self.inside[kind as usize].fetch_add(1, Relaxed);
        self.most[kind as usize].fetch_max(before + 1, Relaxed);
    }

    /// Counts a letter that was taken.
    pub fn took(&self, kind: Kind) {
        self.inside[kind as usize].fetch_sub(1, Relaxed);
        self.taken.fetch_add(1, Relaxed);
    }

    /// How many letters of a kind lie in it.
    pub fn holds(&self, kind: Kind) -> usize {
        self.inside[kind as usize].load(Relaxed)
    }

    /// How many letters of a kind lay in it at most since this was last asked. They come and go faster than anybody looks.
    pub fn held_at_most(&self, kind: Kind) -> usize {
        self.most[kind as usize].swap(self.holds(kind), Relaxed)
    }

    /// How many letters were ever taken.
    pub fn taken(&self) -> u64 {
        self.taken.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_stand_in_the_order_of_their_counts() {
        assert!(Kind::ALL.iter().enumerate().all(|(at, (kind, _))| *kind as usize == at));
        let mailbox = Mailbox::default();
        mailbox.sent(Kind::Publish);
        mailbox.sent(Kind::Arrived);
        mailbox.took(Kind::Publish);
        assert_eq!(Kind::ALL.map(|(kind, _)| mailbox.holds(kind)), [0, 0, 1, 0, 0]);
        assert_eq!(mailbox.taken(), 1);
        assert_eq!([mailbox.held_at_most(Kind::Publish), mailbox.held_at_most(Kind::Publish)], [1, 0]);
    }
}
