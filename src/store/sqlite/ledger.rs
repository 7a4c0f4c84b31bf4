//! The work inside one transaction: number, store, remember, trim.

use std::sync::Arc;

use rusqlite::{ErrorCode, OptionalExtension, Transaction};

use super::rows::{self, Room, Sent, Target};
use super::schema;
use crate::config::{DELETE_AHEAD, SEND_ID_MEMORY_MS, SQLITE_SWEEP};
use crate::message::{Cursor, Draft, Epoch, Holder, Kind, Mark, Message, RoomName, Rules, SentAs, Timestamp};
use crate::store::fingerprint::fingerprint;
use crate::store::{Appended, Arrived, Keep, first_sent, remembers};

/// The work on one open transaction. Nothing of it holds unless the transaction is committed.
pub(super) struct Ledger<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) epoch: Epoch,
    pub(super) keep: Keep,
}

impl Ledger<'_> {
    /// Does one part of the work, whole or not at all, and leaves the other parts as they are. The inner error
    /// is the part's failure. The outer error ends the transaction.
    pub(super) fn part<T>(
        &self,
        work: impl FnOnce(&Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<rusqlite::Result<T>> {
        let step = |sql| self.transaction.prepare_cached(sql)?.execute(());
        step(schema::BEGIN_PART)?;
        let outcome = self.whole(work)?;
        if outcome.is_err() {
            step(schema::UNDO_PART)?;
        }
        step(schema::KEEP_PART)?;
        Ok(outcome)
    }

    /// Does all of the work. The inner error is its failure, after which the transaction may be undone. The outer error
    /// ends the transaction.
    pub(super) fn whole<T>(
        &self,
        work: impl FnOnce(&Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<rusqlite::Result<T>> {
        match work(self) {
            // SQLite has rolled back already, or the disk is in no state to go on.
            Err(error) if self.transaction.is_autocommit() || concerns_all(&error) => Err(error),
            outcome => Ok(outcome),
        }
    }

    /// Stores the drafts of one room.
    pub(super) fn append(&self, name: &RoomName, drafts: &[Draft]) -> rusqlite::Result<Arrived> {
        let Some(newest) = drafts.last() else {
            let latest = self.find(name)?.map_or(Cursor::start(self.epoch), |room| room.latest(self.epoch));
            return Ok(Arrived::alone(Vec::new(), latest));
        };
        if let Some(steady) = first_sent(drafts) {
            self.forget_sent(steady, drafts.len() + DELETE_AHEAD)?;
        }
        let mut room = match (self.find(name)?, Arrived::in_no_room(drafts)) {
            (Some(room), _) => room,
            (None, Some(outcomes)) => return Ok(Arrived::alone(outcomes, Cursor::start(self.epoch))),
            (None, None) => self.make(name)?,
        };
        let before = room.clone();
        let mut rules = rows::rules(self.transaction, room.id, self.epoch)?;
        let appended = drafts
            .iter()
            .map(|draft| self.append_one(&mut room, &mut rules, draft))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        self.trim(&mut room, newest.at, drafts.len() + DELETE_AHEAD)?;
        self.advance(&before, &room)?;
        Ok(Arrived::alone(appended, room.latest(self.epoch)))
    }

    /// Writes what changes nothing, so that the commit has something to wait for.
    pub(super) fn check(&self, drafts: &[Draft]) -> rusqlite::Result<Arrived> {
        self.transaction.prepare_cached(schema::CHECK)?.execute(())?;
        Ok(Arrived::unkept(self.epoch, drafts))
    }

    /// Does one step of forgetting old messages and ids, in the rooms after this one. Answers after which room
    /// to go on, if there is more to do.
    pub(super) fn expire(
        &self,
        now: Timestamp,
        steady: Timestamp,
        after: i64,
    ) -> rusqlite::Result<Option<i64>> {
        if self.forget_sent(steady, SQLITE_SWEEP)? == SQLITE_SWEEP {
            return Ok(Some(after));
        }
        if self.keep.age.is_none() {
            return Ok(None);
        }
        let rooms = self
            .transaction
            .prepare_cached(schema::NEXT_ROOMS)?
            .query_map((after, SQLITE_SWEEP), Room::from_row)?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let next = rooms.last().filter(|_| rooms.len() == SQLITE_SWEEP).map(|room| room.id);
        let mut left = SQLITE_SWEEP;
        for before in rooms {
            let mut room = before.clone();
            left -= self.trim(&mut room, now, left)?;
            self.advance(&before, &room)?;
            if left == 0 {
                // There may be more in this one.
                return Ok(Some(room.id - 1));
            }
        }
        Ok(next)
    }

    fn make(&self, name: &RoomName) -> rusqlite::Result<Room> {
        let id = self.transaction.prepare_cached(schema::MAKE_ROOM)?.insert([name.as_str()])?;
        Ok(Room { id, oldest: 1, latest: 0, mark: Mark::UNKNOWN, at: Timestamp(0), said: 0 })
    }

    fn find(&self, name: &RoomName) -> rusqlite::Result<Option<Room>> {
        let mut statement = self.transaction.prepare_cached(schema::ROOM)?;
        statement.query_row([name.as_str()], Room::from_row).optional()
    }

    fn append_one(&self, room: &mut Room, rules: &mut Rules, draft: &Draft) -> rusqlite::Result<Appended> {
        let (sequence, mark) = (room.latest + 1, Mark::random());
        let sent_as = draft.sent_as.as_ref().map(|sent| (sent, fingerprint(draft)));
        if let Some((sent, fingerprint)) = sent_as
            && let Some(known) = self.known(room, sent, fingerprint)?
        {
            return Ok(known);
        }
        if let Some(denied) = self.denied(room, rules, draft)? {
            return Ok(Appended::Denied(denied));
        }
        let mut draft = draft.clone();
        if draft.kind.is_change() {
            let Some(target) = self.changeable(room, draft.of)? else {
                return Ok(Appended::NoMessage);
            };
            if !draft.may_change(target.author) {
                return Ok(Appended::NotYours);
            }
            (draft.of, draft.name) = (Some(target.place), target.name);
        }
        draft.of = draft.of.filter(|of| of.epoch == self.epoch);
        let came = draft.at;
        let upload = draft.file.as_ref().map(|upload| upload.bytes.clone());
        let message = draft.numbered(self.cursor(sequence, mark), room.mark);
        let whose = message.name.as_ref().filter(|_| message.kind.is_bar());
        let holder = whose.map_or(Ok(message.holder), |name| self.whose(room, name))?;
        let message = Message { at: message.at.max(room.at), holder, ..message };
        let holder = message.holder.as_ref().map(Holder::bytes);
        if let (Kind::Joined, Some(name)) = (message.kind, &message.name) {
            let hold = (room.id, name.as_str(), holder);
            if self.transaction.prepare_cached(schema::HOLD)?.execute(hold)? > 0 {
                return Ok(Appended::Needless);
            }
        }
        if let Some((sent, fingerprint)) = sent_as {
            self.transaction.prepare_cached(schema::REMEMBER_SENT)?.execute((
                room.id,
                sent.id.as_str(),
                sequence,
                sent.at.0,
                fingerprint.cast_signed(),
                mark.number(),
            ))?;
        }
        self.transaction.prepare_cached(schema::STORE_MESSAGE)?.execute((
            room.id,
            sequence,
            rows::kind_number(message.kind),
            message.name.as_ref().map(|name| name.as_str()),
            &message.text,
            message.at.0,
            came.0,
            mark.number(),
            room.mark.number(),
            holder,
            message.of.map(|of| of.sequence),
            message.of.map(|of| of.mark.number()),
            message.is_by_operator,
            message.file.as_ref().map(|file| file.to_string()),
        ))?;
        if let Some(bytes) = upload {
            self.keep_file(room.id, sequence, &bytes)?;
        }
        self.follow(room, &message, holder)?;
        (room.latest, room.mark, room.at) = (sequence, mark, message.at);
        room.said += usize::from(message.kind == Kind::Message);
        let message = Arc::new(message);
        self.enter(room, rules, &message)?;
        Ok(Appended::Stored(message))
    }

    /// Changes what follows from a new entry: who is present, or what another message says.
    fn follow(&self, room: &Room, entry: &Message, holder: Option<&[u8; 16]>) -> rusqlite::Result<()> {
        let prepared = |sql| self.transaction.prepare_cached(sql);
        match (entry.kind, &entry.name, entry.of) {
            (Kind::Joined, Some(name), _) => {
                prepared(schema::JOIN)?.execute((room.id, name.as_str(), entry.at.0, holder))?;
            }
            (Kind::Left, Some(name), _) => {
                prepared(schema::LEAVE)?.execute((room.id, name.as_str()))?;
            }
            (Kind::Edited | Kind::Deleted, _, Some(of)) => {
                let change = if entry.kind == Kind::Edited { schema::EDIT } else { schema::DELETE };
                let row = (room.id, of.sequence, &entry.text, entry.at.0, entry.is_by_operator);
                prepared(change)?.execute(row)?;
                prepared(schema::OVERTAKE)?.execute((room.id, of.sequence, entry.id.sequence))?;
                if entry.kind == Kind::Deleted {
                    prepared(schema::DELETE_FILE)?.execute((room.id, of.sequence))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The message at a cursor, if it can be edited or deleted.
    fn changeable(&self, room: &Room, of: Option<Cursor>) -> rusqlite::Result<Option<Target>> {
        let Some(of) = of.filter(|of| of.sequence >= room.oldest) else { return Ok(None) };
        let found = self
            .transaction
            .prepare_cached(schema::TO_CHANGE)?
            .query_row((room.id, of.sequence), |row| Target::from_row(row, self.epoch, of.sequence))
            .optional()?;
        Ok(found.filter(|target| target.place.is_at(of)))
    }

    /// What became of an earlier message with this id, if it is remembered.
    fn known(&self, room: &Room, sent_as: &SentAs, fingerprint: u64) -> rusqlite::Result<Option<Appended>> {
        let sent = self
            .transaction
            .prepare_cached(schema::SENT)?
            .query_row((room.id, sent_as.id.as_str()), Sent::from_row)
            .optional()?;
        let known = sent.filter(|sent| remembers(sent.at, sent_as.at)).map(|sent| {
            match sent.fingerprint.is_none_or(|known| known == fingerprint) {
                true => Appended::Repeated(self.cursor(sent.sequence, sent.mark)),
                false => Appended::Conflict,
            }
        });
        Ok(known)
    }

    fn cursor(&self, sequence: u64, mark: Mark) -> Cursor {
        Cursor { epoch: self.epoch, sequence, mark }
    }

    /// Moves the room's oldest end to where the limits are at `now`, by at most `most` rows for their age.
    /// Deletes at most `most` rows before it, and answers how many.
    fn trim(&self, room: &mut Room, now: Timestamp, most: usize) -> rusqlite::Result<usize> {
        let mut oldest = room.oldest;
        if let Some(over) = room.said.checked_sub(self.keep.messages.saturating_add(1)) {
            oldest = self.said_on(room, oldest, over)?.map_or(oldest, |fallen| fallen + 1);
        }
        let entries = u64::try_from(self.keep.entries()).unwrap_or(u64::MAX);
        let bound = (room.latest + 1).saturating_sub(entries);
        if oldest < bound {
            oldest = self.said_on(room, oldest, 0)?.unwrap_or(bound).min(bound);
        }
        if let Some(horizon) = self.keep.horizon(now) {
            // This reads past each message that expires once, and never past it again.
            let sequence = |row: &rusqlite::Row<'_>| row.get::<_, u64>(0);
            let last = oldest.saturating_add(most as u64).min(room.latest + 1);
            let end = self
                .transaction
                .prepare_cached(schema::FIRST_THAT_CAME)?
                .query_row((room.id, oldest, last, horizon.0, now.0), sequence)
                .optional()?
                .unwrap_or(last);
            let too_old = self
                .transaction
                .prepare_cached(schema::LAST_THAT_CAME_BEFORE)?
                .query_row((room.id, oldest, end, horizon.0), sequence)
                .optional()?;
            oldest = too_old.map_or(oldest, |last| last + 1);
        }
        if oldest != room.oldest {
            let gone = self
                .transaction
                .prepare_cached(schema::SAID_BETWEEN)?
                .query_row((room.id, room.oldest, oldest), |row| row.get::<_, usize>(0))?;
            // In a damaged file there may be more than were counted. That must not end the thread that writes.
            room.said = room.said.saturating_sub(gone);
            room.oldest = oldest;
        }
        let deleted =
            self.transaction.prepare_cached(schema::DELETE_OLDEST)?.execute((room.id, oldest, most))?;
        if deleted > 0 {
            self.transaction.prepare_cached(schema::DELETE_FILES)?.execute((room.id, oldest))?;
        }
        Ok(deleted)
    }

    /// Skips so many said messages from a sequence on, and gives the next one.
    fn said_on(&self, room: &Room, from: u64, skipped: usize) -> rusqlite::Result<Option<u64>> {
        self.transaction
            .prepare_cached(schema::SAID_ON)?
            .query_row((room.id, from, skipped), |row| row.get(0))
            .optional()
    }

    /// Writes what has changed of a room.
    fn advance(&self, before: &Room, room: &Room) -> rusqlite::Result<()> {
        if room != before {
            let row = (room.id, room.oldest, room.latest, room.at.0, room.said, room.mark.number());
            self.transaction.prepare_cached(schema::ADVANCE)?.execute(row)?;
        }
        Ok(())
    }

    /// Forgets at most `most` ids, and answers how many.
    fn forget_sent(&self, now: Timestamp, most: usize) -> rusqlite::Result<usize> {
        let horizon = now.0.cast_signed() - SEND_ID_MEMORY_MS.cast_signed();
        self.transaction.prepare_cached(schema::FORGET_SENT)?.execute((horizon, most))
    }
}

/// Whether an error is the disk's or the machine's, and not of the rows of one room.
fn concerns_all(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
        )
    )
}
