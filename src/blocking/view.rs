//! What can be looked at without waiting: the page, history, people, rooms, figures, health.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::Server;
use crate::config::HEALTH_DEADLINE;
use crate::message::{Cursor, Draft, Kind, RoomName, Timestamp};
use crate::metrics::{METRICS, Snapshot};
use crate::room::{After, SubscriberId, Subscription, Wake, Wants};
use crate::store;
use crate::wire::page::BACKLOG_MESSAGES;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply, RoomEntry};
use crate::wire::request::{Format, History, View};

/// A room's page, with its newest messages in it.
pub fn page(server: &Server, browser: &View) -> Result<Reply, Refusal> {
    let store = server.rooms.store();
    let tail = store.backlog(&browser.room, BACKLOG_MESSAGES).map_err(unavailable)?;
    let next = Cursor { epoch: store.epoch(), sequence: tail.latest };
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
            Ok(reply::history(history, &messages, next, false))
        }
        // What came before a place in another life is lost: the newest of this one, and a gap.
        before => {
            let tail = store.backlog(&history.room, limit).map_err(unavailable)?;
            let next = Cursor { epoch, sequence: tail.latest };
            Ok(reply::history(history, &tail.messages, next, before.is_some()))
        }
    }
}

/// Says who is in a room.
pub fn people(server: &Server, format: Format, room: &RoomName) -> Result<Reply, Refusal> {
    let people = server.rooms.whereis(room)?.people()?;
    Ok(reply::people(format, room, &people))
}

/// Says which rooms there are: all in which something was said, and those where somebody waits.
pub fn rooms(server: &Server, format: Format) -> Result<Reply, Refusal> {
    let store = server.rooms.store();
    let epoch = store.epoch();
    let mut rooms = BTreeMap::new();
    for summary in store.rooms().map_err(unavailable)? {
        let latest = Some(Cursor { epoch, sequence: summary.latest });
        let entry = RoomEntry {
            room: summary.room.clone(),
            latest,
            at: Some(summary.at),
            waiting: 0,
            people: summary.people,
        };
        rooms.insert(summary.room, entry);
    }
    for (name, census) in server.rooms.awake() {
        let (waiting, people) = (census.waiting.load(Relaxed), census.people.load(Relaxed));
        if name.is_internal() || (waiting == 0 && people == 0 && !rooms.contains_key(&name)) {
            continue;
        }
        let empty = || RoomEntry { room: name.clone(), latest: None, at: None, waiting, people };
        let entry = rooms.entry(name.clone()).or_insert_with(empty);
        (entry.waiting, entry.people) = (waiting, people);
    }
    Ok(reply::rooms(format, &rooms.into_values().collect::<Vec<_>>()))
}

/// Says what the server has counted, and what there is now.
pub fn metrics(server: &Server) -> Reply {
    let awake = server.rooms.awake();
    let snapshot = Snapshot {
        rooms: awake.len(),
        people: awake.values().map(|census| census.people.load(Relaxed)).sum(),
        store: server.rooms.store().stats(),
        ..server.door.snapshot()
    };
    reply::metrics(METRICS.render(&snapshot))
}

/// Publishes in a real room, and waits for the message as anybody would.
pub fn health(server: &Server, format: Format) -> Result<Reply, Refusal> {
    let room = server.rooms.whereis(&RoomName::health())?;
    let what = Subscription { after: After::Latest, wants: Wants::Messages, name: None };
    let (id, began) = (SubscriberId::fresh(), Instant::now());
    let wake = room.subscribe(id, what);
    let draft = Draft {
        kind: Kind::Message,
        name: None,
        text: "healthy".into(),
        sent_as: None,
        at: Timestamp::now(),
    };
    let published = room.publish_within(draft, HEALTH_DEADLINE);
    let left = HEALTH_DEADLINE.saturating_sub(began.elapsed());
    let woken = wake.recv_timeout(left);
    // Whatever came of it, nobody listens any more.
    room.unsubscribe(id);
    published?;
    match woken {
        Ok(Wake::Page(_)) => Ok(reply::healthy(format)),
        _ => Err(Refusal::TryAgain),
    }
}

/// The client's side of a store's error; ours is logged.
pub fn unavailable(error: store::Error) -> Refusal {
    tracing::warn!(%error, "the store could not be read");
    Refusal::StoreUnavailable
}
