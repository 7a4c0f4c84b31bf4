//! What one room appends: how it is said to Redis, and what comes back.

use std::sync::Arc;

use redis::{Cmd, Value, cmd};

use super::life::Life;
use super::link::Link;
use super::rows;
use super::scripts::Step;
use super::trouble::Trouble;
use crate::config::{
    BARRED_MAX, CATCH_UP, DELETE_AHEAD, FILE_PIECE, REDIS_OUTCOME_MS, REDIS_SENT_SPARE_MS, REDIS_UPLOAD_MS,
    REPLY_BYTES, SEND_ID_MEMORY_MS, SLOW_LOOK,
};
use crate::message::{Cursor, Denied, Draft, Epoch, Mark, Message, RoomName, Timestamp};
use crate::store::fingerprint::fingerprint;
use crate::store::{Appended, Arrived, Done, Error, Keep};

/// An append on its way. However often it is tried, it is stored once: Redis knows it by its instance and number.
pub(super) struct Batch {
    pub(super) room: RoomName,
    seen: Cursor,
    drafts: Vec<Draft>,
    /// One for each draft, and the same at each try.
    marks: Vec<Mark>,
    /// Where the file of each draft waits for it: the end of a key, or nothing.
    uploads: Vec<String>,
    instance: Arc<str>,
    /// 0 until the writer has it.
    number: u64,
    /// Whether the room must be told who is present: it is in doubt whom this instance holds.
    pub(super) wants_people: bool,
    done: Done,
}

/// What Redis said to a batch.
pub(super) enum Answer {
    Arrived(Arrived),
    /// This instance was taken for dead. Nothing was done.
    Lapsed,
}

impl Batch {
    pub(super) fn new(life: &Life, room: &RoomName, seen: Cursor, drafts: Vec<Draft>, done: Done) -> Batch {
        let marks = drafts.iter().map(|_| Mark::random()).collect();
        let upload = |draft: &Draft| draft.file.as_ref().map(|_| format!("{:016x}", fastrand::u64(..)));
        let uploads = drafts.iter().map(|draft| upload(draft).unwrap_or_default()).collect();
        let instance = life.instance();
        Batch {
            room: room.clone(),
            seen,
            drafts,
            marks,
            uploads,
            instance,
            number: 0,
            wants_people: false,
            done,
        }
    }

    /// Gives it its number. The writer does this, since a room's batches must be numbered in the order in which they
    /// go: Redis refuses one that comes behind a later one.
    pub(super) fn take_number(&mut self, life: &Life) {
        self.number = life.next_batch();
    }

    /// Whether there is something to make durable.
    pub(super) fn writes(&self) -> bool {
        !self.drafts.is_empty()
    }

    pub(super) fn instance(&self) -> &str {
        &self.instance
    }

    /// It was not done under the name that it had. It goes again under the present one.
    pub(super) fn begin_anew(&mut self, life: &Life) {
        self.instance = life.instance();
        self.take_number(life);
        self.wants_people = true;
    }

    /// Tells the outcome.
    pub(super) fn tell(self, outcome: Result<Arrived, Error>) {
        self.done.call(outcome);
    }

    /// How many messages an outcome keeps.
    pub(super) fn kept(&self, arrived: &Arrived) -> usize {
        if self.room.is_internal() { 0 } else { arrived.outcomes.iter().filter_map(Appended::stored).count() }
    }

    /// What brings Redis the files, which wait there for a moment. They come in pieces, so that nobody else waits long.
    pub(super) fn files(&self, life: &Life) -> Vec<Cmd> {
        let mut commands = Vec::new();
        for (draft, upload) in self.drafts.iter().zip(&self.uploads) {
            let Some(file) = &draft.file else { continue };
            let key = format!("{}:{{{}}}:upload:{upload}", life.prefix, self.room);
            for (piece, at) in file.bytes.chunks(FILE_PIECE).zip((0..).step_by(FILE_PIECE)) {
                commands.push(cmd("SETRANGE").arg(&key).arg(at).arg(piece).take());
                commands.push(cmd("PEXPIRE").arg(&key).arg(REDIS_UPLOAD_MS).take());
            }
        }
        commands
    }

    /// What asks Redis for it.
    pub(super) fn command(&self, link: &Link, life: &Life, keep: Keep) -> Cmd {
        if self.room.is_internal() {
            // It is written like a message, and lapses by itself.
            return cmd("SET")
                .arg(format!("{}:check", life.prefix))
                .arg(1)
                .arg("PX")
                .arg(REDIS_OUTCOME_MS)
                .take();
        }
        let mut command = link.step(Step::Append);
        command
            .arg(&life.prefix)
            .arg(self.room.as_str())
            .arg(life.epoch().number())
            .arg(&*self.instance)
            .arg(self.number)
            .arg(self.seen.epoch.number())
            .arg(self.seen.sequence)
            .arg(self.seen.mark.number())
            .arg(u8::from(self.wants_people))
            .arg(CATCH_UP)
            .arg(REPLY_BYTES);
        limits(&mut command, keep, self.drafts.last().map(|draft| draft.at));
        command
            .arg(self.drafts.len() + DELETE_AHEAD)
            .arg(SEND_ID_MEMORY_MS)
            .arg(SEND_ID_MEMORY_MS + REDIS_SENT_SPARE_MS)
            .arg(REDIS_OUTCOME_MS)
            .arg(BARRED_MAX)
            .arg(SLOW_LOOK)
            .arg(keep.files.min(MOST));
        for ((draft, mark), upload) in self.drafts.iter().zip(&self.marks).zip(&self.uploads) {
            let sent = draft.sent_as.as_ref();
            command
                .arg(rows::letter(draft.kind))
                .arg(draft.name.as_ref().map_or("", |name| name.as_str()))
                .arg(&*draft.text)
                .arg(draft.at.0)
                .arg(mark.number())
                .arg(sent.map_or("", |sent| sent.id.as_str()))
                .arg(sent.map_or(0, |sent| sent.at.0))
                .arg(sent.map_or(0, |_| fingerprint(draft)))
                .arg(rows::key(draft.claim))
                .arg(rows::looks(draft));
            // A message of another life of the store is not here.
            match draft.of.filter(|of| of.epoch == life.epoch()) {
                Some(of) => command.arg(of.sequence).arg(of.mark.number()),
                None => command.arg("").arg(""),
            };
            let file = draft.file.as_ref().map(|upload| upload.file.to_string());
            command.arg(file.unwrap_or_default()).arg(upload);
        }
        command
    }

