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

use crate::clock::steady;

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
    pub sent_as: Option<SentAs>,
    /// When it reached the room, by the time of day.
    pub at: Timestamp,
}

/// An id, and from when on it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentAs {
    /// The sender's own name for a message.
    pub id: SendId,
    /// When it came, by the [steady clock](crate::clock::steady): setting the time of day neither forgets it
    /// nor keeps it.
    pub at: Timestamp,
}

impl SentAs {
    /// An id that has just come.
    pub fn now(id: SendId) -> SentAs {
        SentAs { id, at: steady() }
    }
}

impl Draft {
    /// The message that it becomes at its place in the order.
    pub fn numbered(self, id: Cursor) -> Message {
        Message { id, kind: self.kind, name: self.name, text: self.text, at: self.at }
    }
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
        let chars: Vec<char> = name.chars().collect();
        let is_name = |(at, c): (usize, &char)| allowed(*c) || is_joiner(*c) && joins_letters(&chars, at);
        // `.` and `..` are path segments that browsers and proxies resolve away.
        let is_path = name == "." || name == "..";
        if length == 0 || length > NAME_LIMIT || !chars.iter().enumerate().all(is_name) || is_path {
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

/// A person's name: 1 to 64 characters, trimmed, in NFC. At least one can be seen, and none is a control
/// character, invisible or one that changes the direction of what is around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct PersonName(Arc<str>);

impl PersonName {
    /// A name that was accepted once: by an earlier version, perhaps, with other rules.
    pub fn accepted_before(name: String) -> PersonName {
        PersonName(name.into())
    }

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
        let chars: Vec<char> = name.chars().collect();
        let is_shown = |(at, c): (usize, &char)| {
            !c.is_control() && !is_unseen(*c)
                || is_joiner(*c) && (joins_letters(&chars, at) || joins_emoji(&chars, at))
        };
        if length > NAME_LIMIT || !chars.iter().enumerate().all(is_shown) || !has_something_visible(&name) {
            return Err(Invalid(
                "a person's name has 1 to 64 characters that can be seen: no control characters, nothing invisible or that turns the direction",
            ));
        }
        Ok(PersonName(name.into()))
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Zero width non-joiner and joiner, which Persian, Sinhala and others need within a word, and emoji
/// between their parts.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether the joiner at this place stands within a word of a script that is written with joiners. Elsewhere
/// it is just not seen, and makes another name of one that looks the same.
fn joins_letters(chars: &[char], at: usize) -> bool {
    // Arabic to Mandaic, the scripts of India and Sri Lanka, Burmese, Khmer, Mongolian, and their extensions.
    let is_joined = |c: &char| {
        (c.is_alphabetic() || is_combining_mark(*c))
            && matches!(c, '\u{600}'..='\u{dff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{18af}'
                | '\u{a8e0}'..='\u{a8ff}' | '\u{a9e0}'..='\u{a9ff}' | '\u{aa60}'..='\u{aa7f}'
                | '\u{11000}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}')
    };
    is_between(chars, at, is_joined, is_joined)
}

/// Whether the joiner at this place makes one picture of two.
fn joins_emoji(chars: &[char], at: usize) -> bool {
    let is_picture = |c: &char| matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}');
    is_between(chars, at, |c| is_picture(c) || *c == '\u{fe0f}', is_picture)
}

fn is_between(
    chars: &[char],
    at: usize,
    before: impl Fn(&char) -> bool,
    behind: impl Fn(&char) -> bool,
) -> bool {
    at > 0 && chars.get(at - 1).is_some_and(before) && chars.get(at + 1).is_some_and(behind)
}

/// Whether a character moves a terminal's cursor, ends a line or turns the direction of what is around it.
pub fn is_terminal_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character takes no place of its own, or changes the direction of others (Unicode's
/// `Default_Ignorable_Code_Point` and `Bidi_Control`, and the blanks that are counted as letters or
/// symbols). Variation selectors are left out: they choose how an emoji looks.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether there is anything to see in a text.
pub fn has_something_visible(text: &str) -> bool {
    let is_seen = |c: char| {
        let is_selector = matches!(c, '\u{fe00}'..='\u{fe0f}');
        !c.is_whitespace() && !c.is_control() && !is_unseen(c) && !is_selector && !is_combining_mark(c)
    };
    text.chars().any(is_seen)
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

    /// Words of Persian and Sinhala that are written with a joiner were refused.
    #[test]
    fn a_joiner_between_letters_is_part_of_a_room_s_name() {
        for name in ["نرم\u{200c}افزار", "ශ්\u{200d}රී"] {
            assert!(name.parse::<RoomName>().is_ok(), "{name:?} was refused");
        }
        // Between letters that are not joined it is not seen: `an\u{200d}na` was another room than `anna`.
        let others =
            ["a\u{200c}b", "an\u{200d}na", "а\u{200d}б", "نرم\u{200c}a", "1\u{200d}2", "نرم\u{200c}"];
        for name in
            ["\u{200c}a", "a\u{200d}", "a\u{200c}\u{200c}b", "-\u{200d}-", "\u{200d}"].iter().chain(&others)
        {
            assert!(name.parse::<RoomName>().is_err(), "{name:?} was accepted");
        }
    }

    /// People had names that nobody saw, and one looked like another's with something unseen in it.
    #[test]
    fn a_person_s_name_can_be_seen() {
        for name in [
            "\u{200b}",
            "\u{3164}",
            "\u{2800}",
            "an\u{200b}na",
            "an\u{200d}na",
            "\u{200c}anna",
            "a\u{200d}👧",
            "anna\u{202e}",
            "\u{301}",
            "\u{fe0f}",
        ] {
            assert!(name.parse::<PersonName>().is_err(), "{name:?} was accepted");
        }
        for name in [
            "anna",
            "👩\u{200d}👩\u{200d}👧",
            "👩🏽\u{200d}⚕\u{fe0f}",
            "❤\u{fe0f}\u{200d}🔥",
            "نرم\u{200c}افزار",
            "❤\u{fe0f}",
            "O'Neil",
            "李 明",
        ] {
            assert!(name.parse::<PersonName>().is_ok(), "{name:?} was refused");
        }
        assert!(!has_something_visible("\u{feff} \u{200b}\n") && has_something_visible("."));
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
