//! What can be looked at without waiting: the page, history, people, rooms, figures, health.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::time::{Instant, timeout_at};

use super::room::RoomHandle;
use super::{Server, room};
use crate::config::{BACKLOG_MESSAGES, HEALTH_DEADLINE};
use crate::door::hyper::Visit;
use crate::message::{Cursor, Draft, Kind, RoomName, Timestamp};
use crate::metrics::{self, Snapshot};
use crate::room::{After, Published, SubscriberId, Subscription, Wake, Wants};
use crate::store;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{Exposition, Format, History, RoomsPage, View};
use crate::wire::rooms::{self, Census};

/// A room's page, with its newest messages in it.
pub async fn page(server: &Server, browser: &View, visit: &Visit) -> Result<Reply, Refusal> {
    let rooms = &server.rooms;
    let room = browser.room.clone();
    let tail = rooms.ask(move |store| store.backlog(&room, BACKLOG_MESSAGES)).await.map_err(unavailable)?;
    let next = Cursor { epoch: rooms.store().epoch(), sequence: tail.latest };
    let _turn = server.door.turn(visit, &tail.messages).await?;
    Ok(reply::room_page(browser, &tail, next, server.lan))
}

/// Reads a page of a room's past.
pub async fn history(server: &Server, history: &History, visit: &Visit) -> Result<Reply, Refusal> {
    let rooms = &server.rooms;
    let epoch = rooms.store().epoch();
    let room = history.room.clone();
    // One more than asked for shows whether there is a page before this one.
    let limit = history.limit + 1;
    match history.before {
        Some(before) if before.epoch == epoch => {
            let earlier = rooms.ask(move |store| store.before(&room, before.sequence, limit)).await;
            let messages = earlier.map_err(unavailable)?;
            let next = messages.last().map_or(before, |message| message.id);
            let _turn = server.door.turn(visit, &messages).await?;
            Ok(reply::history(history, &messages, next, false))
        }
        // What came before a place in another life is lost: the newest of this one, and a gap.
        before => {
            let newest = rooms.ask(move |store| store.backlog(&room, limit)).await;
            let tail = newest.map_err(unavailable)?;
            let next = Cursor { epoch, sequence: tail.latest };
            let _turn = server.door.turn(visit, &tail.messages).await?;
            Ok(reply::history(history, &tail.messages, next, before.is_some()))
        }
    }
}

/// Says who is in a room. One that sleeps is not woken for it: the store knows.
pub async fn people(server: &Server, format: Format, room: &RoomName) -> Result<Reply, Refusal> {
    let people = match server.rooms.look(room)? {
        Some(room) => room.people().await?,
        None => {
            let room = room.clone();
            server.rooms.ask(move |store| store.newest(&room, 0)).await.map_err(unavailable)?.present
        }
    };
    Ok(reply::people(format, room, &people))
}

/// Says which rooms there are, a page of them: in which something was said, and where somebody waits.
pub async fn rooms(server: &Server, asked: RoomsPage) -> Result<Reply, Refusal> {
    let (awake, page) = (awake(server), asked.clone());
    let list = server.rooms.ask(move |store| rooms::list(store, &page, awake)).await;
    let (list, more) = list.map_err(unavailable)?;
    Ok(reply::rooms(&asked, &list, more))
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
pub async fn health(server: &Server, format: Format) -> Result<Reply, Refusal> {
    if owes(&server.owed) {
        return Err(Refusal::StoreUnavailable);
    }
    let room = server.rooms.whereis(&RoomName::health())?;
    let what = Subscription { after: After::Latest, wants: Wants::Messages, name: None };
    let (id, deadline) = (SubscriberId::fresh(), Instant::now() + HEALTH_DEADLINE);
    let wake = room.subscribe(id, what);
    // Whatever comes of it: the client may give up, and this then ends in the middle.
    let _ends = Subscribed { room: &room, id };
    let mut answer = room.post(Draft {
        kind: Kind::Message,
        name: None,
        text: "healthy".into(),
        sent_as: None,
        at: Timestamp::now(),
    });
    let Ok(published) = timeout_at(deadline, &mut answer).await else {
        *server.owed.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        return Err(Refusal::TryAgain);
    };
    published.map_err(|_| Refusal::TryAgain)??;
    match timeout_at(deadline, wake).await {
        Ok(Ok(Wake::Page(_))) => Ok(reply::healthy(format)),
        _ => Err(Refusal::TryAgain),
    }
}

/// Whether the room owes an answer to an earlier check.
fn owes(owed: &Mutex<Option<Unanswered>>) -> bool {
    let mut owed = owed.lock().unwrap_or_else(PoisonError::into_inner);
    owed.as_mut().is_some_and(|answer| answer.try_recv() == Err(TryRecvError::Empty))
}

/// A subscription that is taken back however its holder ends.
struct Subscribed<'a> {
    room: &'a RoomHandle,
    id: SubscriberId,
}

impl Drop for Subscribed<'_> {
    fn drop(&mut self) {
        self.room.unsubscribe(self.id);
    }
}

/// The client's side of a store's error; ours is logged.
pub fn unavailable(error: store::Error) -> Refusal {
    tracing::warn!(%error, "the store could not be read");
    Refusal::StoreUnavailable
}
