//! What travels: messages, and the names that they carry.
//!
//! Every type here is parsed once, at the border, and is valid ever after.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most characters in a room's or a person's name.
pub const NAME_LIMIT: usize = 64;

/// The most bytes in one message's text (64 KiB), which is also the most that a body may have.
pub const TEXT_LIMIT: usize = 64 * 1024;

/// The most characters in a [`SendId`].
pub const SEND_ID_LIMIT: usize = 128;

/// One entry in a room's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Where the message stands: a client that says `after=` this sees all that follows.
    pub id: Cursor,
    /// Whether somebody spoke, came or went.
    pub kind: Kind,
    /// Who; `null` for somebody who gave no name.
    pub name: Option<PersonName>,
    /// What was said; empty for `joined` and `left`.
    pub text: Arc<str>,
    /// When it was stored.
    pub at: Timestamp,
}

/// What a [`Message`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Somebody spoke.
    Message,
    /// Somebody came into the room.
    Joined,
    /// Somebody left the room.
    Left,
}

impl Kind {
    /// The word for it on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Message => "message",
            Kind::Joined => "joined",
            Kind::Left => "left",
        }
    }
}

/// A message before it has been stored, and so without a place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What the message reports.
    pub kind: Kind,
    /// Who speaks, comes or goes.
    pub name: Option<PersonName>,
    /// What is said.
    pub text: Arc<str>,
    /// The sender's own name for it: the same again within ten minutes is published once.
    pub send_id: Option<SendId>,
    /// When it reached the room.
    pub at: Timestamp,
}

/// A place in a room's order, opaque to clients: `epoch-sequence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Which life of the store numbered it.
    pub epoch: Epoch,
    /// The number within the room: 1 for the first message, without holes. 0 stands before it.
    pub sequence: u64,
}

/// Names one life of a store, so that numbers of another life are not taken for its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(u32);

impl Epoch {
    /// A new life, named at random.
    pub fn random() -> Epoch {
        Epoch(fastrand::u32(1..))
    }

    /// The life of which a store kept the number.
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
                // The store counts in signed 64 bits.
                sequence: u64::try_from(sequence.parse::<i64>().ok()?).ok()?,
            })
        };
        parse().ok_or(Invalid(
            "a cursor looks like 0123abcd-42: take it as it is from Chat-Cursor, Link, id or next",
        ))
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why a text is not a name or a cursor: a sentence for the one who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid(pub &'static str);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Invalid {}

/// A room's name: 1 to 64 letters, digits, `-`, `_` and `.` of any script, but not `.` or `..`.
///
/// It is kept in Unicode's form NFC, so that it is one room whichever way a keyboard composes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct RoomName(Arc<str>);

impl RoomName {
    /// The room of `/chat`.
    pub fn lobby() -> RoomName {
        RoomName("lobby".into())
    }

    /// The room in which `/health` talks to itself. `~` is not a letter, so nobody else gets there.
    pub fn health() -> RoomName {
        RoomName("~health".into())
    }

    /// Whether this is a room of the server's own, which no list shows.
    pub fn is_internal(&self) -> bool {
        self.0.starts_with('~')
    }

    /// The name as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoomName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<RoomName, Invalid> {
        let name: String = text.nfc().collect();
        let allowed = |c: char| c.is_alphanumeric() || is_combining_mark(c) || matches!(c, '-' | '_' | '.');
        let length = name.chars().count();
        // `.` and `..` are path segments that browsers and proxies resolve away.
        if length == 0 || length > NAME_LIMIT || !name.chars().all(allowed) || name == "." || name == ".." {
            return Err(Invalid("a room's name has 1 to 64 letters, digits, '-', '_' or '.' of any script"));
        }
        Ok(RoomName(name.into()))
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person's name: 1 to 64 characters without control characters, trimmed, in NFC.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct PersonName(Arc<str>);

impl PersonName {
    /// The name as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PersonName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<PersonName, Invalid> {
        let name: String = text.trim().nfc().collect();
        let length = name.chars().count();
        if length == 0 || length > NAME_LIMIT || name.chars().any(char::is_control) {
            return Err(Invalid("a person's name has 1 to 64 characters and no control characters"));
        }
        Ok(PersonName(name.into()))
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A sender's own name for a message: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SendId(Arc<str>);

impl SendId {
    /// The id as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SendId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<SendId, Invalid> {
        if text.is_empty() || text.len() > SEND_ID_LIMIT || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Invalid("a message's id has 1 to 128 visible ASCII characters"));
        }
        Ok(SendId(text.into()))
    }
}

/// A time of day: milliseconds since 1970 UTC, shown as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The wall clock, now.
    pub fn now() -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(since.as_millis() as u64)
    }

    /// How long before `later` this is; zero if it is not.
    pub fn until(self, later: Timestamp) -> Duration {
        Duration::from_millis(later.0.saturating_sub(self.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(self.0)).fmt(f)
    }
}

impl Serialize for Timestamp {
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

    #[test]
    fn a_room_may_be_named_in_any_script() {
        for name in [
            "lobby",
            "a",
            "0",
            "a.b-c_d",
            "größe",
            "комната",
            "部屋",
            "हिन्दी",
            "غرفة",
            "...",
            &"ä".repeat(64),
        ] {
            assert!(name.parse::<RoomName>().is_ok(), "{name:?} was refused");
        }
        for name in
            ["", ".", "..", "a b", "a/b", "~health", "a\0", "<b>", "a\u{202e}b", "🦀", &"a".repeat(65)]
        {
            assert!(name.parse::<RoomName>().is_err(), "{name:?} was accepted");
        }
    }

    #[test]
    fn a_name_is_the_same_however_it_was_composed() {
        assert_eq!("cafe\u{301}".parse::<RoomName>(), "caf\u{e9}".parse::<RoomName>());
        assert_eq!(" Zoe\u{308} ".parse::<PersonName>(), "Zo\u{eb}".parse::<PersonName>());
    }

    #[test]
    fn a_time_is_shown_in_milliseconds_of_utc() {
        assert_eq!(Timestamp(1_700_000_000_042).to_string(), "2023-11-14T22:13:20.042Z");
    }
}
