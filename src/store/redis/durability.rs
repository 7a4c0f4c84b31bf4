//! Waiting for replicas and for the file on the disk, where that is asked for.

use redis::{Cmd, Value, cmd};

use super::link;
use super::spec::Durability;
use crate::config::REDIS_WAIT;

/// Whether what was written before is as durable as was asked.
pub(super) enum Confirmed {
    Yes,
    /// Why not.
    No(String),
}

/// What waits for it, after the writes and on their connection.
pub(super) fn command(durability: Durability) -> Option<Cmd> {
    let patience = u64::try_from(REDIS_WAIT.as_millis()).unwrap_or(u64::MAX);
    match durability {
        Durability::Local => None,
        Durability::Wait(replicas) => Some(cmd("WAIT").arg(replicas).arg(patience).take()),
        Durability::WaitAof(replicas) => Some(cmd("WAITAOF").arg(1).arg(replicas).arg(patience).take()),
    }
}

/// Reads the answer.
pub(super) fn confirmed(durability: Durability, answer: Option<Value>) -> Confirmed {
    let answer = answer.unwrap_or_default();
    let reached = match durability {
        Durability::Local => return Confirmed::Yes,
        Durability::Wait(_) => link::read(answer).map(|replicas: u32| (1, replicas)),
        Durability::WaitAof(_) => link::read::<(u32, u32)>(answer),
    };
    let (here, on_replicas, wanted) = match (reached, durability) {
        (Err(trouble), _) => return Confirmed::No(trouble.to_string()),
        (Ok((here, on_replicas)), Durability::Wait(wanted) | Durability::WaitAof(wanted)) => {
            (here, on_replicas, wanted)
        }
        (Ok(_), Durability::Local) => return Confirmed::Yes,
    };
    if here == 0 {
        return Confirmed::No("has not written it to its append-only file in time".into());
    }
    if on_replicas < wanted {
        return Confirmed::No(format!("has confirmed it on {on_replicas} of {wanted} replicas in time"));
    }
    Confirmed::Yes
}
