//! Names of rooms and of people.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::invalid::Invalid;
use super::visible::{has_something_visible, is_unseen};
use crate::config::NAME_LIMIT;

/// A room's name: 1 to 64 letters, digits, `-`, `_` and `.` of any script, but not `.` or `..`. At least one is visible, and
/// none is invisible, as in a [person's name](PersonName).
///
/// It is kept in Unicode's form NFC: however a keyboard composes the letters, it is the same room.
///
/// The name of a private room is a secret. So what is written by `{}` may stand in a log, and a private room's name is cut
/// there: whoever is to have the name is given it by [`RoomName::as_str`] or as JSON.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct RoomName(Arc<str>);

impl RoomName {
    /// The room of `/chat`.
    pub fn lobby() -> RoomName {
        RoomName("lobby".into())
    }

    /// The room of the health check. No client can name it, since `~` is not a letter.
    pub fn health() -> RoomName {
        RoomName("~health".into())
    }

    /// A private room, with a name that nobody can guess.
    pub fn private() -> RoomName {
        let mut bytes = [0; PRIVATE_LETTERS];
        // The system's own source of chance. Without it nothing on the machine is secret.
        getrandom::fill(&mut bytes).expect("the system gives random bytes");
        let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
        RoomName(
            bytes
                .into_iter()
                .fold(PRIVATE.to_owned(), |name, byte| name + letter(byte).encode_utf8(&mut [0; 4]))
                .into(),
        )
    }

    /// Whether only those may know of the room who were given its name.
    pub fn is_private(&self) -> bool {
        let letters = self.0.strip_prefix(PRIVATE).unwrap_or_default();
        letters.len() == PRIVATE_LETTERS && letters.bytes().all(|byte| LETTERS.contains(&byte))
    }

    /// Whether this is the server's own room, which no list shows.
    pub fn is_internal(&self) -> bool {
        self.0.starts_with('~')
    }

    /// A room of a store. An earlier version accepted names that nobody can see.
    pub fn accepted_before(text: &str) -> Result<RoomName, Invalid> {
        let name = composed(text);
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.') || is_combining_mark(c);
        let length = name.chars().count();
        let is_name = |(at, c)| allowed(c) || is_joiner(c) && joins_letters(&name, at);
        // Browsers and proxies resolve the path segments `.` and `..`.
        let is_path = name == "." || name == "..";
        if length == 0 || length > NAME_LIMIT || !name.char_indices().all(is_name) || is_path {
            return Err(BAD_ROOM);
        }
        Ok(RoomName(name.into()))
    }

    /// The name as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoomName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<RoomName, Invalid> {
        let room = RoomName::accepted_before(text)?;
        // Joiners stand between letters only.
        let is_hidden = |c: char| is_unseen(c) && !is_joiner(c);
        if room.0.chars().any(is_hidden) || !has_something_visible(&room.0) {
            return Err(BAD_ROOM);
        }
        Ok(room)
    }
}

const BAD_ROOM: Invalid = Invalid(
    "a room's name has 1 to 64 letters, digits, '-', '_' or '.' of any script, and nothing invisible",
);

/// What a private room's name begins with.
const PRIVATE: &str = "private-";

/// The letters behind that, 32 of them: 26 are 130 random bits.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const PRIVATE_LETTERS: usize = 26;

/// The name, but of a private room only that it is one.
impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_private() { "private-..." } else { &self.0 })
    }
}

impl fmt::Debug for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoomName({:?})", self.to_string())
    }
}

/// A person's name: 1 to 64 characters, trimmed, in NFC. At least one is visible. None is a control character,
/// is invisible, or changes the direction of the text around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct PersonName(Arc<str>);

