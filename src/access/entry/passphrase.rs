//! The passphrase: one word for all who may enter.

use std::path::Path;

use blake3::Hash;
use unicode_normalization::UnicodeNormalization;

use super::secret::read_secret;
use super::signed::Key;
use crate::config::{PASSPHRASE_MAX, PASSPHRASE_SHORT};

/// A passphrase, of which only a hash and a key are kept.
pub struct Passphrase {
    hash: Hash,
    /// Signs sessions and invites.
    pub key: Key,
}

impl Passphrase {
    /// The first line of a file. An error is a sentence.
    pub fn read(path: &Path) -> Result<Passphrase, String> {
        let text = read_secret(path)?;
        let passphrase = plain(text.lines().next().unwrap_or_default());
        if passphrase.is_empty() {
            return Err(format!("{} has no passphrase in its first line", path.display()));
        }
        if passphrase.len() > PASSPHRASE_MAX {
            return Err(format!("the passphrase in {} is over {PASSPHRASE_MAX} bytes", path.display()));
        }
        if passphrase.chars().count() < PASSPHRASE_SHORT {
            let path = path.display();
            tracing::warn!(
                "the passphrase in {path} has fewer than {PASSPHRASE_SHORT} characters: it is soon guessed"
            );
        }
        Ok(Passphrase::of(&passphrase))
    }

    /// This passphrase.
    pub fn of(text: &str) -> Passphrase {
        let passphrase = plain(text);
        Passphrase { hash: blake3::hash(passphrase.as_bytes()), key: Key::of(&passphrase) }
    }

    /// Whether this is it. It takes as long however much of it is right.
    pub fn is(&self, given: &str) -> bool {
        given.len() <= 2 * PASSPHRASE_MAX && blake3::hash(plain(given).as_bytes()) == self.hash
    }
}

/// The passphrase as it is compared: without the blanks that a phone adds, and in one form, since keyboards write
/// the same letter in several.
fn plain(text: &str) -> String {
    text.trim().nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_from_every_keyboard() {
        let passphrase = Passphrase::of("Grüße an alle");
        for same in ["Grüße an alle", " Grüße an alle ", "Gru\u{308}ße an alle"] {
            assert!(passphrase.is(same), "{same:?}");
        }
        for other in ["", "grüße an alle", "Grüße  an alle", "Grüße an all", "Grüße an alle!"] {
            assert!(!passphrase.is(other), "{other:?}");
        }
    }
}
