//! Marks for the messages of a file from before there were marks.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

use crate::message::Mark;
use crate::store::fingerprint::{fnv, said};

/// Gives a connection the function `mark_of(sequence, kind, name, text, at)`.
///
/// It depends on nothing but the message. So a copy of the old file, which is put back and brought to this
/// schema once more, gets the same marks, and cursors of the first time still match.
pub(super) fn define(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("mark_of", 5, flags, mark_of)
}

fn mark_of(row: &mut Context<'_>) -> rusqlite::Result<u32> {
    let number = |index| row.get::<i64>(index).map(i64::to_le_bytes);
    let (sequence, kind, at) = (number(0)?, number(1)?, number(4)?);
    let name = row.get_raw(2).as_bytes_or_null()?.unwrap_or_default();
    let text = row.get_raw(3).as_bytes()?;
    let numbers = sequence.into_iter().chain(kind).chain(at);
    Ok(Mark::of_hash(fnv(numbers.chain(said(name, text)))).number())
}
