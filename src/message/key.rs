//! Keys: how a person shows that a name is theirs.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use super::invalid::Invalid;
use super::names::PersonName;
use crate::config::KEY_LENGTH;

/// A secret of a client's own, which it sends with its name: 16 to 128 visible ASCII characters. It is kept nowhere.
pub struct Key(String);

impl FromStr for Key {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Key, Invalid> {
        if !KEY_LENGTH.contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Invalid(
                "a key has 16 to 128 visible ASCII characters: draw it at random, and keep it",
            ));
        }
        Ok(Key(text.into()))
    }
}

/// The secret with which a store's keys are hashed, so that its hashes are of no use elsewhere. It is as old as the
/// store, and clones share it: all instances of one store have the same.
#[derive(Clone)]
pub struct Seal(Arc<RwLock<[u8; 32]>>);

impl Seal {
    /// The secret that a store has kept.
    pub fn new(secret: [u8; 32]) -> Seal {
        Seal(Arc::new(RwLock::new(secret)))
    }

    /// A new secret, for a store that has none yet.
    pub fn random() -> Seal {
        let mut secret = [0; 32];
        // The system's own source of chance. Without it nothing on the machine is secret.
        getrandom::fill(&mut secret).expect("the system gives random bytes");
        Seal::new(secret)
    }

    /// Takes over the secret of the other instances.
    pub fn learn(&self, secret: [u8; 32]) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = secret;
    }

    /// The secret, for a store to keep.
    pub fn secret(&self) -> [u8; 32] {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// By what the holder of a key is known.
    pub fn holder(&self, key: &Key) -> Holder {
        self.hash(key.0.as_bytes())
    }

    /// By what a person without a key is known, for whose name somebody vouches.
    pub fn person(&self, name: &PersonName) -> Holder {
        // No key has a blank in it.
        self.hash(format!("person {name}").as_bytes())
    }

    fn hash(&self, bytes: &[u8]) -> Holder {
        let hash = blake3::keyed_hash(&self.secret(), bytes);
        let mut half = [0; 16];
        half.copy_from_slice(&hash.as_bytes()[..16]);
        Holder(half)
    }
}

/// Who holds a name: the hash of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Holder([u8; 16]);

impl Holder {
    /// What a store has kept.
    pub fn from_bytes(bytes: [u8; 16]) -> Holder {
        Holder(bytes)
    }

    /// The hash, for a store to keep.
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// In hexadecimal digits.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Holder({self})")
    }
}

impl FromStr for Holder {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Holder, Invalid> {
        let is_hash = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = is_hash.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(|number| Holder(number.to_be_bytes())).ok_or(Invalid("this is no hash of a key"))
    }
}

/// What a request shows of its right to a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Claim {
    /// Nothing. It may use what nobody holds.
    #[default]
    Nothing,
    /// A key, by its hash. It may use what nobody else holds, and holds the name from then on.
    Key(Holder),
    /// It needs no key: names are free here, or somebody who knows the person vouches for the name. What is said may
    /// have an author nevertheless.
    Vouched(Option<Holder>),
    /// The room's operator, who may use any name, change any message, and do what the room's rules keep others from.
    /// What is said may have an author nevertheless.
    Operator(Option<Holder>),
}

impl Claim {
    /// As whose the name is held by this.
    pub fn holder(self) -> Option<Holder> {
        match self {
            Claim::Key(holder) => Some(holder),
            Claim::Nothing | Claim::Vouched(_) | Claim::Operator(_) => None,
        }
    }

    /// Who may change later what is said with this.
    pub fn author(self) -> Option<Holder> {
        match self {
            Claim::Vouched(author) | Claim::Operator(author) => author,
            _ => self.holder(),
        }
    }

    /// Whether this may use a name whoever holds it.
    pub fn needs_no_key(self) -> bool {
        matches!(self, Claim::Vouched(_)) || self.is_operator()
    }

    /// Whether it is the operator's.
    pub fn is_operator(self) -> bool {
        matches!(self, Claim::Operator(_))
    }

    /// The same right to a name, without what an operator may do.
    pub fn as_person(self) -> Claim {
        if let Claim::Operator(author) = self { author.into() } else { self }
    }

    /// Whether this may use what somebody holds.
    pub fn opens(self, holder: Holder) -> bool {
        self == Claim::Key(holder) || self.needs_no_key()
    }
}

impl From<Option<Holder>> for Claim {
    fn from(holder: Option<Holder>) -> Claim {
        holder.map_or(Claim::Nothing, Claim::Key)
    }
}

/// A person as a request gives it: under which name, and by what right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: PersonName,
    /// The right to it.
    pub claim: Claim,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_long_enough_and_visible() {
        for text in ["0123456789abcdef", &"x".repeat(128), "!~!~!~!~!~!~!~!~"] {
            assert!(text.parse::<Key>().is_ok(), "{text:?} was refused");
        }
        for text in ["", "0123456789abcde", &"x".repeat(129), "0123456789 bcdef", "0123456789äbcdef"] {
            assert!(text.parse::<Key>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_holder_is_known_by_the_key_and_by_the_store_s_own_secret() {
        let key = |text: &str| text.parse::<Key>().unwrap();
        let (one, other) = (Seal::new([1; 32]), Seal::new([2; 32]));
        let anna = one.holder(&key("the_key_of_anna's"));
        assert_eq!(one.holder(&key("the_key_of_anna's")), anna);
        assert_ne!(one.holder(&key("the_key_of_mallory's")), anna);
        assert_ne!(other.holder(&key("the_key_of_anna's")), anna);
        other.learn(one.secret());
        assert_eq!(other.holder(&key("the_key_of_anna's")), anna);
        assert_eq!(anna.to_string().parse(), Ok(anna));
        for text in ["", "+0000000000000000000000000000001", "0", "g0000000000000000000000000000000"] {
            assert!(text.parse::<Holder>().is_err(), "{text:?} was taken for a hash");
        }
    }
}
