//! A waiting GET: a task that is parked.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use super::room::{RoomHandle, Rooms};
use crate::config::{REPLY_BYTES, REPLY_MESSAGES};
use crate::door::answer::text_bytes;
use crate::door::gate::Interrupt;
use crate::door::hyper::{Answer, Visit};
use crate::message::RoomName;
use crate::room::{self, After, Outcome, SubscriberId, Wake};
use crate::store::{self, Store};
use crate::wire::refusal::Refusal;
use crate::wire::reply;
use crate::wire::request::Poll;

/// Waits for what the poll asks for, and renders it.
pub async fn poll(rooms: &Arc<Rooms>, poll: Poll, visit: &Visit) -> Result<Answer, Refusal> {
    // `wait=0` never blocks, so it needs no seat.
    let seat = if poll.hold.is_zero() { None } else { Some(visit.admit(poll.hold)?) };
    let (room, after) = (&poll.rooms[0], poll.after[0]);
    let after = start(rooms, &poll, room, after).await?;
    let outcome = next_delivery(rooms, &poll, room, after, visit).await?;
    seat.iter().for_each(|seat| seat.hears(outcome.is_delivery()));
    let bytes = text_bytes(outcome.messages());
    Answer::rendered(bytes, move || reply::polled(&poll, &[outcome]))
}

/// Finds from where on the client wants a room's messages.
pub async fn start(rooms: &Rooms, poll: &Poll, room: &RoomName, after: After) -> Result<After, Refusal> {
    let Some(last) = poll.last else { return Ok(after) };
    let (room, kinds) = (room.clone(), poll.wants.kinds);
    let before = rooms.store.ask(move |store| store.newest_but(&room, kinds, last)).await?;
    Ok(before.map_or(After::Oldest, After::Cursor))
}

/// Waits for something in one room that the client wants, wherever it is kept.
async fn next_delivery(
    rooms: &Arc<Rooms>,
    poll: &Poll,
    room: &RoomName,
    mut after: After,
    visit: &Visit,
) -> Result<Outcome, Refusal> {
    let deadline = Instant::now() + poll.hold;
    loop {
        let woken = match poll.only_looks(poll.hold) {
            true => look(rooms, poll, room, after, visit).await?,
            false => wait(&rooms.whereis(room)?, poll, after, deadline, visit).await?,
        };
        match hear(rooms, room, woken, 1).await? {
            Outcome::Delivery(delivery) if !delivery.is_worth_telling(poll.wants) => {
                after = After::Cursor(delivery.next);
            }
            outcome => return Ok(outcome),
        }
    }
}

/// Subscribes, and is parked until the room answers or the time is up.
async fn wait(
    room: &Arc<RoomHandle>,
    poll: &Poll,
    after: After,
    deadline: Instant,
    visit: &Visit,
) -> Result<Wake, Refusal> {
    let id = SubscriberId::fresh();
    let mut wake = room.subscribe(id, poll.subscription(after));
    let waited = room.clone();
    visit.begin_wait(move |interrupt| match interrupt {
        Interrupt::Followed => waited.unsubscribe(id),
        Interrupt::Gone => waited.hang_up(id),
    });
    let woken = match timeout_at(deadline, &mut wake).await {
        Err(_elapsed) => {
            // The room has the last word: a message may just be on its way into the channel.
            room.unsubscribe(id);
            wake.await.map_err(|_| Refusal::TryAgain)
        }
        Ok(woken) => woken.map_err(|_| Refusal::TryAgain),
    };
    visit.end_wait();
    woken
}

/// Asks a room that is awake, and otherwise the store: who only looks wakes nothing.
pub async fn look(
    rooms: &Rooms,
    poll: &Poll,
    room: &RoomName,
    after: After,
    visit: &Visit,
) -> Result<Wake, Refusal> {
    if let Some(room) = rooms.look(room)? {
        return wait(&room, poll, after, Instant::now(), visit).await;
    }
    let room = room.clone();
    let tail = rooms.store.ask(move |store| store.newest(&room, 0)).await?;
    Ok(room::look(tail.latest, after))
}

/// What the client hears of a room, read from the store if the room has forgotten it. As many rooms as `share` may
/// have that to read, and they share one reply.
pub async fn hear(rooms: &Rooms, room: &RoomName, woken: Wake, share: usize) -> Result<Outcome, Refusal> {
    Ok(match woken {
        Wake::Delivery(delivery) => Outcome::Delivery(delivery),
        Wake::Stored(missed) => {
            let (room, limit) = (room.clone(), REPLY_MESSAGES / share);
            let read = move |store: &dyn Store| store::since(store, &room, missed.after, limit);
            missed.outcome(rooms.store.ask(read).await?, REPLY_BYTES / share)
        }
        Wake::Expired(next) => Outcome::Expired(next),
        Wake::Closing(next) => Outcome::Closing(next),
        Wake::Taken(name) => return Err(Refusal::NameTaken(name)),
        Wake::Denied(denied) => return Err(Refusal::Denied(denied)),
    })
}
