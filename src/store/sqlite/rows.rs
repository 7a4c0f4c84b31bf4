//! Reading rows as messages, rooms and people.

use std::sync::Arc;

use rusqlite::types::{FromSqlError, Type};
use rusqlite::{OptionalExtension, Row, Transaction};

use super::schema;
use crate::message::{
    Change, Cursor, Epoch, FileFacts, Holder, Invalid, Kind, Kinds, Mark, Message, PersonName, RoomName,
    Rules, Said, Timestamp,
};
use crate::store::{Keep, Present, RoomSummary, fingerprint};

/// A row of `rooms`, without the columns that only lists of rooms need.
#[derive(Clone, PartialEq)]
pub(super) struct Room {
    pub(super) id: i64,
    pub(super) oldest: u64,
    pub(super) latest: u64,
    /// The mark of its latest message.
    pub(super) mark: Mark,
    /// The `at` of its latest message.
    pub(super) at: Timestamp,
    /// How many of its messages from `oldest` on were said.
    pub(super) said: usize,
}

impl Room {
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Room> {
        Ok(Room {
            id: row.get(0)?,
            oldest: row.get(1)?,
            latest: row.get(2)?,
            at: Timestamp(row.get(3)?),
            said: row.get(4)?,
            mark: Mark::from_number(row.get(5)?),
        })
    }

    /// The place of its latest message.
    pub(super) fn latest(&self, epoch: Epoch) -> Cursor {
        Cursor { epoch, sequence: self.latest, mark: self.mark }
    }

    /// The first sequence that is kept. `--keep` may be smaller now than when the row was written.
    pub(super) fn oldest(&self, transaction: &Transaction<'_>, keep: Keep) -> rusqlite::Result<u64> {
        if self.said <= keep.messages {
            return Ok(self.oldest);
        }
        let range = (self.id, self.oldest, self.latest + 1, keep.messages);
        let fallen =
            transaction.prepare_cached(schema::SAID_BACK)?.query_row(range, |row| row.get::<_, u64>(0));
        Ok(fallen.optional()?.map_or(self.oldest, |fallen| fallen + 1))
    }
}

/// Reads what `MESSAGES_FROM` and `MESSAGES_BEFORE` select.
pub(super) fn message(row: &Row<'_>, epoch: Epoch) -> rusqlite::Result<Arc<Message>> {
    let name: Option<String> = row.get(2)?;
    Ok(Arc::new(Message {
        id: Cursor { epoch, sequence: row.get(0)?, mark: Mark::from_number(row.get(5)?) },
        previous: Mark::from_number(row.get(6)?),
        kind: kind(row.get(1)?)?,
        name: name.map(PersonName::accepted_before),
        holder: holder(row, 7)?,
        text: row.get(3)?,
        file: file(row)?,
        at: Timestamp(row.get(4)?),
        of: about(row, epoch)?,
        change: change(row)?,
        is_by_operator: row.get(12)?,
    }))
}

fn file(row: &Row<'_>) -> rusqlite::Result<Option<Arc<FileFacts>>> {
    let written: Option<String> = row.get(13)?;
    let read = |written: String| written.parse().map_err(|invalid: Invalid| unreadable(13, invalid));
    Ok(written.map(read).transpose()?.map(Arc::new))
}

fn about(row: &Row<'_>, epoch: Epoch) -> rusqlite::Result<Option<Cursor>> {
    let (sequence, mark): (Option<u64>, Option<u32>) = (row.get(8)?, row.get(9)?);
    let mark = mark.map_or(Mark::UNKNOWN, Mark::from_number);
    Ok(sequence.map(|sequence| Cursor { epoch, sequence, mark }))
}

fn change(row: &Row<'_>) -> rusqlite::Result<Option<Change>> {
    let (edited, deleted): (Option<u64>, Option<u64>) = (row.get(10)?, row.get(11)?);
    let edited = edited.map(|at| Change::Edited(Timestamp(at)));
    Ok(deleted.map(|at| Change::Deleted(Timestamp(at))).or(edited))
}

/// A message that is to be changed.
pub(super) struct Target {
    pub(super) place: Cursor,
    pub(super) name: Option<PersonName>,
    pub(super) author: Option<Holder>,
}

impl Target {
    /// Reads what `TO_CHANGE` selects for this sequence.
    pub(super) fn from_row(row: &Row<'_>, epoch: Epoch, sequence: u64) -> rusqlite::Result<Target> {
        let name: Option<String> = row.get(1)?;
        let place = Cursor { epoch, sequence, mark: Mark::from_number(row.get(0)?) };
        Ok(Target { place, name: name.map(PersonName::accepted_before), author: holder(row, 2)? })
    }
}

