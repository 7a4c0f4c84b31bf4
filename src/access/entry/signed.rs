//! Signed leave to enter, with the time at which it ends: a session or an invite.
//!
//! It is `ENDS.TAG`: the second at which it ends, and a keyed hash of that. The server keeps nothing, so every
//! instance with the same passphrase takes what another has given.

use std::time::Duration;

use blake3::Hash;

use crate::clock::Timestamp;
use crate::config::KEY_ROUNDS;

/// What the leave is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// A browser that is in.
    Session,
    /// An address that lets a browser in.
    Invite,
}

/// The key that signs. It follows from the passphrase, so a new passphrase ends all that was given before.
pub struct Key([u8; 32]);

/// How many letters of the keyed hash there are: 128 bits, and an address that a camera still reads.
const TAG_LETTERS: usize = 32;

impl Key {
    /// The key of this passphrase.
    pub fn of(passphrase: &str) -> Key {
        let first = blake3::derive_key("comet-chat 2026 sessions and invites", passphrase.as_bytes());
        let stretch = |key: [u8; 32], _| *blake3::keyed_hash(&key, passphrase.as_bytes()).as_bytes();
        Key((0..KEY_ROUNDS).fold(first, stretch))
    }

    /// Gives leave until the end of this second.
    pub fn sign(&self, leave: Leave, ends: Timestamp) -> String {
        let second = ends.0 / 1_000;
        format!("{second}.{}", self.tag(leave, second))
    }

    /// When this leave ends, if it was given with this key and has not ended.
    pub fn read(&self, leave: Leave, text: &str, now: Timestamp) -> Option<Timestamp> {
        let (second, tag) = text.split_once('.')?;
        // Only the one form in which it was written.
        let second = second.parse().ok().filter(|number: &u64| number.to_string() == second)?;
        let is_ours = same(tag, &self.tag(leave, second));
        let ends = Timestamp(second.checked_mul(1_000)?);
        (is_ours && now < ends).then_some(ends)
    }

    fn tag(&self, leave: Leave, second: u64) -> String {
        let what = match leave {
            Leave::Session => "session",
            Leave::Invite => "invite",
        };
        let hash = blake3::keyed_hash(&self.0, format!("{what} {second}").as_bytes());
        hash.to_hex()[..TAG_LETTERS].to_owned()
    }
}

/// The time so long from now.
pub fn after(now: Timestamp, time: Duration) -> Timestamp {
    Timestamp(now.0 + time.as_millis() as u64)
}

/// Whether two texts are the same. It takes as long whatever is different: hashes compare in constant time.
pub fn same(one: &str, other: &str) -> bool {
    let hash = |text: &str| -> Hash { blake3::hash(text.as_bytes()) };
    hash(one) == hash(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_042);

    #[test]
    fn leave_is_what_was_given_until_it_ends() {
        let key = Key::of("open sesame");
        let ends = after(NOW, Duration::from_secs(60));
        let session = key.sign(Leave::Session, ends);
        assert_eq!(key.read(Leave::Session, &session, NOW), Some(Timestamp(1_700_000_060_000)));
        assert_eq!(key.read(Leave::Session, &session, ends), None, "it has ended");
        assert_eq!(key.read(Leave::Invite, &session, NOW), None, "a session invites nobody");
        assert_eq!(Key::of("open barley").read(Leave::Session, &session, NOW), None, "of another passphrase");
    }

    #[test]
    fn no_other_text_is_leave() {
        let key = Key::of("open sesame");
        let good = key.sign(Leave::Session, after(NOW, Duration::from_secs(60)));
        let (second, tag) = good.split_once('.').unwrap();
        let later: u64 = second.parse::<u64>().unwrap() + 1;
        for forged in [
            format!("{later}.{tag}"),
            format!("0{second}.{tag}"),
            format!("+{second}.{tag}"),
            format!("{second}.{}", tag.to_uppercase()),
            format!("{second}.{}", &tag[1..]),
            format!("{second}.{tag}0"),
            format!("{second}."),
            format!("{}.{tag}", u64::MAX),
            tag.to_owned(),
            String::new(),
        ] {
            assert_eq!(key.read(Leave::Session, &forged, NOW), None, "{forged}");
        }
    }
}
