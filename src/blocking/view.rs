//! What can be looked at without waiting: the page, history, people, rooms, figures, health.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};

use super::{Server, room};
use crate::config::{BACKLOG_MESSAGES, HEALTH_DEADLINE};
use crate::message::{Cursor, Draft, Kind, RoomName, Timestamp};
use crate::metrics::{self, Snapshot};
use crate::room::{After, Published, SubscriberId, Subscription, Wake, Wants};
use crate::store;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{Exposition, Format, History, RoomsPage, View};
use crate::wire::rooms::{self, Census};

/// A room's page, with its newest messages in it.
pub fn page(server: &Server, browser: &View) -> Result<Reply, Refusal> {
    let store = server.rooms.store();
    let tail = store.backlog(&browser.room, BACKLOG_MESSAGES).map_err(unavailable)?;
    let next = Cursor { epoch: store.epoch(), sequence: tail.latest };
    let _turn = server.door.turn(&tail.messages)?;
    Ok(reply::room_page(browser, &tail, next, server.lan))
}

/// Reads a page of a room's past.
pub fn history(server: &Server, history: &History) -> Result<Reply, Refusal> {
    let store = server.rooms.store();
    let epoch = store.epoch();
    // One more than asked for shows whether there is a page before this one.
    let limit = history.limit + 1;
    match history.before {
        Some(before) if before.epoch == epoch => {
            let messages = store.before(&history.room, before.sequence, limit).map_err(unavailable)?;
            let next = messages.last().map_or(before, |message| message.id);
            let _turn = server.door.turn(&messages)?;
            Ok(reply::history(history, &messages, next, false))
        }
        // What came before a place in another life is lost: the newest of this one, and a gap.
        before => {
            let tail = store.backlog(&history.room, limit).map_err(unavailable)?;
            let next = Cursor { epoch, sequence: tail.latest };
            let _turn = server.door.turn(&tail.messages)?;
            Ok(reply::history(history, &tail.messages, next, before.is_some()))
        }
    }
}

/// Says who is in a room. One that sleeps is not woken for it: the store knows.
pub fn people(server: &Server, format: Format, room: &RoomName) -> Result<Reply, Refusal> {
    let people = match server.rooms.look(room)? {
        Some(room) => room.people()?,
        None => server.rooms.store().newest(room, 0).map_err(unavailable)?.present,
    };
    Ok(reply::people(format, room, &people))
}

/// Says which rooms there are, a page of them: in which something was said, and where somebody waits.
pub fn rooms(server: &Server, asked: &RoomsPage) -> Result<Reply, Refusal> {
    let (list, more) = rooms::list(&**server.rooms.store(), asked, awake(server)).map_err(unavailable)?;
    Ok(reply::rooms(asked, &list, more))
}

/// How many are in each room that is awake.
fn awake(server: &Server) -> HashMap<RoomName, Census> {
    let count = |census: &room::Census| (census.waiting.load(Relaxed), census.people.load(Relaxed));
    server.rooms.awake().into_iter().map(|(name, census)| (name, count(&census))).collect()
}

/// Says what the server has counted, and what there is now.
pub fn metrics(server: &Server, exposition: Exposition) -> Reply {
    let awake = server.rooms.awake();
    let snapshot = Snapshot {
        rooms: awake.len(),
        people: awake.values().map(|census| census.people.load(Relaxed)).sum(),
        tail_bytes: server.rooms.tail_bytes(),
        store: server.rooms.store().stats(),
        ..server.door.snapshot()
    };
    reply::metrics(exposition, metrics::render(&snapshot))
}

/// What the room has not answered yet.
pub type Unanswered = Receiver<Result<Published, Refusal>>;

/// Publishes in a real room, and waits for the message as anybody would; within its deadline, whatever the
/// store does. It leaves nothing behind: while the room owes an answer to an earlier check, none is begun.
pub fn health(server: &Server, format: Format) -> Result<Reply, Refusal> {
    if owes(&server.owed) {
        return Err(Refusal::StoreUnavailable);
    }
    let room = server.rooms.whereis(&RoomName::health())?;
    let what = Subscription { after: After::Latest, wants: Wants::Messages, name: None };
    let (id, deadline) = (SubscriberId::fresh(), Instant::now() + HEALTH_DEADLINE);
    let wake = room.subscribe(id, what);
    let answer = room.post(Draft {
        kind: Kind::Message,
        name: None,
        text: "healthy".into(),
        sent_as: None,
        at: Timestamp::now(),
    });
    let published = answer.recv_deadline(deadline);
    let woken = wake.recv_deadline(deadline);
    // Whatever came of it, nobody listens any more.
    room.unsubscribe(id);
    if published == Err(RecvTimeoutError::Timeout) {
        *server.owed.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }
    published.map_err(|_| Refusal::TryAgain)??;
    match woken {
        Ok(Wake::Page(_)) => Ok(reply::healthy(format)),
        _ => Err(Refusal::TryAgain),
    }
}

/// Whether the room owes an answer to an earlier check.
fn owes(owed: &Mutex<Option<Unanswered>>) -> bool {
    let mut owed = owed.lock().unwrap_or_else(PoisonError::into_inner);
    owed.as_mut().is_some_and(|answer| answer.try_recv() == Err(TryRecvError::Empty))
}

/// The client's side of a store's error; ours is logged.
pub fn unavailable(error: store::Error) -> Refusal {
    tracing::warn!(%error, "the store could not be read");
    Refusal::StoreUnavailable
}
