//! The stage: what a lesson has for the whole process, from its start to its end.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use super::failures::Failure;
use super::frame::Program;
use super::levers::{Levers, Moved};
use super::process::Process;
use crate::metrics::{process, watch_cells};
use crate::room::mailbox;
use crate::store::Store;
use crate::wire::refusal::Refusal;
use crate::wire::reply::Reply;

/// A process is one server, so there is one stage.
static STAGE: OnceLock<Setting> = OnceLock::new();

/// What is on the stage.
pub struct Setting {
    began: Instant,
    /// The process, as the kernel sees it.
    pub process: Process,
    levers: Mutex<Levers>,
    failures: [AtomicBool; Failure::ALL.len()],
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
        let setting = Setting {
            began: Instant::now(),
            process: Process::new()?,
            levers: Mutex::default(),
            failures: Default::default(),
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
        if let Ok(stage) = stage() {
            stage.store.get_or_init(|| threads().saturating_sub(stage.before));
        }
        store
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
    Ok(json(serde_json::json!(*levers)))
}

/// Begins a failure, or ends it, and says whether it is there now.
pub fn fail(failure: Failure, on: bool) -> Result<Reply, Refusal> {
    stage()?.failures[failure as usize].store(on, SeqCst);
    Ok(json(serde_json::json!({ "on": on })))
}

impl Setting {
    /// How long it has been there, in milliseconds.
    pub fn age(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Where the levers stand.
    pub fn levers(&self) -> Levers {
        *self.levers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which failures there are.
    pub fn failures(&self) -> BTreeMap<&'static str, bool> {
        Failure::ALL.map(|(failure, name)| (name, self.failures[failure as usize].load(SeqCst))).into()
    }

    /// The threads of the program itself.
    pub fn program(&self) -> Program {
        let store = self.store.get().copied().unwrap_or(0);
        Program { store, other: self.before, addresses: self.addresses }
    }
}

fn threads() -> usize {
    process::threads().and_then(|threads| usize::try_from(threads).ok()).unwrap_or(0)
}

fn json(value: serde_json::Value) -> Reply {
    Reply::new(200, "application/json", value.to_string().into_bytes())
}
