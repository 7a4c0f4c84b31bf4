//! Cursors: places in a room's order, from which clients go on.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::invalid::Invalid;

/// A place in a room's order, opaque to clients: `epoch-sequence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The life of the store that gave out the number.
    pub epoch: Epoch,
    /// The number within the room: 1 for the first message, and no holes. 0 stands before the first.
    pub sequence: u64,
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
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{}", self.epoch.0, self.sequence)
    }
}

impl FromStr for Cursor {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Cursor, Invalid> {
        let parse = || {
            let (epoch, sequence) = text.split_once('-')?;
            let digits = |s: &str, radix| s.chars().all(|c| c.is_digit(radix));
            if epoch.len() != 8 || !digits(epoch, 16) || !digits(sequence, 10) {
                return None;
            }
            Some(Cursor {
                epoch: Epoch(u32::from_str_radix(epoch, 16).ok()?),
                // Stores count in signed 64 bits.
                sequence: u64::try_from(sequence.parse::<i64>().ok()?).ok()?,
            })
        };
        parse().ok_or(Invalid("a cursor looks like 0123abcd-42: copy it from Chat-Cursor, Link, id or next"))
    }
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
        for sequence in [0, 1, 41, i64::MAX as u64] {
            let cursor = Cursor { epoch: Epoch::random(), sequence };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
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
            "+123abcd-1",
            "0123abcd-１",
        ] {
            assert!(text.parse::<Cursor>().is_err(), "{text:?} was taken for a cursor");
        }
    }
}
