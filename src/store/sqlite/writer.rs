//! The one thread that writes, and shares each wait for the disk among all who wait for it.
//!
//! ```text
//! room thread ──┐                        ┌─ everything that waits ─┐
//! room thread ──┼─▶ mailbox ─▶ writer ─▶ │ BEGIN ... COMMIT, fsync │ ─▶ an answer to each
//! room thread ──┘                        └─────────────────────────┘
//! ```

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rusqlite::{Connection, TransactionBehavior};

use super::ledger::Ledger;
use super::{open, schema};
use crate::message::{Draft, Epoch, RoomName, Timestamp};
use crate::store::{Appended, Error, Keep, Stats};

/// How many letters the mailbox holds and one transaction takes. Each caller has one letter at most
/// in it, so more callers than this wait at the mailbox instead of in it.
const MAILBOX: usize = 1024;

/// How often it looks whether the file is still in its place while nobody writes.
const LOOK: Duration = Duration::from_secs(1);

/// SQLite is at home in the stack of an ordinary thread, whatever `RUST_MIN_STACK` says.
const STACK_BYTES: usize = 1024 * 1024;

/// Work for the writer, and where its outcome goes.
struct Letter {
    task: Task,
    answer: Sender<Answer>,
}

/// How a letter's work ended.
type Answer = Result<Done, Error>;

enum Done {
    Appended(Vec<Appended>),
    /// After which room to go on.
    Expired(Option<i64>),
}

impl Letter {
    /// How many messages are kept by how its work ended.
    fn kept(&self, answer: &Answer) -> usize {
        match &self.task {
            Task::Append { room, .. } if room.is_internal() => 0,
            _ => match answer {
                Ok(Done::Appended(appended)) => appended.iter().filter_map(Appended::stored).count(),
                _ => 0,
            },
        }
    }
}

enum Task {
    Append { room: RoomName, drafts: Vec<Draft> },
    Expire { now: Timestamp, steady: Timestamp, after: i64 },
}

/// The handle by which every other thread writes. Dropping it ends the thread and closes the file.
pub(super) struct Writer {
    /// `None` only while this is dropped.
    mailbox: Option<Sender<Letter>>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    commits: AtomicU64,
    messages: AtomicU64,
    failures: AtomicU64,
    busy_micros: AtomicU64,
}

impl Writer {
    /// Starts the thread on a connection that [`open::writer`] made.
    pub(super) fn start(
        connection: Connection,
        path: &Path,
        epoch: Epoch,
        keep: Keep,
    ) -> Result<Writer, Error> {
        let (mailbox, letters) = bounded(MAILBOX);
        let counts = Arc::new(Counts::default());
        let mut pen = Pen {
            connection,
            path: path.to_owned(),
            epoch,
            keep,
            counts: counts.clone(),
            place: Place::of(path),
            is_failing: false,
            is_in_doubt: false,
        };
        let thread = thread::Builder::new()
            .name("store-writer".into())
            .stack_size(STACK_BYTES)
            .spawn(move || pen.run(&letters))
            .map_err(|error| Error(format!("cannot start the store's thread: {error}")))?;
        Ok(Writer { mailbox: Some(mailbox), thread: Some(thread), counts })
    }

    /// Returns when the drafts are on the disk, or are not stored.
    pub(super) fn append(&self, room: &RoomName, drafts: &[Draft]) -> Result<Vec<Appended>, Error> {
        match self.ask(Task::Append { room: room.clone(), drafts: drafts.to_vec() })? {
            Done::Appended(appended) => Ok(appended),
            Done::Expired(_) => Ok(Vec::new()),
        }
    }

    pub(super) fn expire(&self, now: Timestamp, steady: Timestamp) -> Result<(), Error> {
        let mut after = 0;
        // Each step is a letter of its own, so that no message waits for more than one.
        while let Done::Expired(Some(next)) = self.ask(Task::Expire { now, steady, after })? {
            after = next;
        }
        Ok(())
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            commits: self.counts.commits.load(Relaxed),
            messages: self.counts.messages.load(Relaxed),
            failures: self.counts.failures.load(Relaxed),
            busy: Duration::from_micros(self.counts.busy_micros.load(Relaxed)),
        }
    }

    fn ask(&self, task: Task) -> Answer {
        let gone = || Error("the store's thread has ended".into());
        let (answer, outcome) = bounded(1);
        let mailbox = self.mailbox.as_ref().ok_or_else(gone)?;
        mailbox.send(Letter { task, answer }).map_err(|_| gone())?;
        outcome.recv().map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.mailbox = None;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}

/// Which files the connection writes to. A file that was removed or replaced under a running server
/// takes every commit, and nobody who opens the path finds it.
struct Place {
    file: Option<Identity>,
    /// The write-ahead log, once there is one.
    log: Option<Identity>,
}

/// Names a file, whatever its path: its device and inode.
type Identity = (u64, u64);

impl Place {
    fn of(path: &Path) -> Place {
        Place { file: identity(path), log: None }
    }

