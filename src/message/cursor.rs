//! Cursors: places in a room's order, from which clients go on.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::invalid::Invalid;
use super::mark::Mark;

/// A place in a room's order, opaque to clients: `epoch-sequence-mark`, or `epoch-sequence` if the mark is not
/// known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The life of the store that gave out the number.
    pub epoch: Epoch,
    /// The number within the room: 1 for the first message, and no holes. 0 stands before the first.
    pub sequence: u64,
    /// The mark of the message there.
    pub mark: Mark,
}

impl Cursor {
    /// The place before the first message.
    pub fn start(epoch: Epoch) -> Cursor {
        Cursor { epoch, sequence: 0, mark: Mark::UNKNOWN }
    }

    /// Whether this is the same place, as far as the marks are known.
    pub fn is_at(self, other: Cursor) -> bool {
        self.epoch == other.epoch && self.sequence == other.sequence && self.mark.matches(other.mark)
    }

    /// Whether this place is in an order that ends at `latest`, as far as that tells. If it stands before
    /// `latest`, the message after it [tells more](super::Message::follows).
    pub fn is_within(self, latest: Cursor) -> bool {
        self.is_at(latest) || self.epoch == latest.epoch && self.sequence < latest.sequence
    }

    /// Writes it without its epoch: `sequence-mark`.
    pub(super) fn write_place(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mark {
            Mark::UNKNOWN => write!(f, "{}", self.sequence),
            mark => write!(f, "{}-{:08x}", self.sequence, mark.number()),
        }
    }

    /// Reads what [`write_place`](Cursor::write_place) wrote.
    pub(super) fn parse_place(epoch: Epoch, place: &str) -> Option<Cursor> {
        // The version before this one gave out cursors without a mark.
        let (sequence, mark) = match place.split_once('-') {
            Some((sequence, mark)) => (sequence, Mark::from_number(hex(mark).filter(|mark| *mark > 0)?)),
            None => (place, Mark::UNKNOWN),
        };
        if !sequence.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // Stores count in signed 64 bits.
        let sequence = u64::try_from(sequence.parse::<i64>().ok()?).ok()?;
        let is_marked = mark != Mark::UNKNOWN;
        (sequence > 0 || !is_marked).then_some(Cursor { epoch, sequence, mark })
    }
}

/// The name of one life of a store, so that cursors of another life are recognized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(u32);

impl Epoch {
    /// A new life, named at random.
    pub fn random() -> Epoch {
        Epoch(fastrand::u32(1..))
    }

    /// The life whose number a store kept.
    pub fn from_number(number: u32) -> Epoch {
        Epoch(number)
    }

    /// The number for a store to keep.
    pub fn number(self) -> u32 {
        self.0
    }

    pub(super) fn parse(text: &str) -> Option<Epoch> {
        hex(text).map(Epoch)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-", self.epoch.0)?;
        self.write_place(f)
    }
}

impl FromStr for Cursor {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Cursor, Invalid> {
        let parse = || {
            let (epoch, place) = text.split_once('-')?;
            Cursor::parse_place(Epoch::parse(epoch)?, place)
        };
        parse().ok_or(Invalid(
            "a cursor looks like 0123abcd-42-89abcdef: copy it from Chat-Cursor, Link, id or next",
        ))
    }
}

/// The number of 8 hexadecimal digits.
pub(super) fn hex(digits: &str) -> Option<u32> {
    let is_hex = digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex { u32::from_str_radix(digits, 16).ok() } else { None }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_it_was_written() {
        for sequence in [1, 41, i64::MAX as u64] {
            for mark in [Mark::UNKNOWN, Mark::from_number(1), Mark::random()] {
                let cursor = Cursor { epoch: Epoch::random(), sequence, mark };
                assert_eq!(cursor.to_string().parse(), Ok(cursor));
            }
        }
        let start = Cursor::start(Epoch::random());
        assert_eq!(start.to_string().parse(), Ok(start));
    }

    #[test]
    fn a_cursor_is_written_with_its_mark_if_that_is_known() {
        let cursor = Cursor { epoch: Epoch(0x0123_abcd), sequence: 42, mark: Mark::from_number(0x89ab_cdef) };
        assert_eq!(cursor.to_string(), "0123abcd-42-89abcdef");
        assert_eq!(Cursor { mark: Mark::UNKNOWN, ..cursor }.to_string(), "0123abcd-42");
    }

    #[test]
    fn a_cursor_is_within_an_order_that_has_its_message_at_the_end_or_goes_on() {
        let latest = Cursor { epoch: Epoch(1), sequence: 5, mark: Mark::from_number(7) };
        let other = Mark::from_number(8);
        assert!(latest.is_within(latest) && Cursor { mark: Mark::UNKNOWN, ..latest }.is_within(latest));
        assert!(Cursor { sequence: 4, mark: other, ..latest }.is_within(latest));
        assert!(!Cursor { mark: other, ..latest }.is_within(latest));
        assert!(!Cursor { sequence: 6, ..latest }.is_within(latest));
        assert!(!Cursor { epoch: Epoch(2), ..latest }.is_within(latest));
    }

    #[test]
    fn what_is_not_a_cursor_is_refused() {
        for text in [
            "",
            "-",
            "1",
            "abc-1",
            "0123abcd-",
            "0123abcd--1",
            "0123abcd-+1",
            "0123abcd-1 ",
            "0123abcg-1",
            "0123abcd-9223372036854775808",
            "0123abcd-1-2",
            "0123abcd-1-",
            "0123abcd-1-89abcdef0",
            "0123abcd-1-89abcdeg",
            "0123abcd-1-00000000",
            "0123abcd-0-89abcdef",
            "0123abcd-1-+9abcdef",
            "0123abcd-1-89abcdef-",
            "0123abcd--89abcdef",
            "+123abcd-1",
            "0123abcd-１",
        ] {
            assert!(text.parse::<Cursor>().is_err(), "{text:?} was taken for a cursor");
        }
    }
}
