//! A waiting GET: a task that is parked.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Server;
use super::room::RoomHandle;
use super::view::unavailable;
use crate::config::PAGE_LIMIT;
use crate::door::hyper::Visit;
use crate::message::Cursor;
use crate::room::{self, After, Outcome, SubscriberId, Subscription, Wake};
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::Poll;

/// Waits for what the poll asks for, and renders it.
pub async fn poll(server: &Server, poll: &Poll, visit: &Visit) -> Result<Reply, Refusal> {
    // Who does not wait takes nobody's place.
    let _seat = if poll.hold.is_zero() { None } else { Some(server.door.admit()?) };
    let outcome = next_page(server, poll, poll.after.unwrap_or(After::Latest), poll.hold, visit).await?;
    let _turn = match &outcome {
        Outcome::Page(page) => server.door.turn(visit, &page.messages).await?,
        _ => None,
    };
    reply::polled(poll, &outcome)
}

/// Waits for something that the client wants, wherever it is kept.
pub async fn next_page(
    server: &Server,
    poll: &Poll,
    mut after: After,
    hold: Duration,
    visit: &Visit,
) -> Result<Outcome, Refusal> {
    let deadline = Instant::now() + hold;
    let only_looks = hold.is_zero() && poll.name.is_none();
    loop {
        // Who only looks wakes nothing.
        let room =
            if only_looks { server.rooms.look(&poll.room)? } else { Some(server.rooms.whereis(&poll.room)?) };
        let woken = match room {
            Some(room) => wait(&room, poll, after, deadline, visit).await?,
            None => look(server, poll, after).await?,
        };
        let page = match woken {
            Wake::Page(page) => page,
            Wake::Stored(missed) => {
                let (room, from) = (poll.room.clone(), missed.after.unwrap_or(0));
                let messages = server.rooms.ask(move |store| store.after(&room, from, PAGE_LIMIT)).await;
                let page = missed.page(messages.map_err(unavailable)?);
                visit.carries(&page.messages)?;
                page
            }
            Wake::Expired(next) => return Ok(Outcome::Expired(next)),
            Wake::Closing(next) => return Ok(Outcome::Closing(next)),
        };
        if page.is_worth_telling(poll.wants()) {
            return Ok(Outcome::Page(page));
        }
        after = After::Cursor(page.next);
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
    let mut wake = room.subscribe(id, Subscription { after, wants: poll.wants(), name: poll.name.clone() });
    visit.waits(room, id);
    let woken = match timeout_at(deadline, &mut wake).await {
        Err(_elapsed) => {
            // The room has the last word: a message may just be on its way into the channel.
            room.unsubscribe(id);
            wake.await.map_err(|_| Refusal::TryAgain)
        }
        Ok(woken) => woken.map_err(|_| Refusal::TryAgain),
    };
    visit.waits_no_more(id);
    woken
}

/// Looks at a room that sleeps.
async fn look(server: &Server, poll: &Poll, after: After) -> Result<Wake, Refusal> {
    let room = poll.room.clone();
    let tail = server.rooms.ask(move |store| store.newest(&room, 0)).await.map_err(unavailable)?;
    Ok(room::look(Cursor { epoch: server.rooms.store().epoch(), sequence: tail.latest }, after))
}