    /// Makes sure that the path still names the files that are written to.
    fn holds(&mut self, path: &Path) -> Result<(), Error> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = identity(Path::new(&log));
        if identity(path) == self.file && (self.log.is_none() || log == self.log) {
            self.log = self.log.or(log);
            return Ok(());
        }
        Err(Error(format!(
            "{} was removed or replaced while this server uses it: put the file back with its -wal, or \
             start the server anew to use what is there",
            path.display()
        )))
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> Option<Identity> {
    None
}

/// What the thread owns.
struct Pen {
    connection: Connection,
    path: PathBuf,
    epoch: Epoch,
    keep: Keep,
    counts: Arc<Counts>,
    place: Place,
    /// Whether the last transaction failed: so that a trouble is logged once, and its end too.
    is_failing: bool,
    /// Whether a COMMIT failed, and nothing has been written over what it may have left in the log.
    is_in_doubt: bool,
}

impl Pen {
    fn run(&mut self, mailbox: &Receiver<Letter>) {
        loop {
            let first = match mailbox.recv_timeout(LOOK) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    self.look();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut letters = vec![first];
            letters.extend(mailbox.try_iter().take(MAILBOX - 1));
            let began = Instant::now();
            // Before, so that nothing goes where nobody finds it; and after, so that nothing is answered
            // `ok` that went there meanwhile.
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
            self.count(&letters, &outcome, began.elapsed());
            // Whoever asked may have gone by now, which loses nothing.
            match outcome {
                Ok(answers) => {
                    for (letter, answer) in letters.into_iter().zip(answers) {
                        letter.answer.send(answer).ok();
                    }
                }
                Err(error) => {
                    for letter in letters {
                        letter.answer.send(Err(error.clone())).ok();
                    }
                }
            }
        }
    }

    /// Says in the log that the file is gone, if nobody has asked for anything since.
    fn look(&mut self) {
        match self.place.holds(&self.path) {
            Err(error) if !self.is_failing => {
                tracing::error!("nothing can be stored: {error}");
                self.is_failing = true;
            }
            _ => {}
        }
    }

    /// All letters in one transaction, each for itself: what fails in one is not done, and the others
    /// are. Its end waits for the disk.
    fn commit(&mut self, letters: &[Letter]) -> rusqlite::Result<Vec<Answer>> {
        let before = self.connection.total_changes();
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let ledger = Ledger { transaction: &transaction, epoch: self.epoch, keep: self.keep };
        let answers = letters
            .iter()
            .map(|letter| {
                let outcome = ledger.part(|ledger| match &letter.task {
                    Task::Append { room, drafts } if room.is_internal() => {
                        ledger.check(drafts).map(Done::Appended)
                    }
                    Task::Append { room, drafts } => ledger.append(room, drafts).map(Done::Appended),
                    Task::Expire { now, steady, after } => {
                        ledger.expire(*now, *steady, *after).map(Done::Expired)
                    }
                })?;
                Ok(outcome.map_err(|error| open::sentence(&self.path, &error)))
            })
            .collect::<rusqlite::Result<_>>()?;
        let committed = transaction.commit();
        self.is_in_doubt = committed.is_err();
        committed?;
        // What has changed nothing, as most sweeps, has waited for no disk.
        let is_written = self.connection.total_changes() != before;
        self.counts.commits.fetch_add(u64::from(is_written), Relaxed);
        Ok(answers)
    }

    /// Makes sure that nothing of a failed transaction comes back, and says what the failure was.
    ///
    /// When COMMIT fails in its wait for the disk, the log may already hold the whole transaction.
    /// This process does not look there any more and writes over it next; but after a crash before
    /// that it would be read as committed, although it was answered as failed. So it is written over
    /// by the smallest transaction there is, before anybody gets an answer. Should that fail too and
    /// the process crash before any other write, such a message can still appear, once, and with
    /// its `send_id`: a failing disk allows no better promise.
    fn undo(&mut self, error: &rusqlite::Error) -> Error {
        let sentence = open::sentence(&self.path, error);
        if !self.connection.is_autocommit() {
            // The roll-back failed as well, so what this connection would do next is unknown.
            match open::writer(&self.path) {
                Ok((connection, _)) => {
                    self.connection = connection;
                    self.place.log = None;
                }
                Err(error) => tracing::error!("the store does not open again yet: {error}"),
            }
        }
        if self.is_in_doubt {
            self.is_in_doubt = self.connection.execute(schema::UNDO, ()).is_err();
        }
        sentence
    }

    fn count(&mut self, letters: &[Letter], outcome: &Result<Vec<Answer>, Error>, took: Duration) {
        let counts = &self.counts;
        match outcome {
            Ok(answers) => {
                let stored: usize =
                    letters.iter().zip(answers).map(|(letter, answer)| letter.kept(answer)).sum();
                let failed = answers.iter().filter(|answer| answer.is_err()).count();
                counts.failures.fetch_add(failed as u64, Relaxed);
                counts.messages.fetch_add(stored as u64, Relaxed);
                if self.is_failing {
                    tracing::info!("messages can be stored again");
                }
            }
            Err(_) => {
                counts.failures.fetch_add(1, Relaxed);
            }
        }
        self.is_failing = outcome.is_err();
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        counts.busy_micros.fetch_add(micros, Relaxed);
    }
}
