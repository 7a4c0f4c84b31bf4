//! Sets of kinds: which messages a client wants.

use std::fmt;
use std::str::FromStr;

use super::entry::Kind;
use super::invalid::Invalid;

/// A set of kinds of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds(u16);

const ALL: [Kind; 12] = [
    Kind::Message,
    Kind::Joined,
    Kind::Left,
    Kind::Edited,
    Kind::Deleted,
    Kind::Topic,
    Kind::Muted,
    Kind::Removed,
    Kind::Allowed,
    Kind::Slowed,
    Kind::Locked,
    Kind::Unlocked,
];

impl Kinds {
    /// All that stands in a room's order.
    pub const ALL: Kinds = Kinds((1 << ALL.len()) - 1);

    /// What stands in a room's past: each message as it is now, so nothing that changed one.
    pub const SHOWN: Kinds = Kinds(Kinds::ALL.0 & !(1 << Kind::Edited as u8 | 1 << Kind::Deleted as u8));

    /// What people say.
    pub const MESSAGES: Kinds = Kinds(1 << Kind::Message as u8);

    /// Whether this kind is in the set.
    pub fn includes(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// The kinds in the set.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        ALL.into_iter().filter(move |kind| self.includes(*kind))
    }
}

/// `message,left`.
impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Kind::as_str).collect();
        f.write_str(&words.join(","))
    }
}

impl FromStr for Kinds {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Kinds, Invalid> {
        text.split(',').try_fold(Kinds(0), |kinds, word| {
            let kind = ALL.into_iter().find(|kind| kind.as_str() == word);
            let kind = kind.ok_or(Invalid(
                "kinds is a list of message, joined, left, edited, deleted, topic, muted, removed, allowed, slowed, locked and unlocked, such as kinds=message,left",
            ))?;
            Ok(Kinds(kinds.0 | 1 << kind as u8))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_reads_back_as_it_was_written() {
        for set in 1..=Kinds::ALL.0 {
            assert_eq!(Kinds(set).to_string().parse(), Ok(Kinds(set)));
        }
        assert_eq!(
            "left,message,left".parse::<Kinds>().map(|kinds| kinds.to_string()),
            Ok("message,left".into())
        );
    }

    #[test]
    fn what_is_not_a_list_of_kinds_is_refused() {
        for text in ["", ",", "message,", "messages", "Message", "message, left", "all"] {
            assert!(text.parse::<Kinds>().is_err(), "{text:?} was taken for kinds");
        }
    }
}
