//! What Redis answers, read into what travels.

use std::sync::Arc;

use redis::{FromRedisValue, Value, from_redis_value};

use super::trouble::Trouble;
use crate::message::{
    Change, Claim, Cursor, Draft, Epoch, Holder, Invalid, Kind, Kinds, Looks, Mark, Message, PersonName,
    Rules, Seal, Timestamp,
};
use crate::store::Present;

/// The letter of a kind in Redis.
pub(super) fn letter(kind: Kind) -> &'static str {
    match kind {
        Kind::Message => "m",
        Kind::Joined => "j",
        Kind::Left => "l",
        Kind::Edited => "e",
        Kind::Deleted => "d",
        Kind::Topic => "t",
        Kind::Muted => "q",
        Kind::Removed => "r",
        Kind::Allowed => "a",
        Kind::Slowed => "s",
        Kind::Locked => "k",
        Kind::Unlocked => "u",
    }
}

pub(super) fn letters(kinds: Kinds) -> String {
    kinds.iter().map(letter).collect()
}

/// A claim as a word: a hash, `*` or `o` with a hash or without, or nothing.
pub(super) fn key(claim: Claim) -> String {
    let author = claim.author().map_or(String::new(), |author| author.to_string());
    match claim {
        Claim::Nothing | Claim::Key(_) => author,
        Claim::Vouched(_) => format!("*{author}"),
        Claim::Operator(_) => format!("o{author}"),
    }
}

/// The claim that a word means.
pub(super) fn claim(word: &str) -> Option<Claim> {
    let (claim, author): (fn(Option<Holder>) -> Claim, &str) = match word.split_at_checked(1) {
        Some(("*", author)) => (Claim::Vouched, author),
        Some(("o", author)) => (Claim::Operator, author),
        _ => (Claim::from, word),
    };
    Some(claim(holder(author).ok()?))
}

/// How a draft's name looks, if that may matter.
pub(super) fn looks(draft: &Draft) -> String {
    match &draft.name {
        Some(name) if draft.kind != Kind::Left && (!draft.claim.is_operator() || draft.kind.is_bar()) => {
            let looks: Vec<String> = Looks::of(name).each().map(|look| format!("{look:032x}")).collect();
            looks.join(" ")
        }
        _ => String::new(),
    }
}

/// The secret with which keys are hashed, in hexadecimal digits.
pub(super) fn secret(seal: &Seal) -> String {
    seal.secret().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads such a secret.
pub(super) fn read_secret(digits: &str) -> Result<[u8; 32], Trouble> {
    let mut secret = [0; 32];
    let is_secret = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    for (at, byte) in secret.iter_mut().enumerate().filter(|_| is_secret) {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).map_err(|error| unreadable(&error))?;
    }
    if is_secret { Ok(secret) } else { Err(unreadable(&"the secret is no secret")) }
}

/// Reads who holds a name, if anybody does.
pub(super) fn holder(word: &str) -> Result<Option<Holder>, Trouble> {
    let holder = (!word.is_empty()).then(|| word.parse()).transpose();
    holder.map_err(|_| unreadable(&format!("{word:?} is no hash of a key")))
}

/// Reads one part of an answer.
pub(super) fn part<T: FromRedisValue>(value: Value) -> Result<T, Trouble> {
    from_redis_value(value).map_err(|error| unreadable(&error))
}

/// Reads entries in the order in which they came.
pub(super) fn messages(entries: Vec<Value>, epoch: Epoch) -> Result<Vec<Arc<Message>>, Trouble> {
    entries.into_iter().map(|entry| message(entry, epoch)).collect()
}

