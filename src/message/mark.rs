//! Marks: how a cursor knows its own past.

use crate::clock::Timestamp;

/// A number that is drawn for a message and stored with it. Another message at the same place, after a backup
/// was put back, has another mark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Mark(u32);

impl Mark {
    /// A mark that is not known: before a room's first message, and of messages that an older version stored.
    pub const UNKNOWN: Mark = Mark(0);

    /// The mark of a new message.
    pub fn random() -> Mark {
        // A machine that is set back to a snapshot draws the same numbers again, but at another time.
        let drawn = fastrand::u64(..) ^ Timestamp::now().0;
        Mark::of_hash(drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A mark that is made from a hash of the message.
    pub fn of_hash(hash: u64) -> Mark {
        Mark(((hash >> 32) as u32).max(1))
    }

    /// The mark whose number a store kept or a cursor holds.
    pub fn from_number(number: u32) -> Mark {
        Mark(number)
    }

    /// The number for a store to keep; 0 for an unknown mark.
    pub fn number(self) -> u32 {
        self.0
    }

    /// Whether both may be marks of the same message. An unknown mark matches every other.
    pub fn matches(self, other: Mark) -> bool {
        self == other || self == Mark::UNKNOWN || other == Mark::UNKNOWN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_mark_matches_every_other() {
        let (one, other) = (Mark(1), Mark(2));
        assert!(one.matches(one) && !one.matches(other));
        assert!(one.matches(Mark::UNKNOWN) && Mark::UNKNOWN.matches(one));
    }

    /// A machine that goes on from a snapshot has the same chance in store as before.
    #[test]
    fn a_mark_is_another_when_chance_repeats_itself() {
        fastrand::seed(7);
        let (drawn, then) = (Mark::random(), Timestamp::now());
        while Timestamp::now() == then {
            std::hint::spin_loop();
        }
        fastrand::seed(7);
        assert_ne!(Mark::random(), drawn);
    }

    #[test]
    fn a_mark_of_a_message_is_never_unknown() {
        for hash in [0, 1, u64::from(u32::MAX)] {
            assert_eq!(Mark::of_hash(hash), Mark(1));
        }
        assert_eq!(Mark::of_hash(u64::MAX), Mark(u32::MAX));
    }
}