/// Reads what `NEWEST_BUT` selects.
pub(super) fn place(row: &Row<'_>, epoch: Epoch) -> rusqlite::Result<Cursor> {
    Ok(Cursor { epoch, sequence: row.get(0)?, mark: Mark::from_number(row.get(1)?) })
}

/// Reads what `ROOMS` selects.
pub(super) fn summary(row: &Row<'_>, epoch: Epoch) -> rusqlite::Result<RoomSummary> {
    Ok(RoomSummary {
        room: room_name(row)?,
        latest: Cursor { epoch, sequence: row.get(1)?, mark: Mark::from_number(row.get(4)?) },
        at: Timestamp(row.get(2)?),
        people: row.get(3)?,
    })
}

/// Reads a room's name, which is the first column.
pub(super) fn room_name(row: &Row<'_>) -> rusqlite::Result<RoomName> {
    let name: String = row.get(0)?;
    RoomName::accepted_before(&name).map_err(|invalid| unreadable(0, invalid))
}

/// Reads what `PRESENT` selects.
pub(super) fn presence(row: &Row<'_>) -> rusqlite::Result<Present> {
    let (name, since) = (PersonName::accepted_before(row.get(0)?), Timestamp(row.get(1)?));
    Ok(Present { name, since, is_held: true, holder: holder(row, 2)? })
}

/// Reads what `SAID_LATELY` selects.
pub(super) fn said(row: &Row<'_>) -> rusqlite::Result<Said> {
    let name: Option<String> = row.get(1)?;
    Ok((holder(row, 0)?, name.map(PersonName::accepted_before), Timestamp(row.get(2)?)))
}

/// Reads the rules of a room.
pub(super) fn rules(transaction: &Transaction<'_>, room: i64, epoch: Epoch) -> rusqlite::Result<Rules> {
    transaction.prepare_cached(schema::RULES)?.query_map([room], |row| message(row, epoch))?.collect()
}

fn holder(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Holder>> {
    let bytes: Option<[u8; 16]> = row.get(column)?;
    Ok(bytes.map(Holder::from_bytes))
}

/// A row of `sent`.
pub(super) struct Sent {
    pub(super) sequence: u64,
    pub(super) mark: Mark,
    pub(super) at: Timestamp,
    /// `None` if an older version wrote it, and the message is no longer kept.
    pub(super) fingerprint: Option<u64>,
}

impl Sent {
    /// Reads what `SENT` selects.
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Sent> {
        let written: Option<i64> = row.get(2)?;
        let name: Option<String> = row.get(3)?;
        let text: Option<String> = row.get(4)?;
        let read = || text.map(|text| fingerprint::of(name.as_deref(), &text));
        Ok(Sent {
            sequence: row.get(0)?,
            at: Timestamp(row.get(1)?),
            fingerprint: written.map(i64::cast_unsigned).or_else(read),
            mark: Mark::from_number(row.get(5)?),
        })
    }
}

/// The number of a kind in the file. It does not depend on the order of the enum.
pub(super) fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Message => 0,
        Kind::Joined => 1,
        Kind::Left => 2,
        Kind::Edited => 3,
        Kind::Deleted => 4,
        Kind::Topic => 5,
        Kind::Muted => 6,
        Kind::Removed => 7,
        Kind::Allowed => 8,
        Kind::Slowed => 9,
        Kind::Locked => 10,
        Kind::Unlocked => 11,
    }
}

/// A set of kinds as bits: that of each kind is at the place of its number.
pub(super) fn kind_bits(kinds: Kinds) -> i64 {
    kinds.iter().map(|kind| 1 << kind_number(kind)).sum()
}

fn kind(number: i64) -> rusqlite::Result<Kind> {
    match number {
        0 => Ok(Kind::Message),
        1 => Ok(Kind::Joined),
        2 => Ok(Kind::Left),
        3 => Ok(Kind::Edited),
        4 => Ok(Kind::Deleted),
        5 => Ok(Kind::Topic),
        6 => Ok(Kind::Muted),
        7 => Ok(Kind::Removed),
        8 => Ok(Kind::Allowed),
        9 => Ok(Kind::Slowed),
        10 => Ok(Kind::Locked),
        11 => Ok(Kind::Unlocked),
        _ => Err(FromSqlError::OutOfRange(number).into()),
    }
}

fn unreadable(column: usize, why: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(why))
}
