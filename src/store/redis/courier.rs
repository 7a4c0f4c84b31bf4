//! The thread that writes. It carries the batches of many rooms to Redis in one trip.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crossbeam_channel::Receiver;
use redis::{Cmd, Value};

use super::batch::{Answer, Batch};
use super::durability::{self, Confirmed};
use super::followers::Followers;
use super::life::Life;
use super::link::{self, Link};
use super::pulse;
use super::spec::RedisSpec;
use super::trouble::Trouble;
use crate::config::{REDIS_PATIENCE, REDIS_PAUSES, REDIS_TRIP};
use crate::message::RoomName;
use crate::store::counts::Counts;
use crate::store::writing::once;
use crate::store::{Arrived, Error, Keep};

/// Work for the thread.
pub(super) enum Letter {
    Append(Batch),
    /// It is told if that can be done at once.
    Notice(Cmd),
}

/// What the thread owns.
pub(super) struct Courier {
    spec: RedisSpec,
    life: Arc<Life>,
    followers: Followers,
    keep: Keep,
    counts: Arc<Counts>,
    link: Option<Link>,
    /// Whether there was a connection before this one.
    has_connected: bool,
    away: Option<Away>,
}

/// Redis can't be used.
#[derive(Clone, Copy)]
struct Away {
    since: Instant,
    /// Before this another try to connect is of no use.
    until: Instant,
}

impl Courier {
    pub(super) fn new(
        spec: RedisSpec,
        life: Arc<Life>,
        followers: Followers,
        keep: Keep,
        counts: Arc<Counts>,
    ) -> Courier {
        Courier { spec, life, followers, keep, counts, link: None, has_connected: false, away: None }
    }

