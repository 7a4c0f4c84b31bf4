//! The thread that writes. Everything that waits for it shares one wait for the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rusqlite::{Connection, TransactionBehavior};

use super::gather::Gather;
use super::ledger::Ledger;
use super::place::Place;
use super::{open, schema};
use crate::config::{LOCK_PATIENCE, WRITER_LOOK};
use crate::message::{Draft, Epoch, RoomName, Timestamp};
use crate::store::counts::Counts;
use crate::store::writing::once;
use crate::store::{Appended, Arrived, Done, Error, Keep};

/// Work for the thread, and where its outcome goes.
pub(super) enum Letter {
    Append {
        room: RoomName,
        drafts: Vec<Draft>,
        done: Done,
    },
    /// One step of forgetting, in the rooms after this one.
    Expire {
        now: Timestamp,
        steady: Timestamp,
        after: i64,
        answer: Sender<Result<Option<i64>, Error>>,
    },
}

/// How a letter's work ended.
type Answer = Result<Outcome, Error>;

enum Outcome {
    Appended(Arrived),
    /// After which room to go on.
    Expired(Option<i64>),
}

impl Letter {
    /// How many messages are kept by how its work ended.
    fn kept(&self, answer: &Answer) -> usize {
        match (self, answer) {
            (Letter::Append { room, .. }, Ok(Outcome::Appended(arrived))) if !room.is_internal() => {
                arrived.outcomes.iter().filter_map(Appended::stored).count()
            }
            _ => 0,
        }
    }

    /// Tells the outcome. Whoever asked may have gone by now, which loses nothing.
    fn tell(self, answer: Answer) {
        match (self, answer) {
            (Letter::Append { done, .. }, Ok(Outcome::Appended(arrived))) => done.call(Ok(arrived)),
            (Letter::Append { done, .. }, Err(error)) => done.call(Err(error)),
            (Letter::Expire { answer, .. }, Ok(Outcome::Expired(next))) => drop(answer.send(Ok(next))),
            (Letter::Expire { answer, .. }, Err(error)) => drop(answer.send(Err(error))),
            // Each letter's work has an outcome of its kind. Dropped, this tells of an error.
            _ => {}
        }
    }
}

/// Whether something that was said before is not any more.
fn changes_a_text(answer: &Answer) -> bool {
    let Ok(Outcome::Appended(arrived)) = answer else { return false };
    arrived.outcomes.iter().filter_map(Appended::stored).any(|message| message.kind.is_change())
}

/// What the thread owns.
pub(super) struct Pen {
    connection: Connection,
    path: PathBuf,
    epoch: Epoch,
    keep: Keep,
    counts: Arc<Counts>,
    place: Place,
    /// For whom the next commit may wait a moment.
    gather: Gather,
    /// Whether the last transaction failed. So a trouble is logged once, and its end too.
    is_failing: bool,
    /// Whether a COMMIT failed, and what it may have left in the log is not overwritten yet.
    is_in_doubt: bool,
    /// Whether the log may still hold a text that was edited or deleted.
    has_traces: bool,
}

impl Pen {
    pub(super) fn new(
        connection: Connection,
        path: &Path,
        epoch: Epoch,
        keep: Keep,
        counts: Arc<Counts>,
    ) -> Pen {
        Pen {
            connection,
            path: path.to_owned(),
            epoch,
            keep,
            counts,
            place: Place::of(path),
            gather: Gather::default(),
            is_failing: false,
            is_in_doubt: false,
            has_traces: false,
        }
    }

    /// Works until every handle is dropped.
    pub(super) fn run(&mut self, mailbox: &Receiver<Letter>) {
        loop {
            let first = match mailbox.recv_timeout(WRITER_LOOK) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    self.look();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut letters = vec![first];
            letters.extend(mailbox.try_iter());
            self.gather.wait(&mut letters, mailbox);
            let began = Instant::now();
            // Looks before, so that nothing is written where nobody finds it, and after, so that nothing is
            // answered `ok` that was written there meanwhile.
            let outcome = self
                .place
                .holds(&self.path)
                .and_then(|()| self.commit(&letters).map_err(|error| self.undo(&error)))
                .and_then(|answers| self.place.holds(&self.path).map(|()| answers));
            if let Err(error) = &outcome
                && !self.is_failing
            {
                tracing::error!("nothing can be stored: {error}");
            }
            let took = began.elapsed();
            self.count(&letters, &outcome, took);
            self.gather.plan(letters.len(), mailbox.len(), took);
            let answers: Vec<Answer> =
                outcome.unwrap_or_else(|error| letters.iter().map(|_| Err(error.clone())).collect());
            for (letter, answer) in letters.into_iter().zip(answers) {
                // A panic of one who asked harms nobody else.
                once("writer", &self.counts, || letter.tell(answer));
            }
        }
    }