/// Reads an entry: its id, its fields by the order in which `write.lua` adds them, what became of it, and what is known of
/// its file.
fn message(entry: Value, epoch: Epoch) -> Result<Arc<Message>, Trouble> {
    let (id, fields, word, file): (String, Vec<String>, String, String) = part(entry)?;
    let mut values = fields.into_iter().skip(1).step_by(2);
    let mut next = || values.next().ok_or_else(|| unreadable(&"a field is missing"));
    let (kind, name, text, at, _came, mark, previous) =
        (next()?, next()?, next()?, next()?, next()?, next()?, next()?);
    // Behind the counts of what was said and who joined. Entries of earlier versions end before it.
    let key = values.nth(2).unwrap_or_default();
    let mut next = || values.next().unwrap_or_default();
    let (about, about_mark, operator) = (next(), next(), next());
    let (change, is_changed_by_operator) = change(&word)?;
    let sequence = number(id.split('-').next().unwrap_or_default())?;
    let mark_of = |text: &str| number(text).map(Mark::from_number);
    Ok(Arc::new(Message {
        id: Cursor { epoch, sequence, mark: mark_of(&mark)? },
        previous: mark_of(&previous)?,
        kind: match kind.as_str() {
            "m" => Kind::Message,
            "j" => Kind::Joined,
            "l" => Kind::Left,
            "e" => Kind::Edited,
            "d" => Kind::Deleted,
            "t" => Kind::Topic,
            "q" => Kind::Muted,
            "r" => Kind::Removed,
            "a" => Kind::Allowed,
            "s" => Kind::Slowed,
            "k" => Kind::Locked,
            "u" => Kind::Unlocked,
            other => return Err(unreadable(&format!("{other:?} is no kind"))),
        },
        name: self::name(name),
        holder: holder(&key)?,
        text: text.into(),
        file: match file.is_empty() {
            true => None,
            false => Some(Arc::new(file.parse().map_err(|invalid: Invalid| unreadable(&invalid))?)),
        },
        at: Timestamp(number(&at)?),
        of: match about.is_empty() {
            true => None,
            false => Some(Cursor { epoch, sequence: number(&about)?, mark: mark_of(&about_mark)? }),
        },
        change,
        is_by_operator: is_changed_by_operator || !operator.is_empty(),
    }))
}

/// Reads the word before a text: what became of the message, and whether the operator did it.
fn change(word: &str) -> Result<(Option<Change>, bool), Trouble> {
    let Some((kind, at)) = word.split_at_checked(1).filter(|(kind, _)| matches!(*kind, "e" | "d")) else {
        return Ok((None, false));
    };
    let by_operator = at.strip_prefix('o');
    let at = Timestamp(number(by_operator.unwrap_or(at))?);
    let change = if kind == "e" { Change::Edited(at) } else { Change::Deleted(at) };
    Ok((Some(change), by_operator.is_some()))
}

/// Reads a person's name, if there is one.
pub(super) fn name(name: String) -> Option<PersonName> {
    (!name.is_empty()).then(|| PersonName::accepted_before(name))
}

/// Reads a text in hexadecimal digits.
pub(super) fn bytes(digits: &str) -> Result<String, Trouble> {
    let byte = |at: usize| digits.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| unreadable(&format!("{digits:?} is no text")))
}

/// Reads who is present, by name.
pub(super) fn people(values: Vec<Value>) -> Result<Vec<Present>, Trouble> {
    let mut people = Vec::with_capacity(values.len() / 4);
    let mut values = values.into_iter();
    while let (Some(name), Some(since), Some(is_held), Some(key)) =
        (values.next(), values.next(), values.next(), values.next())
    {
        let (name, since) = (PersonName::accepted_before(part(name)?), Timestamp(part(since)?));
        let is_held = part::<u8>(is_held)? == 1;
        people.push(Present { name, since, is_held, holder: holder(&part::<String>(key)?)? });
    }
    people.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(people)
}

/// Reads the entries that are in force.
pub(super) fn rules(entries: Vec<Value>, epoch: Epoch) -> Result<Rules, Trouble> {
    let mut entries = messages(entries, epoch)?;
    entries.sort_by_key(|entry| entry.id.sequence);
    Ok(entries.into_iter().collect())
}

/// Reads a number that was written as text.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Result<T, Trouble> {
    text.parse().map_err(|_| unreadable(&format!("{text:?} is no number")))
}

pub(super) fn unreadable(why: &dyn std::fmt::Display) -> Trouble {
    Trouble::Refused(format!("holds something else than comet-chat wrote: {why}"))
}
