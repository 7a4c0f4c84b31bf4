//! The list of rooms, in parts: what the store knows, and who is there now.

use std::collections::HashMap;

use super::reply::RoomEntry;
use super::request::ListRooms;
use crate::config::ROOMS_LISTED_MAX;
use crate::message::RoomName;
use crate::store::{self, Order, RoomSummary, Store};

/// How many subscribers wait, and how many people are present, in a room that is awake.
pub type Census = (usize, usize);

/// One part of the list, and whether there is more after it.
///
/// The store does not know a room in which people wait and nothing was said yet. By name such a room stands
/// in its place. By time such rooms come last, so that they take no other room's place.
pub fn list(
    store: &dyn Store,
    asked: &ListRooms,
    mut awake: HashMap<RoomName, Census>,
) -> Result<(Vec<RoomEntry>, bool), store::Error> {
    let is_seen =
        |room: &RoomName| !room.is_private() && asked.among.as_ref().is_none_or(|among| among.include(room));
    awake.retain(|name, (waiting, people)| {
        !name.is_internal() && is_seen(name) && (*waiting > 0 || *people > 0)
    });
    // One more than is asked for shows whether there is more.
    let mut stored = stored(store, asked, is_seen)?;
    let more = stored.len() > asked.limit;
    stored.truncate(asked.limit);
    let last = stored.last().filter(|_| more).map(|summary| summary.room.clone());
    let entry = |summary: RoomSummary| {
        let (waiting, people) = awake.remove(&summary.room).unwrap_or((0, summary.people));
        RoomEntry { room: summary.room, latest: Some(summary.latest), at: Some(summary.at), waiting, people }
    };
    let mut entries: Vec<RoomEntry> = stored.into_iter().map(entry).collect();

    let mut others: Vec<(RoomName, Census)> = match (asked.order, &last) {
        (Order::Recent, Some(_)) => Vec::new(),
        (Order::Recent, None) => {
            let mut unsaid = Vec::new();
            for (name, census) in awake {
                if store.newest(&name, 0)?.latest.sequence == 0 {
                    unsaid.push((name, census));
                }
            }
            unsaid
        }
        (Order::Name, _) => {
            let is_here = |name: &RoomName| {
                asked.after.as_ref().is_none_or(|after| name > after)
                    && last.as_ref().is_none_or(|last| name < last)
            };
            awake.into_iter().filter(|(name, _)| is_here(name)).collect()
        }
    };
    others.sort();
    let unsaid = |(room, (waiting, people))| RoomEntry { room, latest: None, at: None, waiting, people };
    entries.extend(others.into_iter().map(unsaid));
    if asked.order == Order::Name {
        entries.sort_by(|a, b| a.room.cmp(&b.room));
        let more = more || entries.len() > asked.limit;
        entries.truncate(asked.limit);
        return Ok((entries, more));
    }
    Ok((entries, more))
}

/// The rooms that the store knows, one more than is asked for. Where some of them are not for the client, as private rooms
/// are for nobody, this reads on until there are enough: a short list would say how many it may not see.
fn stored(
    store: &dyn Store,
    asked: &ListRooms,
    is_seen: impl Fn(&RoomName) -> bool,
) -> Result<Vec<RoomSummary>, store::Error> {
    let wanted = asked.limit + 1;
    let mut portion = if asked.among.is_none() { wanted } else { ROOMS_LISTED_MAX };
    let mut found = Vec::new();
    let mut after = asked.after.clone();
    loop {
        let part = store.rooms(asked.order, after.as_ref(), portion)?;
        let is_last = part.len() < portion;
        portion = ROOMS_LISTED_MAX;
        after = part.last().map(|summary| summary.room.clone());
        found.extend(part.into_iter().filter(|summary| is_seen(&summary.room)));
        if is_last || found.len() >= wanted {
            found.truncate(wanted);
            return Ok(found);
        }
    }
}
