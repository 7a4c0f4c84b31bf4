//! A store in Redis, which several instances of this server share: one chat, on any number of them.
//!
//! ```text
//!             ┌─ writer    appends, of all rooms in one trip ──┐
//! this store ─┼─ readers   history, resume ────────────────────┼─▶ Redis ─▶ each instance
//!             ├─ notices   hears that there is more ◀──────────┤
//!             └─ pulse     lives, and looks after the others ──┘
//! ```
//!
//! Read on in [`batch`] and `append.lua` (how a message gets its place), [`courier`] (what happens when Redis is
//! away), [`pulse`] (who is present when an instance dies) and [`start`] (what is asked of a Redis).

mod batch;
mod courier;
mod durability;
mod followers;
mod life;
mod link;
mod notices;
mod pulse;
mod readers;
mod rows;
mod scripts;
mod spec;
mod start;
mod stream;
mod tls;
mod trouble;
mod worker;
mod writer;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Value, cmd};

use self::followers::Followers;
use self::life::Life;
use self::link::Link;
use self::readers::Readers;
use self::scripts::Step;
use self::trouble::Trouble;
use self::worker::Worker;
use self::writer::Writer;
use super::counts::Counts;
use super::{
    Done, Error, Following, Hear, Keep, Order, RoomSummary, Stats, Store, Tail, notices as notices_in,
};
use crate::config::{FILE_PIECE, REDIS_READ, REDIS_SWEEP, REPLY_BYTES};
use crate::message::{Cursor, Draft, Epoch, Kinds, Message, Person, RoomName, Seal, Timestamp};

pub use self::spec::{Durability, RedisSpec, Secret, Tls};

/// Keeps messages in Redis. Its fields are dropped in their order: the threads end one after the other.
pub struct RedisStore {
    life: Arc<Life>,
    keep: Keep,
    followers: Followers,
    readers: Readers,
    _notices: Worker,
    _pulse: Worker,
    writer: Writer,
}

impl RedisStore {
    /// Connects. An error is a sentence: Redis is not there, wants another password, is too old, or would lose what
    /// it has confirmed.
    pub fn open(spec: &RedisSpec, keep: Keep) -> Result<RedisStore, Error> {
        let life = Arc::new(Life::new(&spec.prefix));
        let cannot = |trouble: Trouble| Error(format!("cannot use {spec}: it {trouble}"));
        let mut link = start::connect(spec).map_err(cannot)?;
        start::check(&mut link, spec)?;
        pulse::give(&mut link, &life, spec.lease, true).map_err(cannot)?;
        let followers = Followers::default();
        let counts = Arc::new(Counts::default());
        let (pulse, nudge) = pulse::start(spec, &life, &followers, &counts)?;
        Ok(RedisStore {
            keep,
            readers: Readers::start(spec, &counts)?,
            _notices: notices::start(spec, &life, &followers, nudge, &counts)?,
            _pulse: pulse,
            writer: Writer::start(spec, &life, &followers, keep, &counts)?,
            followers,
            life,
        })
    }

    /// Runs a step that reads, with these arguments after the prefix, and reads its answer.
    fn read<T: Send + 'static>(
        &self,
        step: Step,
        arguments: Vec<String>,
        read: impl Fn(&Life, Vec<Value>) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Error> {
        let life = self.life.clone();
        self.readers.read(move |link| {
            let command = link.step(step).arg(&life.prefix).arg(&arguments).take();
            read(&life, link.ask(&command)?)
        })
    }

    /// What the steps that read from one room begin with.
    fn of(&self, room: &RoomName) -> Vec<String> {
        vec![room.as_str().to_owned(), self.life.epoch().number().to_string()]
    }

