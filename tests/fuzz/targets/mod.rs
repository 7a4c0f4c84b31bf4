//! The targets. Each holds for any bytes.

pub mod addresses;
pub mod archives;
pub mod bodies;
pub mod callers;
pub mod cursors;
pub mod files;
pub mod names;
pub mod places;
pub mod requests;
pub mod strangers;

use std::borrow::Cow;

use comet_chat::message::Seal;

/// Something that takes what others write.
pub struct Target {
    /// That of its module.
    pub name: &'static str,
    /// Texts that it takes, or almost.
    pub seeds: &'static [&'static str],
    /// Panics if something does not hold.
    pub check: fn(&[u8]),
}

pub const ALL: [Target; 10] = [
    addresses::TARGET,
    archives::TARGET,
    bodies::TARGET,
    callers::TARGET,
    cursors::TARGET,
    files::TARGET,
    names::TARGET,
    places::TARGET,
    requests::TARGET,
    strangers::TARGET,
];

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// A sentence for a person: it is there, and it moves no terminal's cursor.
fn assert_is_a_sentence(sentence: &str) {
    assert!(!sentence.trim().is_empty() && !sentence.chars().any(char::is_control), "{sentence:?}");
}

/// Whatever comes back by these is what it was.
fn assert_comes_back<T>(value: &T)
where
    T: std::fmt::Display + std::fmt::Debug + std::str::FromStr + PartialEq,
{
    let written = value.to_string();
    assert_eq!(written.parse().ok().as_ref(), Some(value), "{written:?}");
}

/// What keys are hashed with, the same each time.
fn seal() -> Seal {
    Seal::new([7; 32])
}
