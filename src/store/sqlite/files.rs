//! The files that come with messages.

use std::ops::Range;

use rusqlite::{MAIN_DB, OptionalExtension, Transaction};

use super::ledger::Ledger;
use super::schema;

/// Reads a part of a file, and no more of it into memory.
pub(super) fn read(
    transaction: &Transaction<'_>,
    room: i64,
    sequence: u64,
    part: Range<u64>,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut statement = transaction.prepare_cached(schema::FILE)?;
    let kept = statement.query_row((room, sequence), |row| Ok((row.get(0)?, row.get(1)?)));
    let kept: Option<(i64, u64)> = kept.optional()?;
    let Some((row, _)) = kept.filter(|(_, length)| part.end <= *length) else { return Ok(None) };
    let file = transaction.blob_open(MAIN_DB, "files", "content", row, true)?;
    let mut bytes = vec![0; (part.end - part.start) as usize];
    file.read_at_exact(&mut bytes, part.start as usize)?;
    Ok(Some(bytes))
}

impl Ledger<'_> {
    /// Keeps the file of a new message. If a room's files are more than is kept by that, the oldest are forgotten, and
    /// their messages say so.
    pub(super) fn keep_file(&self, room: i64, sequence: u64, bytes: &[u8]) -> rusqlite::Result<()> {
        let prepared = |sql| self.transaction.prepare_cached(sql);
        prepared(schema::STORE_FILE)?.execute((room, sequence, bytes))?;
        let mut statement = prepared(schema::FILES)?;
        let files = statement.query_map([room], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let files = files.collect::<rusqlite::Result<Vec<(u64, u64)>>>()?;
        let mut sum = 0;
        let over = files.into_iter().filter(|(_, bytes)| {
            sum += bytes;
            sum > self.keep.files
        });
        for (sequence, _) in over {
            prepared(schema::DELETE_FILE)?.execute((room, sequence))?;
            prepared(schema::FILE_IS_GONE)?.execute((room, sequence))?;
        }
        Ok(())
    }
}
