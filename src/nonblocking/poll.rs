//! A waiting GET: a task that is parked.

use tokio::sync::oneshot::Receiver;
use tokio::time::{Instant, timeout_at};

use super::Server;
use super::door::Visit;
use crate::config::PAGE_LIMIT;
use crate::room::{After, Page, SubscriberId, Wake};
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::Poll;

/// Waits for what the poll asks for, and renders it.
pub async fn poll(server: &Server, poll: &Poll, visit: &Visit) -> Result<Reply, Refusal> {
    // Who does not wait takes nobody's place.
    let _seat = if poll.hold.is_zero() { None } else { Some(server.door.admit()?) };
    let deadline = Instant::now() + poll.hold;
    let mut after = poll.after.unwrap_or(After::Latest);
    let mut gap = false;
    loop {
        let mut page = match wait(server, poll, after, deadline, visit).await? {
            Wake::Page(page) => page,
            Wake::Stored(missed) => {
                let (room, from) = (poll.room.clone(), missed.after.unwrap_or(0));
                let messages = server.rooms.store(move |store| store.after(&room, from, PAGE_LIMIT)).await;
                missed.page(messages.map_err(|error| Refusal::StoreUnavailable(error.to_string()))?)
            }
            Wake::Expired(next) => return Ok(reply::nothing(poll, next, gap)),
            Wake::Closing(_) if poll.after.is_none() => return Err(Refusal::Closing),
            Wake::Closing(next) => return Ok(reply::nothing(poll, next, gap)),
        };
        page.gap |= gap;
        if is_worth_telling(poll, &page) {
            return Ok(reply::page(poll, &page));
        }
        (after, gap) = (After::Cursor(page.next), page.gap);
    }
}

/// Subscribes, and is parked until the room answers or the time is up.
async fn wait(
    server: &Server,
    poll: &Poll,
    after: After,
    deadline: Instant,
    visit: &Visit,
) -> Result<Wake, Refusal> {
    let room = server.rooms.whereis(&poll.room)?;
    let id = SubscriberId::fresh();
    let mut wake = room.subscribe(id, after, poll.wants());
    visit.waits(&room, id);
    let woken = match timeout_at(deadline, &mut wake).await {
        Err(_elapsed) => {
            // The room has the last word: a message may just be on its way into the channel.
            room.unsubscribe(id);
            last_word(wake).await
        }
        Ok(woken) => woken.map_err(|_| Refusal::TryAgain),
    };
    visit.waits_no_more(id);
    woken
}

async fn last_word(wake: Receiver<Wake>) -> Result<Wake, Refusal> {
    wake.await.map_err(|_| Refusal::TryAgain)
}

/// Whether there is anything in the page for this client. A gap is, by itself.
fn is_worth_telling(poll: &Poll, page: &Page) -> bool {
    page.gap || page.messages.iter().any(|message| poll.wants().includes(message))
}