    /// Works until every handle is dropped.
    pub(super) fn run(&mut self, mailbox: &Receiver<Letter>) {
        // If this is not the first time, it has panicked: nobody knows what comes next on that connection, nor what
        // became of the batches.
        if self.link.take().is_some() {
            self.followers.doubt_all();
        }
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                match mailbox.recv() {
                    Ok(letter) => waiting.push_back(letter),
                    Err(_) => return,
                }
            }
            waiting.extend(mailbox.try_iter());
            let (batches, notices) = pack(&mut waiting);
            self.carry(batches, &notices);
        }
    }

    /// Carries batches to Redis until each has its outcome.
    fn carry(&mut self, mut batches: Vec<Batch>, notices: &[Cmd]) {
        let began = Instant::now();
        for batch in &mut batches {
            batch.take_number(&self.life);
            batch.wants_people = self.followers.take_doubt(&batch.room);
        }
        let mut pause = REDIS_PAUSES.0;
        loop {
            let why = match self.try_once(&mut batches, notices) {
                Ok(()) if batches.is_empty() => break,
                // This instance has a new name by now.
                Ok(()) => continue,
                Err(trouble) => trouble.to_string(),
            };
            self.link = None;
            if self.away.is_none() {
                tracing::warn!("{} {why}", self.spec);
            }
            let now = Instant::now();
            let away = self.away.get_or_insert(Away { since: now, until: now });
            if away.since.elapsed() >= REDIS_PATIENCE {
                for batch in batches.drain(..) {
                    self.fail(batch, Error(format!("{} {why}", self.spec)));
                }
                break;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(REDIS_PAUSES.1);
        }
        self.counts.works(began.elapsed());
    }

    /// One trip. Those that have an outcome by it are told and gone from the list. The error is the trouble of all
    /// others, which are to go again.
    fn try_once(&mut self, batches: &mut Vec<Batch>, notices: &[Cmd]) -> Result<(), Trouble> {
        let mut link = match self.link.take() {
            Some(link) => link,
            None => self.connect()?,
        };
        let mut lost = None;
        for batch in std::mem::take(batches) {
            match bring_files(&mut link, &batch.files(&self.life)) {
                Ok(()) => batches.push(batch),
                Err(trouble) if trouble.is_refusal() => {
                    self.fail(batch, Error(format!("{} {trouble}", self.spec)));
                }
                Err(trouble) => {
                    batches.push(batch);
                    lost = Some(trouble);
                }
            }
        }
        if let Some(trouble) = lost {
            return Err(trouble);
        }
        let mut commands: Vec<Cmd> =
            batches.iter().map(|batch| batch.command(&link, &self.life, self.keep)).collect();
        let writes = batches.iter().any(Batch::writes);
        let wait = durability::command(self.spec.durability).filter(|_| writes);
        commands.extend(wait.clone());
        commands.extend(notices.iter().cloned());
        let mut answers = link.ask_all(&commands)?.into_iter();
        let said: Vec<Value> = answers.by_ref().take(batches.len()).collect();
        let confirmed = match wait {
            Some(_) => durability::confirmed(self.spec.durability, answers.next()),
            None => Confirmed::Yes,
        };
        self.link = Some(link);
        self.is_back();
        self.settle(batches, said, &confirmed)
    }

    /// Connects. When Redis has been away for long, nobody waits for each try.
    fn connect(&mut self) -> Result<Link, Trouble> {
        if let Some(away) = self.away
            && away.since.elapsed() >= REDIS_PATIENCE
            && Instant::now() < away.until
        {
            return Err(Trouble::Lost("is away".into()));
        }
        let opened = Link::open(&self.spec);
        if let (Err(_), Some(away)) = (&opened, &mut self.away) {
            away.until = Instant::now() + REDIS_PAUSES.1;
        }
        // Another Redis may answer now, or the same one without its last writes.
        if opened.is_ok() && std::mem::replace(&mut self.has_connected, true) {
            self.followers.doubt_all();
        }
        opened
    }

    fn is_back(&mut self) {
        if self.away.take().is_some() {
            tracing::info!("{} answers again", self.spec);
        }
    }

    /// Tells those whose outcome is known, and keeps the others.
    fn settle(
        &mut self,
        batches: &mut Vec<Batch>,
        said: Vec<Value>,
        confirmed: &Confirmed,
    ) -> Result<(), Trouble> {
        let mut lost = None;
        let mut has_written = false;
        for (mut batch, said) in std::mem::take(batches).into_iter().zip(said) {
            match link::read(said).and_then(|said| batch.answer(said, &self.life)) {
                Ok(Answer::Arrived(arrived)) => match confirmed {
                    Confirmed::No(why) if batch.writes() => {
                        self.fail(batch, Error(format!("{} {why}", self.spec)));
                    }
                    _ => {
                        // Counted before anybody hears of it.
                        if batch.writes() && !std::mem::replace(&mut has_written, true) {
                            self.counts.commits();
                        }
                        self.succeed(batch, arrived);
                    }
                },
                Ok(Answer::Lapsed) => match self.revive(batch.instance()) {
                    Ok(()) => {
                        batch.begin_anew(&self.life);
                        batches.push(batch);
                    }
                    Err(trouble) => {
                        lost = Some(trouble);
                        batches.push(batch);
                    }
                },
                Err(Trouble::Refused(why)) => self.fail(batch, Error(format!("{} {why}", self.spec))),
                Err(trouble) => {
                    lost = Some(trouble);
                    batches.push(batch);
                }
            }
        }
        lost.map_or(Ok(()), Err)
    }

    /// Takes a new name, and makes it known.
    fn revive(&mut self, dead: &str) -> Result<(), Trouble> {
        let link = self.link.as_mut().ok_or_else(|| Trouble::Lost("is away".into()))?;
        pulse::revive(link, &self.life, &self.followers, dead, self.spec.lease).map(|_| ())
    }

    fn succeed(&self, batch: Batch, arrived: Arrived) {
        self.counts.keeps(batch.kept(&arrived));
        once("writer", &self.counts, || batch.tell(Ok(arrived)));
    }

    fn fail(&self, batch: Batch, error: Error) {
        self.counts.fails(1);
        // It may be stored all the same, now or later.
        self.followers.doubt(batch.room.as_str());
        once("writer", &self.counts, || batch.tell(Err(error)));
    }
}

/// Brings Redis the files of a batch.
fn bring_files(link: &mut Link, commands: &[Cmd]) -> Result<(), Trouble> {
    // Two for each piece: few enough that Redis's answers never stand in the way of what is sent.
    for commands in commands.chunks(2) {
        for answer in link.ask_all(commands)? {
            link::read::<Value>(answer)?;
        }
    }
    Ok(())
}

/// Takes what goes in the next trip: of each room one batch, since Redis knows a room's last batch only.
fn pack(waiting: &mut VecDeque<Letter>) -> (Vec<Batch>, Vec<Cmd>) {
    let (mut batches, mut notices) = (Vec::new(), Vec::new());
    let mut rooms: HashSet<RoomName> = HashSet::new();
    for letter in std::mem::take(waiting) {
        match letter {
            Letter::Notice(notice) => notices.push(notice),
            Letter::Append(batch) if batches.len() < REDIS_TRIP && rooms.insert(batch.room.clone()) => {
                batches.push(batch);
            }
            later => waiting.push_back(later),
        }
    }
    (batches, notices)
}
