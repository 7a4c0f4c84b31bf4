//! Fields of a query or a form, decoded and parsed.
//!
//! Decoding is strict: malformed text is refused. The crates for forms replace it by something else.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use percent_encoding::percent_decode_str;

use crate::message::{Cursor, Invalid, PersonName};
use crate::wire::refusal::Refusal;

/// The fields of these names in a query or a form. If a field comes several times, the first counts.
pub fn fields<'a, const N: usize>(form: &'a str, names: [&str; N]) -> Result<[Field<'a>; N], Refusal> {
    let mut found = [const { None }; N];
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode_in_form(name)?;
        if let Some(at) = names.iter().position(|wanted| *wanted == name) {
            let value = decode_in_form(value)?;
            found[at].get_or_insert(value);
        }
    }
    Ok(found)
}

/// The value of a field, if it was given.
pub type Field<'a> = Option<Cow<'a, str>>;

/// The same for somebody who keeps it.
pub(super) fn owned(field: Field<'_>) -> Option<String> {
    field.map(Cow::into_owned)
}

/// Decodes a name or a value of a form, where a plus is a space.
fn decode_in_form(text: &str) -> Result<Cow<'_, str>, Refusal> {
    match text.contains('+') {
        true => Ok(decode(&text.replace('+', " "))?.into_owned().into()),
        false => decode(text),
    }
}

/// Percent-decodes. Malformed text is refused.
pub(super) fn decode(text: &str) -> Result<Cow<'_, str>, Refusal> {
    // Most need no decoding.
    if !text.contains('%') {
        return Ok(text.into());
    }
    let bytes = text.as_bytes();
    let malformed = |at: usize| {
        let digits = bytes.get(at + 1..at + 3);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if bytes.iter().enumerate().any(|(at, byte)| *byte == b'%' && malformed(at)) {
        return Err(Refusal::BadPercentEncoding);
    }
    percent_decode_str(text).decode_utf8().map_err(|_| Refusal::BadUtf8)
}

/// Parses a cursor.
pub(super) fn cursor_in(text: &str) -> Result<Cursor, Refusal> {
    text.parse().map_err(|e: Invalid| Refusal::BadCursor(e.0))
}

/// Parses a person's name. A form with an empty field gives no name.
pub(super) fn name_in(name: Option<&str>) -> Result<Option<PersonName>, Refusal> {
    let name = name.filter(|name| !name.trim().is_empty());
    name.map(str::parse).transpose().map_err(|e: Invalid| Refusal::BadName(e.0))
}

/// Parses a whole number in a range, in plain decimal notation.
pub(super) fn number_in(text: &str, range: RangeInclusive<usize>) -> Option<usize> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number| range.contains(number))
}

/// Parses a `limit` from 1 to `most`.
pub(super) fn limit_in(text: &str, most: usize) -> Result<usize, Refusal> {
    number_in(text, 1..=most).ok_or(Refusal::BadLimit(most))
}