impl PersonName {
    /// A name from a store. An earlier version with other rules may have accepted it.
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
        let name = composed(text.trim());
        let length = name.chars().count();
        let is_shown = |(at, c): (usize, char)| {
            !c.is_control() && !is_unseen(c)
                || is_joiner(c) && (joins_letters(&name, at) || joins_emoji(&name, at))
        };
        if length > NAME_LIMIT || !name.char_indices().all(is_shown) || !has_something_visible(&name) {
            return Err(Invalid(
                "a person's name has 1 to 64 visible characters: no control characters, nothing invisible, nothing that changes the direction of text",
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

/// A name in NFC. One in ASCII is.
fn composed(text: &str) -> Cow<'_, str> {
    match text.is_ascii() {
        true => text.into(),
        false => text.nfc().collect::<String>().into(),
    }
}

/// Zero width non-joiner and joiner. Persian, Sinhala and others need them within words, and emoji between
/// their parts.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether the joiner at this place stands within a word of a script that uses joiners. Elsewhere it is
/// invisible, and would make a different name that looks the same.
fn joins_letters(name: &str, at: usize) -> bool {
    // Arabic to Mandaic, the scripts of India and Sri Lanka, Burmese, Khmer, Mongolian, and their extensions.
    let is_joined = |c: char| {
        (c.is_alphabetic() || is_combining_mark(c))
            && matches!(c, '\u{600}'..='\u{dff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{18af}'
                | '\u{a8e0}'..='\u{a8ff}' | '\u{a9e0}'..='\u{a9ff}' | '\u{aa60}'..='\u{aa7f}'
                | '\u{11000}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}')
    };
    is_between(name, at, is_joined, is_joined)
}

/// Whether the joiner at this place joins two pictures to one.
fn joins_emoji(name: &str, at: usize) -> bool {
    let is_picture = |c: char| matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}');
    is_between(name, at, |c| is_picture(c) || c == '\u{fe0f}', is_picture)
}

/// Whether the joiner at this byte has such characters on both sides.
fn is_between(name: &str, at: usize, before: impl Fn(char) -> bool, behind: impl Fn(char) -> bool) -> bool {
    let (start, rest) = name.split_at(at);
    start.chars().next_back().is_some_and(before) && rest.chars().nth(1).is_some_and(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "한글",
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
    fn a_private_room_s_name_is_only_told_to_those_who_are_to_have_it() {
        let (room, other) = (RoomName::private(), RoomName::private());
        assert!(room.is_private() && room != other);
        assert_eq!(room.as_str().parse(), Ok(room.clone()));
        assert_eq!(format!("{room} {room:?}"), "private-... RoomName(\"private-...\")");
        let letters = &room.as_str()[8..];
        for open in
            [&format!("private-{}", &letters[1..]), &format!("private-{letters}a"), "private-", letters]
        {
            assert!(!open.parse::<RoomName>().unwrap().is_private(), "{open}");
        }
        assert!(!format!("private-{}", letters.to_uppercase()).parse::<RoomName>().unwrap().is_private());
    }

    /// The fillers of Hangul count as letters. So a room had a name that nobody sees, or one that looked like another's.
    #[test]
    fn a_room_s_name_can_be_seen() {
        for name in
            ["\u{3164}", "\u{115f}\u{1160}", "\u{ffa0}", "lobby\u{3164}", "\u{301}", "a\u{34f}", "a\u{17b4}"]
        {
            assert!(name.parse::<RoomName>().is_err(), "{name:?} was accepted");
            assert!(RoomName::accepted_before(name).is_ok(), "{name:?} may be in a store");
        }
    }

    /// Persian and Sinhala words with a joiner were refused.
    #[test]
    fn a_joiner_between_letters_is_part_of_a_room_s_name() {
        for name in ["نرم\u{200c}افزار", "ශ්\u{200d}රී"] {
            assert!(name.parse::<RoomName>().is_ok(), "{name:?} was refused");
        }
        // Between other letters a joiner is invisible: `an\u{200d}na` was another room than `anna`.
        let others =
            ["a\u{200c}b", "an\u{200d}na", "а\u{200d}б", "نرم\u{200c}a", "1\u{200d}2", "نرم\u{200c}"];
        for name in
            ["\u{200c}a", "a\u{200d}", "a\u{200c}\u{200c}b", "-\u{200d}-", "\u{200d}"].iter().chain(&others)
        {
            assert!(name.parse::<RoomName>().is_err(), "{name:?} was accepted");
        }
    }

    /// People had invisible names, or a name that looked like another's, with an invisible character in it.
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
}