    /// Reads what `append.lua` answers.
    pub(super) fn answer(&self, answer: Value, life: &Life) -> Result<Answer, Trouble> {
        if self.room.is_internal() {
            return Ok(Answer::Arrived(Arrived::unkept(life.epoch(), &self.drafts)));
        }
        let Value::Array(_) = answer else {
            return Ok(Answer::Lapsed);
        };
        type Parts = (u32, u64, u32, String, Vec<Value>, u8, Vec<Value>, Vec<Value>);
        let (epoch, sequence, mark, words, before, has_people, people, rules): Parts = rows::part(answer)?;
        let epoch = life.learn(epoch);
        let mut latest = Cursor { epoch, sequence, mark: Mark::from_number(mark) };
        let words = words.split_terminator(' ');
        let outcomes = self.drafts.iter().zip(&self.marks).zip(words);
        let outcomes = outcomes
            .map(|((draft, mark), word)| outcome(draft, *mark, word, &mut latest))
            .collect::<Result<Vec<_>, _>>()?;
        if outcomes.len() != self.drafts.len() {
            return Err(rows::unreadable(&"an outcome is missing"));
        }
        let before = rows::messages(before, epoch)?;
        let present = (has_people == 1).then(|| rows::people(people)).transpose()?;
        let rules = (has_people == 1).then(|| rows::rules(rules, epoch)).transpose()?;
        Ok(Answer::Arrived(Arrived { before, outcomes, latest, present, rules }))
    }
}

/// Reads what became of one draft. A draft that is stored is the new end of the order.
fn outcome(draft: &Draft, mark: Mark, word: &str, latest: &mut Cursor) -> Result<Appended, Trouble> {
    let mut parts = word.split(':');
    let kind = parts.next().unwrap_or_default();
    let mut next = || parts.next().ok_or_else(|| rows::unreadable(&"an outcome is cut off"));
    Ok(match kind {
        "s" => {
            let at = Timestamp(rows::number(next()?)?);
            let id = Cursor { sequence: latest.sequence + 1, mark, ..*latest };
            let of = draft.of.filter(|of| of.epoch == latest.epoch);
            let mut message = Message { at, of, ..draft.clone().numbered(id, latest.mark) };
            if let Some(of) = message.of.as_mut().filter(|_| draft.kind.is_change()) {
                of.mark = Mark::from_number(rows::number(next()?)?);
                message.name = rows::name(rows::bytes(next()?)?);
            }
            if draft.kind.is_bar() {
                message.holder = rows::holder(next()?)?;
            }
            *latest = id;
            Appended::Stored(Arc::new(message))
        }
        "r" => {
            let (sequence, mark) = (rows::number(next()?)?, Mark::from_number(rows::number(next()?)?));
            Appended::Repeated(Cursor { sequence, mark, ..*latest })
        }
        "c" => Appended::Conflict,
        "n" => Appended::Needless,
        "m" => Appended::NoMessage,
        "y" => Appended::NotYours,
        "F" => Appended::Denied(Denied::TooMany),
        "M" => Appended::Denied(Denied::Muted(end(next()?)?)),
        "R" => Appended::Denied(Denied::Removed(end(next()?)?)),
        "S" => Appended::Denied(Denied::Slow(rows::number(next()?)?, rows::number(next()?)?)),
        "K" => Appended::Denied(Denied::Locked(rows::bytes(next()?)?.into())),
        "t" => Appended::NameTaken(draft.name.clone().ok_or_else(|| rows::unreadable(&"nobody is taken"))?),
        _ => return Err(rows::unreadable(&format!("{word:?} is no outcome"))),
    })
}

/// Reads when something ends, if it does by itself.
fn end(word: &str) -> Result<Option<Timestamp>, Trouble> {
    (!word.is_empty()).then(|| rows::number(word).map(Timestamp)).transpose()
}

/// Lua counts exactly up to here.
pub(super) const MOST: u64 = 1 << 53;

/// Says how much is kept: messages, entries, from when on, and what time it is.
pub(super) fn limits(command: &mut Cmd, keep: Keep, now: Option<Timestamp>) {
    command.arg(most(keep.messages)).arg(most(keep.entries()));
    match now.and_then(|now| Some((keep.horizon(now)?, now))) {
        Some((horizon, now)) => command.arg(horizon.0).arg(now.0),
        None => command.arg("").arg(""),
    };
}

pub(super) fn most(number: usize) -> u64 {
    (number as u64).min(MOST)
}

/// The place in an order that Redis wrote as numbers.
pub(super) fn place(epoch: Epoch, sequence: u64, mark: u32) -> Cursor {
    Cursor { epoch, sequence, mark: Mark::from_number(mark) }
}