    /// One page of a list of rooms.
    fn page(&self, order: Order, after: Option<&RoomName>, limit: usize) -> Result<Vec<RoomSummary>, Error> {
        let order = match order {
            Order::Name => "name",
            Order::Recent => "recent",
        };
        let after = after.map_or("", RoomName::as_str);
        let arguments =
            vec![self.life.epoch().number().to_string(), order.into(), after.into(), limit.to_string()];
        self.read(Step::Rooms, arguments, |life, answer| {
            let mut answer = answer.into_iter();
            let epoch = epoch(life, answer.next())?;
            let summary = |row| {
                let (name, latest, mark, at, people): (String, u64, u32, u64, usize) = rows::part(row)?;
                let room = RoomName::accepted_before(&name)
                    .map_err(|_| rows::unreadable(&"a room has an impossible name"))?;
                Ok(RoomSummary { room, latest: batch::place(epoch, latest, mark), at: Timestamp(at), people })
            };
            answer.map(summary).collect()
        })
    }

    /// Forgets what is too old in some rooms, in one trip for each small step.
    fn expire_in(&self, rooms: Vec<RoomName>, now: Timestamp) -> Result<(), Error> {
        let (life, keep) = (self.life.clone(), self.keep);
        self.readers.read(move |link| {
            let mut left = rooms.clone();
            while !left.is_empty() {
                let commands: Vec<Cmd> =
                    left.iter().map(|room| expire(link, &life, room, keep, now)).collect();
                let answers = link.ask_all(&commands)?.into_iter().map(link::read::<u8>);
                let has_more = answers.collect::<Result<Vec<_>, _>>()?;
                left = left
                    .into_iter()
                    .zip(has_more)
                    .filter(|(_, more)| *more == 1)
                    .map(|(room, _)| room)
                    .collect();
            }
            Ok(())
        })
    }
}

impl Store for RedisStore {
    fn epoch(&self) -> Epoch {
        self.life.epoch()
    }

    fn keep(&self) -> Keep {
        self.keep
    }

    fn seal(&self) -> Seal {
        self.life.seal.clone()
    }

    fn append(&self, room: &RoomName, seen: Cursor, drafts: Vec<Draft>, done: Done) {
        self.writer.append(room, seen, drafts, done);
    }

    fn follow(&self, room: &RoomName, hear: Hear) -> Following {
        self.followers.follow(room, hear)
    }

    fn tell_leaves(&self, room: &RoomName, who: &Person, wait: Duration) {
        self.writer.tell(&notices::leaves(&self.life, room, who, wait));
    }

    fn newest(&self, room: &RoomName, limit: usize) -> Result<Tail, Error> {
        let mut arguments = self.of(room);
        arguments.extend([self.life.instance().to_string(), most(limit), REPLY_BYTES.to_string()]);
        self.read(Step::Newest, arguments, |life, answer| {
            type Parts = (u32, u64, u32, Vec<Value>, Vec<Value>, Vec<Value>);
            let (epoch, latest, mark, entries, people, rules): Parts = rows::part(Value::Array(answer))?;
            let epoch = life.learn(epoch);
            let mut messages = rows::messages(entries, epoch)?;
            messages.reverse();
            let (present, rules) = (rows::people(people)?, rows::rules(rules, epoch)?);
            Ok(Tail { messages, latest: batch::place(epoch, latest, mark), present, rules })
        })
    }

    fn after(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        let mut read: Vec<Arc<Message>> = Vec::new();
        let mut bytes = 0;
        while read.len() < limit && bytes < REPLY_BYTES {
            let mut arguments = self.of(room);
            let from = read.last().map_or(sequence, |last| last.id.sequence);
            let asked = REDIS_READ.min(limit - read.len());
            arguments.extend([exact(from), most(asked), (REPLY_BYTES - bytes).to_string()]);
            let portion = self.read(Step::After, arguments, messages)?;
            let follows = |last: &Arc<Message>| portion.first().is_none_or(|first| first.follows(last.id));
            if !read.last().is_none_or(follows) {
                break;
            }
            let is_last = portion.len() < asked;
            bytes += portion.iter().map(|message| message.text.len()).sum::<usize>();
            read.extend(portion);
            if is_last {
                break;
            }
        }
        Ok(read)
    }

    fn before(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        let mut arguments = self.of(room);
        let notices = most(notices_in(limit));
        arguments.extend([exact(sequence), most(limit), notices, REPLY_BYTES.to_string()]);
        let mut messages = self.read(Step::Before, arguments, messages)?;
        messages.reverse();
        Ok(messages)
    }

