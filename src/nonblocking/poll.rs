//! A waiting GET: a task that is parked.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::room::{RoomHandle, Rooms};
use crate::config::REPLY_MESSAGES;
use crate::door::answer::text_bytes;
use crate::door::gate::Interrupt;
use crate::door::hyper::{Answer, Visit};
use crate::message::Cursor;
use crate::room::{self, After, Outcome, SubscriberId, Subscription, Wake};
use crate::store::{self, Store};
use crate::wire::refusal::Refusal;
use crate::wire::reply;
use crate::wire::request::Poll;

/// Waits for what the poll asks for, and renders it.
pub async fn poll(rooms: &Arc<Rooms>, poll: Poll, visit: &Visit) -> Result<Answer, Refusal> {
    // `wait=0` never blocks, so it needs no seat.
    let _seat = if poll.hold.is_zero() { None } else { Some(visit.admit()?) };
    let after = start(rooms, &poll).await?;
    let outcome = next_delivery(rooms, &poll, after, poll.hold, visit).await?;
    let bytes = text_bytes(outcome.messages());
    Ok(Answer::rendered(bytes, move || reply::polled(&poll, &outcome)))
}

/// Finds from where on the client wants messages.
pub async fn start(rooms: &Rooms, poll: &Poll) -> Result<After, Refusal> {
    let Some(last) = poll.last else { return Ok(poll.after.unwrap_or(After::Latest)) };
    let (room, kinds) = (poll.room.clone(), poll.wants.kinds);
    let before = rooms.store.ask(move |store| store.newest_but(&room, kinds, last)).await?;
    let epoch = rooms.store.epoch();
    Ok(before.map_or(After::Oldest, |sequence| After::Cursor(Cursor { sequence, ..Cursor::start(epoch) })))
}

/// Waits for something that the client wants, wherever it is kept.
pub async fn next_delivery(
    rooms: &Arc<Rooms>,
    poll: &Poll,
    mut after: After,
    hold: Duration,
    visit: &Visit,
) -> Result<Outcome, Refusal> {
    let deadline = Instant::now() + hold;
    let only_looks = hold.is_zero() && poll.name.is_none();
    loop {
        // Who only looks wakes nothing.
        let room = if only_looks { rooms.look(&poll.room)? } else { Some(rooms.whereis(&poll.room)?) };
        let woken = match room {
            Some(room) => wait(&room, poll, after, deadline, visit).await?,
            None => look(rooms, poll, after).await?,
        };
        let delivery = match woken {
            Wake::Delivery(delivery) => delivery,
            Wake::Stored(missed) => {
                let room = poll.room.clone();
                let read = move |store: &dyn Store| store::since(store, &room, missed.after, REPLY_MESSAGES);
                missed.delivery(rooms.store.ask(read).await?)
            }
            Wake::Expired(next) => return Ok(Outcome::Expired(next)),
            Wake::Closing(next) => return Ok(Outcome::Closing(next)),
        };
        if delivery.is_worth_telling(poll.wants) {
            return Ok(Outcome::Delivery(delivery));
        }
        after = After::Cursor(delivery.next);
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
    let mut wake = room.subscribe(id, Subscription { after, wants: poll.wants, name: poll.name.clone() });
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

/// Looks at a room that sleeps.
async fn look(rooms: &Rooms, poll: &Poll, after: After) -> Result<Wake, Refusal> {
    let room = poll.room.clone();
    let tail = rooms.store.ask(move |store| store.newest(&room, 0)).await?;
    Ok(room::look(tail.latest_in(rooms.store.epoch()), after))
}
