//! What can be looked at without waiting: the page, history, people, rooms, figures, health.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};

use super::room::{RoomHandle, Rooms};
use crate::address::Site;
use crate::config::{BACKLOG_MESSAGES, HEALTH_DEADLINE};
use crate::door::answer::text_bytes;
use crate::door::tiny_http::{Answer, Visit};
use crate::message::{Claim, Draft, RoomName};
use crate::metrics::{self, Snapshot};
use crate::room::{After, Receipt, SubscriberId, Subscription, Wake, Wants};
use crate::wire::past;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{Exposition, Format, ListRooms, Past, View};
use crate::wire::rooms::{self as list, Census};

/// A room's page, with its newest messages in it.
pub fn page(rooms: &Rooms, browser: View, site: &Arc<Site>) -> Result<Answer, Refusal> {
    let (room, site) = (browser.room.clone(), site.clone());
    let tail = rooms.store.ask(move |store| store.backlog(&room, BACKLOG_MESSAGES))?;
    let next = tail.latest;
    let bytes = text_bytes(&tail.messages);
    Answer::rendered(bytes, move || Ok(reply::room_page(&browser, &tail, next, &site)))
}

/// Reads a part of a room's past, or searches in it.
pub fn past(rooms: &Rooms, asked: Past) -> Result<Answer, Refusal> {
    let (bytes, render) = rooms.store.ask(move |store| past::read(store, asked))?;
    Answer::rendered(bytes, render)
}

/// Says who is in a room. One that sleeps is not woken for it: the store knows.
pub fn people(rooms: &Rooms, format: Format, room: RoomName) -> Result<Reply, Refusal> {
    let asked = room.clone();
    let people = match rooms.look(&room)? {
        Some(room) => room.people()?,
        None => rooms.store.ask(move |store| store.newest(&asked, 0))?.people(),
    };
    Ok(reply::people(format, &room, &people))
}

/// Lists a part of the rooms: those with messages, and those in which somebody waits.
pub fn rooms(rooms: &Rooms, asked: ListRooms, site: &Site) -> Result<Reply, Refusal> {
    let (awake, wanted) = (awake(rooms), asked.clone());
    let (list, more) = rooms.store.ask(move |store| list::list(store, &wanted, awake))?;
    Ok(reply::rooms(site, &asked, &list, more))
}

/// How many are in each room that is awake.
fn awake(rooms: &Rooms) -> HashMap<RoomName, Census> {
    rooms.awake().into_iter().map(|(name, census)| (name, census.read())).collect()
}

/// Says what the server has counted, and what there is now.
pub fn metrics(rooms: &Rooms, exposition: Exposition, visit: &Visit) -> Reply {
    reply::metrics(exposition, metrics::render(&snapshot(rooms, visit)))
}

/// What there is now.
pub fn snapshot(rooms: &Rooms, visit: &Visit) -> Snapshot {
    let awake = rooms.awake();
    Snapshot {
        rooms: awake.len(),
        people: awake.values().map(|census| census.read().1).sum(),
        tail_bytes: rooms.tail_bytes(),
        store: rooms.store.stats(),
        ..visit.snapshot()
    }
}

/// What is known of the health checks before: the answer that the room owes to one which could not wait for it.
#[derive(Default)]
pub struct Health(Mutex<Option<Receiver<Receipt>>>);

/// Publishes in a real room, and waits for the message as anybody would; within its deadline, whatever the
/// store does. It leaves nothing behind: while the room owes an answer to an earlier check, none is begun.
pub fn health(rooms: &Arc<Rooms>, format: Format, before: &Health) -> Result<Reply, Refusal> {
    if before.owed().as_mut().is_some_and(|answer| answer.try_recv() == Err(TryRecvError::Empty)) {
        return Err(Refusal::StoreUnavailable);
    }
    let room = rooms.whereis(&RoomName::health())?;
    let what = Subscription { after: After::Latest, wants: Wants::ONE_MESSAGE, who: None };
    let (id, deadline) = (SubscriberId::fresh(), Instant::now() + HEALTH_DEADLINE);
    let wake = room.subscribe(id, what);
    // Whatever comes of it, nobody listens any more in the end.
    let _ends = Subscribed { room: &room, id };
    let answer = room.post(Draft::said(None, Claim::Nothing, "healthy", None));
    let published = answer.recv_deadline(deadline);
    if published == Err(RecvTimeoutError::Timeout) {
        *before.owed() = Some(answer);
        return Err(Refusal::TryAgain);
    }
    published.map_err(|_| Refusal::TryAgain)??;
    match wake.recv_deadline(deadline) {
        Ok(Wake::Delivery(_)) => Ok(reply::healthy(format)),
        _ => Err(Refusal::TryAgain),
    }
}

impl Health {
    fn owed(&self) -> MutexGuard<'_, Option<Receiver<Receipt>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
