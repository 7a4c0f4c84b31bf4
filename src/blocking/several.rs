//! A GET that waits in several rooms: one thread that selects among their channels.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Select;

use super::poll::{hear, look, start};
use super::room::{RoomHandle, Rooms};
use crate::config::REPLY_BYTES;
use crate::door::answer::text_bytes;
use crate::door::gate::Interrupt;
use crate::door::tiny_http::{Answer, Visit, hear_all};
use crate::room::several::{agree, kept};
use crate::room::{After, Outcome, SubscriberId, Wake};
use crate::wire::refusal::Refusal;
use crate::wire::reply;
use crate::wire::request::Poll;

/// Waits for what the poll asks for, and renders it.
pub fn poll(rooms: &Arc<Rooms>, poll: Poll, visit: &Visit) -> Result<Answer, Refusal> {
    // However many rooms there are, one client waits: it takes one seat.
    let seat = if poll.hold.is_zero() { None } else { Some(visit.admit(poll.hold)?) };
    let after = starts(rooms, &poll)?;
    let outcomes = next_deliveries(rooms, &poll, after, poll.hold, visit)?;
    seat.iter().for_each(|seat| seat.hears(outcomes.iter().any(Outcome::is_delivery)));
    // More is not rendered, and a message that a room remembers takes no memory here.
    let bytes = outcomes.iter().map(|outcome| text_bytes(outcome.messages())).sum::<usize>().min(REPLY_BYTES);
    Answer::rendered(bytes, move || reply::polled(&poll, &outcomes))
}

/// Finds from where on the client wants messages in each room.
pub fn starts(rooms: &Rooms, poll: &Poll) -> Result<Vec<After>, Refusal> {
    let mut starts = Vec::with_capacity(poll.rooms.len());
    for (room, after) in poll.rooms.iter().zip(&poll.after) {
        starts.push(start(rooms, poll, room, *after)?);
    }
    Ok(starts)
}

/// Waits until there is something in one of the rooms that the client wants. Tells what there is in each.
pub fn next_deliveries(
    rooms: &Arc<Rooms>,
    poll: &Poll,
    mut after: Vec<After>,
    hold: Duration,
    visit: &Visit,
) -> Result<Vec<Outcome>, Refusal> {
    let deadline = Instant::now() + hold;
    loop {
        let woken = match poll.only_looks(hold) {
            true => look_at_all(rooms, poll, &after, visit)?,
            false => wait(rooms, poll, &after, deadline, visit)?,
        };
        let share = woken.iter().filter(|wake| matches!(wake, Wake::Stored(_))).count();
        let mut outcomes = Vec::with_capacity(woken.len());
        for (room, wake) in poll.rooms.iter().zip(woken) {
            outcomes.push(hear(rooms, room, wake, share)?);
        }
        if !agree(&outcomes) {
            return Err(Refusal::TryAgain);
        }
        if outcomes.iter().any(|outcome| outcome.is_worth_telling(poll.wants))
            || !outcomes.iter().any(Outcome::is_delivery)
        {
            return Ok(outcomes);
        }
        after = outcomes.iter().map(|outcome| After::Cursor(outcome.next())).collect();
    }
}

/// Subscribes in every room, and blocks until one of them answers or the time is up.
fn wait(
    rooms: &Arc<Rooms>,
    poll: &Poll,
    after: &[After],
    deadline: Instant,
    visit: &Visit,
) -> Result<Vec<Wake>, Refusal> {
    // First all are found, so that a refusal leaves no subscription behind.
    let handles = poll.rooms.iter().map(|room| rooms.whereis(room)).collect::<Result<Vec<_>, _>>()?;
    for (room, who) in poll.present_in_several(&handles) {
        room.admits(who)?;
    }
    let subscribe = |(n, room): (usize, Arc<RoomHandle>)| {
        let id = SubscriberId::fresh();
        let wake = room.subscribe(id, poll.subscription_in(&poll.rooms[n], after[n]));
        ((room, id), wake)
    };
    let (waits, wakes): (Vec<_>, Vec<_>) = handles.into_iter().enumerate().map(subscribe).unzip();
    let waited = waits.clone();
    visit.begin_wait(move |interrupt| match interrupt {
        Interrupt::Followed => waited.iter().for_each(|(room, id)| room.unsubscribe(*id)),
        Interrupt::Gone => waited.iter().for_each(|(room, id)| room.hang_up(*id)),
    });
    let mut select = Select::new();
    wakes.iter().for_each(|wake| _ = select.recv(wake));
    let _first = select.ready_deadline(deadline);
    // Each room has the last word: what it hands out meanwhile is heard too.
    waits.iter().for_each(|(room, id)| room.unsubscribe(*id));
    let woken = hear_all(wakes);
    visit.end_wait();
    kept(woken, after).ok_or(Refusal::TryAgain)
}

/// Looks at every room, and wakes none.
fn look_at_all(rooms: &Rooms, poll: &Poll, after: &[After], visit: &Visit) -> Result<Vec<Wake>, Refusal> {
    let mut woken = Vec::with_capacity(after.len());
    for (room, after) in poll.rooms.iter().zip(after) {
        woken.push(look(rooms, poll, room, *after, visit)?);
    }
    Ok(woken)
}
