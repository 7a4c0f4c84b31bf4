//! A key: what a client shows of its right to a name.

use super::fields::fields;
use super::head::Head;
use crate::message::{Claim, Invalid, Key, Seal};
use crate::wire::refusal::Refusal;

/// Reads the key in a body's field, or else in the header. Of the key itself nothing is left.
pub(super) fn claim(
    head: &Head<'_>,
    query: &str,
    field: Option<String>,
    seal: &Seal,
) -> Result<Claim, Refusal> {
    if fields(query, ["key"])? != [None] {
        return Err(Refusal::KeyInAddress);
    }
    let key = field.as_deref().or(head.header("Chat-Key")).filter(|key| !key.is_empty());
    let key = key.map(str::parse::<Key>).transpose().map_err(|e: Invalid| Refusal::BadKey(e.0))?;
    Ok(key.map_or(Claim::Nothing, |key| Claim::Key(seal.holder(&key))))
}
