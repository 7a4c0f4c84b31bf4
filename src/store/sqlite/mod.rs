//! A store in one SQLite file, which survives `kill -9` and a power cut.
//!
//! One thread writes. It takes all that waits for it into one transaction, so many publishers share one
//! wait for the disk. A few connections read beside it and never wait. Each call takes time in the logarithm
//! of what the file holds, and opening the file does not depend on that.
//!
//! Read on in [`writer`] (the way to the thread), [`pen`] (the thread), [`ledger`] (one transaction),
//! [`schema`] (the tables).

mod backup;
mod files;
mod gather;
mod ledger;
mod marks;
mod open;
mod pen;
mod place;
mod readers;
mod rows;
mod rules;
mod schema;
mod writer;

use std::fs::File;
use std::ops::Range;
use std::path::{Path, absolute};
use std::sync::Arc;

use rusqlite::{OptionalExtension, Transaction};

pub(super) use self::backup::back_up;
use self::readers::Readers;
use self::rows::Room;
use self::writer::Writer;
use super::{Done, Error, Keep, Order, RoomSummary, Stats, Store, Tail, notices, one_read};
use crate::message::{Cursor, Draft, Epoch, Kinds, Message, RoomName, Seal, Timestamp};

/// Keeps messages in a file. Its fields are dropped in their order. The writer's connection closes last,
/// which folds the log into the file. Then the file is free for another server.
pub struct SqliteStore {
    epoch: Epoch,
    seal: Seal,
    keep: Keep,
    readers: Readers,
    /// `None` if the file is only read.
    writer: Option<Writer>,
    /// The lock on the file: held, never read.
    _claim: Option<File>,
}

impl SqliteStore {
    /// Opens the file, or makes it. An error is a sentence: another server uses it, it is read-only, damaged,
    /// not ours, from a newer version, or its directory is missing.
    pub fn open(path: &Path, keep: Keep) -> Result<SqliteStore, Error> {
        // An absolute path stays good wherever the process goes, and SQLite takes it for nothing
        // but a path, also when its name is `:memory:`.
        let path =
            absolute(path).map_err(|error| Error(format!("cannot open {}: {error}", path.display())))?;
        let claim = open::claim(&path)?;
        let (connection, epoch, seal) = open::writer(&path)?;
        Ok(SqliteStore {
            epoch,
            seal,
            keep,
            readers: Readers::open(&path)?,
            writer: Some(Writer::start(connection, &path, epoch, keep)?),
            _claim: Some(claim),
        })
    }

    /// Opens a file to read from it only, also while a server uses it.
    pub fn open_to_read(path: &Path, keep: Keep) -> Result<SqliteStore, Error> {
        let (epoch, seal) = open::life(path)?;
        let readers = Readers::open(path)?;
        Ok(SqliteStore { epoch, seal, keep, readers, writer: None, _claim: None })
    }

    fn writer(&self) -> Result<&Writer, Error> {
        self.writer.as_ref().ok_or_else(|| Error("this store was opened to be read".into()))
    }

    /// Reads from a room if it is there. The query gets the room and its first kept sequence.
    fn read_room<T: Default>(
        &self,
        name: &RoomName,
        query: impl FnOnce(&Transaction<'_>, &Room, u64) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        self.readers.read(|transaction| {
            let room = transaction
                .prepare_cached(schema::ROOM)?
                .query_row([name.as_str()], Room::from_row)
                .optional()?;
            match room {
                Some(room) => query(transaction, &room, room.oldest(transaction, self.keep)?),
                None => Ok(T::default()),
            }
        })
    }

    /// The newest messages whose sequence is in the range, oldest first.
    fn newest_between(
        &self,
        transaction: &Transaction<'_>,
        room: &Room,
        (from, before): (u64, u64),
        limit: usize,
    ) -> rusqlite::Result<Vec<Arc<Message>>> {
        let mut statement = transaction.prepare_cached(schema::MESSAGES_BEFORE)?;
        let range = (room.id, from, before, most(limit), rows::kind_bits(Kinds::ALL));
        let mut messages = one_read(statement.query_map(range, |row| rows::message(row, self.epoch))?)?;
        messages.reverse();
        Ok(messages)
    }
}

impl Store for SqliteStore {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn keep(&self) -> Keep {
        self.keep
    }

    fn seal(&self) -> Seal {
        self.seal.clone()
    }

    fn append(&self, room: &RoomName, _seen: Cursor, drafts: Vec<Draft>, done: Done) {
        match self.writer() {
            Ok(writer) => writer.append(room, drafts, done),
            Err(error) => done.call(Err(error)),
        }
    }

