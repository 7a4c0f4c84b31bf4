//! The stage: what a lesson has for the whole process, from its start to its end.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use super::crowd::Order;
use super::doubtful::Doubtful;
use super::failures::{Failure, Failures};
use super::frame::Program;
use super::levers::{Levers, Moved};
use super::machine::Machine;
use super::process::Process;
use super::stagehand::Stagehand;
use crate::address;
use crate::message::RoomName;
use crate::metrics::{process, watch_cells};
use crate::room::mailbox;
use crate::store::Store;
use crate::wire::path::room_path;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{JSON, Reply};

/// A process is one server, so there is one stage.
static STAGE: OnceLock<Setting> = OnceLock::new();

/// What is on the stage.
pub struct Setting {
    began: Instant,
    /// The process, as the kernel sees it.
    pub process: Process,
    /// Who starts the crowd.
    pub stagehand: Stagehand,
    /// Which failures there are.
    pub failures: Failures,
    levers: Mutex<Levers>,
    machine: Machine,
    /// The threads before the store was opened, and at how many addresses it listens.
    before: usize,
    addresses: usize,
    /// The threads of the store.
    store: OnceLock<usize>,
}

/// The stage. When this is dropped, all is as it was before the lesson.
pub struct Stage(());

impl Stage {
    /// Sets the stage for a server that listens at these addresses. Call it before the store is opened. From then on
    /// who waits is counted, and what lies in the mailboxes.
    pub fn set(addresses: &[SocketAddr]) -> io::Result<Stage> {
        let room = |address: &SocketAddr| {
            format!("http://{}{}", address::from_here(*address), room_path(&RoomName::lobby()))
        };
        let setting = Setting {
            began: Instant::now(),
            process: Process::new()?,
            stagehand: Stagehand::start(addresses.first().map(room), give_files_back)?,
            failures: Failures::default(),
            levers: Mutex::default(),
            machine: Machine::default(),
            before: threads(),
            addresses: addresses.len(),
            store: OnceLock::new(),
        };
        STAGE.get_or_init(|| setting);
        watch_cells();
        mailbox::watch();
        tracing::warn!("a lesson: anybody on this machine can break this server on purpose, at /backstage");
        Ok(Stage(()))
    }

    /// Puts the store on it, once it is open.
    pub fn put_on(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        let Ok(stage) = stage() else { return store };
        stage.store.get_or_init(|| threads().saturating_sub(stage.before));
        Arc::new(Doubtful::new(store, &stage.failures))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let Ok(stage) = stage() else { return };
        stage.stagehand.end();
        for failure in [Failure::Files, Failure::Pin] {
            // A program that takes over would have less. What can't be given back can't be helped here.
            let _ = stage.switch(failure, false);
        }
    }
}

/// What is on the stage.
pub(super) fn stage() -> Result<&'static Setting, Refusal> {
    STAGE.get().ok_or(Refusal::NotFound)
}

/// Moves levers, and says where they stand.
pub fn move_levers(moved: Moved) -> Result<Reply, Refusal> {
    let stage = stage()?;
    let mut levers = stage.levers.lock().unwrap_or_else(PoisonError::into_inner);
    *levers = moved.from(*levers);
    // Within the lock, so that the last move is the last that the crowd hears of.
    stage.stagehand.tell(Order::Levers(*levers));
    Ok(json(serde_json::json!(*levers)))
}

/// Begins a failure, or ends it, and says whether it is there now.
pub fn fail(failure: Failure, on: bool) -> Result<Reply, Refusal> {
    stage()?.switch(failure, on).map_err(|error| {
        tracing::warn!(%error, failure = failure.name(), "the lesson can't have this failure");
        Refusal::TryAgain
    })?;
    Ok(json(serde_json::json!({ "on": on })))
}

fn give_files_back() {
    if let Ok(stage) = stage() {
        let _ = stage.switch(Failure::Files, false);
    }
}

impl Setting {
    fn switch(&self, failure: Failure, on: bool) -> io::Result<()> {
        match failure {
            Failure::Stall | Failure::Vanish | Failure::Slow | Failure::Burst => {
                self.stagehand.tell(Order::Failure(failure, on));
            }
            Failure::Files => {
                self.machine.limit_files(on)?;
                self.stagehand.tell(Order::Failure(failure, on));
            }
            Failure::Pin => self.machine.pin(on, self.stagehand.id())?,
            // The store asks.
            Failure::Panic | Failure::Store => {}
        }
        self.failures.switch(failure, on);
        Ok(())
    }

    /// How long it has been there, in milliseconds.
    pub fn age(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Where the levers stand.
    pub fn levers(&self) -> Levers {
        *self.levers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The threads of the program itself.
    pub fn program(&self) -> Program {
        let store = self.store.get().copied().unwrap_or(0);
        // One thread listens to the crowd.
        let other = self.before + usize::from(self.stagehand.heard.is_there());
        Program { store, other, addresses: self.addresses }
    }
}

fn threads() -> usize {
    process::threads().and_then(|threads| usize::try_from(threads).ok()).unwrap_or(0)
}

fn json(value: serde_json::Value) -> Reply {
    Reply::new(200, JSON, value.to_string().into_bytes())
}
