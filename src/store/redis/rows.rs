//! What Redis answers, read into what travels.

use std::sync::Arc;

use redis::{FromRedisValue, Value, from_redis_value};

use super::trouble::Trouble;
use crate::message::{Cursor, Epoch, Kind, Kinds, Mark, Message, PersonName, Timestamp};
use crate::store::Present;

/// The letter of a kind in Redis.
pub(super) fn letter(kind: Kind) -> &'static str {
    match kind {
        Kind::Message => "m",
        Kind::Joined => "j",
        Kind::Left => "l",
    }
}

pub(super) fn letters(kinds: Kinds) -> String {
    kinds.iter().map(letter).collect()
}

/// Reads one part of an answer.
pub(super) fn part<T: FromRedisValue>(value: Value) -> Result<T, Trouble> {
    from_redis_value(value).map_err(|error| unreadable(&error))
}

/// Reads entries in the order in which they came.
pub(super) fn messages(entries: Vec<Value>, epoch: Epoch) -> Result<Vec<Arc<Message>>, Trouble> {
    entries.into_iter().map(|entry| message(entry, epoch)).collect()
}

/// Reads an entry: its id, and its fields by the order in which `write.lua` adds them.
fn message(entry: Value, epoch: Epoch) -> Result<Arc<Message>, Trouble> {
    let (id, fields): (String, Vec<String>) = part(entry)?;
    let mut values = fields.into_iter().skip(1).step_by(2);
    let mut next = || values.next().ok_or_else(|| unreadable(&"a field is missing"));
    let (kind, name, text, at, _came, mark, previous) =
        (next()?, next()?, next()?, next()?, next()?, next()?, next()?);
    let sequence = number(id.split('-').next().unwrap_or_default())?;
    let mark_of = |text: &str| number(text).map(Mark::from_number);
    Ok(Arc::new(Message {
        id: Cursor { epoch, sequence, mark: mark_of(&mark)? },
        previous: mark_of(&previous)?,
        kind: match kind.as_str() {
            "m" => Kind::Message,
            "j" => Kind::Joined,
            "l" => Kind::Left,
            other => return Err(unreadable(&format!("{other:?} is no kind"))),
        },
        name: (!name.is_empty()).then(|| PersonName::accepted_before(name)),
        text: text.into(),
        at: Timestamp(number(&at)?),
    }))
}

/// Reads who is present, by name.
pub(super) fn people(values: Vec<Value>) -> Result<Vec<Present>, Trouble> {
    let mut people = Vec::with_capacity(values.len() / 3);
    let mut values = values.into_iter();
    while let (Some(name), Some(since), Some(is_held)) = (values.next(), values.next(), values.next()) {
        let (name, since) = (PersonName::accepted_before(part(name)?), Timestamp(part(since)?));
        people.push(Present { name, since, is_held: part::<u8>(is_held)? == 1 });
    }
    people.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(people)
}

/// Reads a number that was written as text.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Result<T, Trouble> {
    text.parse().map_err(|_| unreadable(&format!("{text:?} is no number")))
}

pub(super) fn unreadable(why: &dyn std::fmt::Display) -> Trouble {
    Trouble::Refused(format!("holds something else than comet-chat wrote: {why}"))
}
