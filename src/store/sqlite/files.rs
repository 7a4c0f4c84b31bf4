//! The files that come with messages.

use super::ledger::Ledger;
use super::schema;

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