    fn newest(&self, room: &RoomName, limit: usize) -> Result<Tail, Error> {
        let tail = self.read_room(room, |transaction, room, oldest| {
            let range = (oldest, room.latest + 1);
            let present = transaction
                .prepare_cached(schema::PRESENT)?
                .query_map([room.id], rows::presence)?
                .collect::<rusqlite::Result<_>>()?;
            let messages = self.newest_between(transaction, room, range, limit)?;
            let rules = rows::rules(transaction, room.id, self.epoch)?;
            Ok(Some(Tail { messages, latest: room.latest(self.epoch), present, rules }))
        })?;
        Ok(tail.unwrap_or_else(|| Tail::empty(self.epoch)))
    }

    fn after(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        self.read_room(room, |transaction, room, oldest| {
            if sequence >= room.latest {
                return Ok(Vec::new());
            }
            let mut statement = transaction.prepare_cached(schema::MESSAGES_FROM)?;
            let range = (room.id, oldest.max(sequence + 1), most(limit));
            one_read(statement.query_map(range, |row| rows::message(row, self.epoch))?)
        })
    }

    fn before(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        self.read_room(room, |transaction, room, oldest| {
            let before = sequence.min(room.latest + 1);
            let Some(others) = limit.checked_sub(1) else {
                return Ok(Vec::new());
            };
            let from: Option<u64> = transaction
                .prepare_cached(schema::SAID_BACK)?
                .query_row((room.id, oldest, before, most(others)), |row| row.get(0))
                .optional()?;
            let from = from.unwrap_or(oldest);
            let floor = before.saturating_sub(notices(limit) as u64).max(from);
            let (all, said) = (schema::MESSAGES_BEFORE, schema::SAID_BEFORE);
            let (mut all, mut said) = (transaction.prepare_cached(all)?, transaction.prepare_cached(said)?);
            let read = |row: &rusqlite::Row<'_>| rows::message(row, self.epoch);
            let shown = rows::kind_bits(Kinds::SHOWN);
            let newest = all.query_map((room.id, floor, before, i64::MAX, shown), read)?;
            let older = said.query_map((room.id, from, floor, most(limit)), read)?;
            let mut messages = one_read(newest.chain(older))?;
            messages.reverse();
            Ok(messages)
        })
    }

    fn file(&self, room: &RoomName, sequence: u64, part: Range<u64>) -> Result<Option<Vec<u8>>, Error> {
        self.read_room(room, |transaction, room, oldest| {
            if sequence < oldest {
                return Ok(None);
            }
            files::read(transaction, room.id, sequence, part)
        })
    }

    fn newest_but(&self, room: &RoomName, kinds: Kinds, newer: usize) -> Result<Option<Cursor>, Error> {
        self.read_room(room, |transaction, room, oldest| {
            transaction
                .prepare_cached(schema::NEWEST_BUT)?
                .query_row((room.id, oldest, rows::kind_bits(kinds), most(newer)), |row| {
                    rows::place(row, self.epoch)
                })
                .optional()
        })
    }

    fn rooms(&self, order: Order, after: Option<&RoomName>, limit: usize) -> Result<Vec<RoomSummary>, Error> {
        let name = after.map_or("", RoomName::as_str);
        let summary = |row: &rusqlite::Row<'_>| rows::summary(row, self.epoch);
        self.readers.read(|transaction| {
            let limit = most(limit);
            if order == Order::Name {
                let mut statement = transaction.prepare_cached(schema::ROOMS)?;
                return statement.query_map((name, limit), summary)?.collect();
            }
            let at = transaction
                .prepare_cached(schema::TIME_OF_ROOM)?
                .query_row([name], |row| row.get::<_, i64>(0))
                .optional()?
                .unwrap_or(i64::MAX);
            let mut statement = transaction.prepare_cached(schema::RECENT_ROOMS)?;
            statement.query_map((at, name, limit), summary)?.collect()
        })
    }

    fn peopled(&self, limit: usize) -> Result<Vec<RoomName>, Error> {
        self.readers.read(|transaction| {
            let mut statement = transaction.prepare_cached(schema::PEOPLED)?;
            statement.query_map([most(limit)], rows::room_name)?.collect()
        })
    }

    fn expire(&self, now: Timestamp, steady: Timestamp) -> Result<(), Error> {
        self.writer()?.expire(now, steady)
    }

    fn stats(&self) -> Stats {
        self.writer.as_ref().map(Writer::stats).unwrap_or_default()
    }
}

/// SQLite's own integers are signed.
fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
