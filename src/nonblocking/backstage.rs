//! Behind the stage of a lesson: what a class sees of this engine, and the call that blocks.

use std::io;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::time::sleep;

use super::room::Rooms;
use super::view::snapshot;
use crate::config::{FRAME_EVERY, STALL};
use crate::door::hyper::{Answer, EventWriter, Visit};
use crate::lesson::{self, Asked, Failure, Scene, Watcher};
use crate::message::{Claim, Draft, RoomName};
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::Format;

/// Does what was asked.
pub fn answer(rooms: &Arc<Rooms>, asked: Asked) -> Result<Answer, Refusal> {
    Ok(match asked {
        Asked::Reply(reply) => reply.into(),
        Asked::Frames => watch(rooms.clone())?,
        Asked::Levers(moved) => lesson::move_levers(moved)?.into(),
        Asked::Failure(failure, on) => fail(rooms, failure, on)?.into(),
        Asked::Stall => stall().into(),
    })
}

/// Begins or ends a failure. A room panics when it next has something to store, so it is given something.
fn fail(rooms: &Arc<Rooms>, failure: Failure, on: bool) -> Result<Reply, Refusal> {
    let reply = lesson::fail(failure, on)?;
    if (failure, on) == (Failure::Panic, true) {
        let letter = Draft::said(None, Claim::Nothing, "panic", None);
        drop(rooms.whereis(&RoomName::lobby())?.post(letter));
    }
    Ok(reply)
}

/// A blocking call. Here it holds up a worker, and with it every task that the worker would run.
fn stall() -> Reply {
    std::thread::sleep(STALL);
    reply::healthy(Format::Plain)
}

fn watch(rooms: Arc<Rooms>) -> Result<Answer, Refusal> {
    let page = Watcher::new()?;
    let head = page.head();
    Ok(Answer::Stream { head, bytes: 0, stream: Box::new(|visit, to| show(rooms, page, visit, to).boxed()) })
}

/// Shows frame after frame, until the client is gone or the server closes.
async fn show(rooms: Arc<Rooms>, mut page: Watcher, visit: &Visit, to: &mut EventWriter) -> io::Result<()> {
    while rooms.look(&RoomName::lobby()).is_ok() {
        to.send(0, [page.frame(scene(&rooms, visit))]).await?;
        sleep(FRAME_EVERY).await;
    }
    Ok(())
}

fn scene(rooms: &Rooms, visit: &Visit) -> Scene {
    let now = snapshot(rooms, visit);
    Scene {
        engine: "async",
        rooms: rooms.awake(),
        threads: [("worker", Handle::current().metrics().num_workers()), ("room", 0)],
        own: 0,
        others: "store",
        tasks: Some(Handle::current().metrics().num_alive_tasks()),
        now,
    }
}