    fn file(&self, room: &RoomName, sequence: u64, part: Range<u64>) -> Result<Option<Vec<u8>>, Error> {
        let key = format!("{}:{{{room}}}:file:{sequence}", self.life.prefix);
        self.readers.read(move |link| {
            let length: u64 = link.ask(cmd("STRLEN").arg(&key))?;
            if length < part.end {
                return Ok(None);
            }
            let mut bytes = Vec::with_capacity((part.end - part.start) as usize);
            for from in part.clone().step_by(FILE_PIECE) {
                let to = part.end.min(from + FILE_PIECE as u64) - 1;
                let piece: Vec<u8> = link.ask(cmd("GETRANGE").arg(&key).arg(from).arg(to))?;
                if piece.is_empty() {
                    // It was forgotten meanwhile.
                    return Ok(None);
                }
                bytes.extend(piece);
            }
            Ok(Some(bytes))
        })
    }

    fn newest_but(&self, room: &RoomName, kinds: Kinds, newer: usize) -> Result<Option<Cursor>, Error> {
        let mut arguments = self.of(room);
        arguments.extend([rows::letters(kinds), most(newer)]);
        self.read(Step::NewestBut, arguments, |life, answer| {
            let numbers: Vec<u64> = rows::part(Value::Array(answer))?;
            let small = |number: u64| u32::try_from(number).map_err(|_| rows::unreadable(&number));
            let epoch = life.learn(small(numbers.first().copied().unwrap_or_default())?);
            match numbers[..] {
                [_, sequence, mark] => Ok(Some(batch::place(epoch, sequence, small(mark)?))),
                _ => Ok(None),
            }
        })
    }

    fn rooms(&self, order: Order, after: Option<&RoomName>, limit: usize) -> Result<Vec<RoomSummary>, Error> {
        let mut rooms: Vec<RoomSummary> = Vec::new();
        while rooms.len() < limit {
            let after = rooms.last().map(|summary| summary.room.clone()).or_else(|| after.cloned());
            let asked = REDIS_SWEEP.min(limit - rooms.len());
            let page = self.page(order, after.as_ref(), asked)?;
            let is_last = page.len() < asked;
            rooms.extend(page);
            if is_last {
                break;
            }
        }
        Ok(rooms)
    }

    /// None: an instance that begins holds nobody. Those whom one held that has ended are looked after by all.
    fn peopled(&self, _: usize) -> Result<Vec<RoomName>, Error> {
        Ok(Vec::new())
    }

    /// Redis itself forgets the senders' ids.
    fn expire(&self, now: Timestamp, _: Timestamp) -> Result<(), Error> {
        if self.keep.age.is_none() {
            return Ok(());
        }
        let mut after = None;
        loop {
            let page = self.page(Order::Name, after.as_ref(), REDIS_SWEEP)?;
            let is_last = page.len() < REDIS_SWEEP;
            let rooms: Vec<RoomName> = page.into_iter().map(|summary| summary.room).collect();
            after = rooms.last().cloned();
            self.expire_in(rooms, now)?;
            if is_last {
                return Ok(());
            }
        }
    }

    fn stats(&self) -> Stats {
        self.writer.stats()
    }
}

/// Reads what `after.lua` and `before.lua` answer.
fn messages(life: &Life, answer: Vec<Value>) -> Result<Vec<Arc<Message>>, Trouble> {
    let mut answer = answer.into_iter();
    let epoch = epoch(life, answer.next())?;
    rows::messages(rows::part(answer.next().unwrap_or_default())?, epoch)
}

fn epoch(life: &Life, answer: Option<Value>) -> Result<Epoch, Trouble> {
    Ok(life.learn(rows::part(answer.unwrap_or_default())?))
}

fn expire(link: &Link, life: &Life, room: &RoomName, keep: Keep, now: Timestamp) -> Cmd {
    let mut command = link.step(Step::Expire).arg(&life.prefix).arg(room.as_str()).take();
    batch::limits(&mut command, keep, Some(now));
    command.arg(REDIS_SWEEP);
    command
}

fn most(limit: usize) -> String {
    batch::most(limit).to_string()
}

/// A sequence as Lua counts it.
fn exact(sequence: u64) -> String {
    sequence.min(batch::MOST).to_string()
}