    /// Nobody writes: logs once that the file is gone, and empties the log of what was deleted.
    fn look(&mut self) {
        if self.has_traces {
            self.has_traces = !self.empties_the_log().unwrap_or(false);
        }
        match self.place.holds(&self.path) {
            Err(error) if !self.is_failing => {
                tracing::error!("nothing can be stored: {error}");
                self.is_failing = true;
            }
            _ => {}
        }
    }

    /// Does all letters in one transaction. A letter that fails is undone, and the others are not. The commit
    /// waits for the disk.
    fn commit(&mut self, letters: &[Letter]) -> rusqlite::Result<Vec<Answer>> {
        let before = self.connection.total_changes();
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let ledger = Ledger { transaction: &transaction, epoch: self.epoch, keep: self.keep };
        // What stands alone is undone with the transaction. A part would have SQLite keep what each page was before.
        let is_alone = letters.len() == 1;
        let answers: Vec<Answer> = letters
            .iter()
            .map(|letter| {
                let act = |ledger: &Ledger<'_>| match letter {
                    Letter::Append { room, drafts, .. } if room.is_internal() => {
                        ledger.check(drafts).map(Outcome::Appended)
                    }
                    Letter::Append { room, drafts, .. } => ledger.append(room, drafts).map(Outcome::Appended),
                    Letter::Expire { now, steady, after, .. } => {
                        ledger.expire(*now, *steady, *after).map(Outcome::Expired)
                    }
                };
                let outcome = if is_alone { ledger.whole(act) } else { ledger.part(act) }?;
                Ok(outcome.map_err(|error| open::sentence(&self.path, &error)))
            })
            .collect::<rusqlite::Result<_>>()?;
        if is_alone && answers.iter().any(Result::is_err) {
            transaction.rollback()?;
            return Ok(answers);
        }
        let committed = transaction.commit();
        self.is_in_doubt = committed.is_err();
        committed?;
        // A transaction that changed nothing, as most sweeps, did not wait for the disk.
        let is_written = self.connection.total_changes() != before;
        if is_written {
            self.counts.commits();
        }
        self.has_traces |= answers.iter().any(changes_a_text);
        Ok(answers)
    }

    /// Makes sure that nothing of a failed transaction comes back, and says what the failure was.
    ///
    /// When COMMIT fails in its wait for the disk, the log may already hold the whole transaction. This process
    /// does not look there any more, and its next write overwrites it. But after a crash before that, the
    /// transaction would be read as committed, although it was answered as failed. So it is overwritten by the
    /// smallest possible transaction before anybody gets an answer. If that fails too, and the process crashes
    /// before any other write, such a message can still appear, once, and with its `send_id`. A failing disk
    /// allows no better promise.
    fn undo(&mut self, error: &rusqlite::Error) -> Error {
        let sentence = open::sentence(&self.path, error);
        if !self.connection.is_autocommit() {
            // The rollback failed too, so nobody knows what this connection would do next.
            match open::writer(&self.path) {
                Ok((connection, ..)) => {
                    self.connection = connection;
                    self.place.forget_log();
                }
                Err(error) => tracing::error!("the store does not open again yet: {error}"),
            }
        }
        if self.is_in_doubt {
            self.is_in_doubt = self.connection.execute(schema::UNDO, ()).is_err();
        }
        sentence
    }

    /// Folds the log into the file and cuts it off, unless somebody reads from it just now. Whether that was done.
    fn empties_the_log(&self) -> rusqlite::Result<bool> {
        self.connection.busy_timeout(Duration::ZERO)?;
        let outcome = self.connection.query_row(schema::EMPTY_LOG, (), |row| row.get::<_, bool>(0));
        self.connection.busy_timeout(LOCK_PATIENCE)?;
        outcome.map(|is_busy| !is_busy)
    }

    fn count(&mut self, letters: &[Letter], outcome: &Result<Vec<Answer>, Error>, took: Duration) {
        let counts = &self.counts;
        match outcome {
            Ok(answers) => {
                let stored: usize =
                    letters.iter().zip(answers).map(|(letter, answer)| letter.kept(answer)).sum();
                let failed = answers.iter().filter(|answer| answer.is_err()).count();
                counts.fails(failed);
                counts.keeps(stored);
                if self.is_failing {
                    tracing::info!("messages can be stored again");
                }
            }
            Err(_) => counts.fails(1),
        }
        self.is_failing = outcome.is_err();
        counts.works(took);
    }
}
