//! GET requests: waiting and looking.

use std::time::Duration;

use percent_encoding::utf8_percent_encode;

use super::accept::Format;
use super::fields::{cursor_in, fields, name_in, seconds};
use super::head::Head;
use super::intent::{Fetch, History, Intent, ListRooms, Poll, View};
use super::route::Place;
use crate::config::{HISTORY, HISTORY_MAX, HOLD, HOLD_MAX, ROOMS_LISTED, ROOMS_LISTED_MAX};
use crate::message::{Invalid, RoomName};
use crate::room::After;
use crate::store::Order;
use crate::wire::path::SEGMENT;
use crate::wire::refusal::Refusal;

/// Says what a GET or HEAD asks for.
pub(super) fn get(head: &Head<'_>, place: Place, query: &str) -> Result<Intent, Refusal> {
    match place {
        Place::Lobby => Ok(Intent::Lobby),
        Place::Help => Ok(Intent::Help),
        Place::Health => Ok(Intent::Health),
        Place::Live => Ok(Intent::Live),
        Place::Metrics => Ok(Intent::Metrics(head.exposition())),
        Place::Rooms => rooms(head, query).map(Intent::Rooms),
        Place::Asset(name) => Ok(Intent::Asset(fetch(head, name))),
        Place::Code(room) => view(head, room, query).map(Intent::Code),
        Place::Room(room) => match head.format() {
            Format::Html => view(head, room, query).map(Intent::Page),
            Format::EventStream => poll(head, room, query).map(Intent::Stream),
            _ => poll(head, room, query).map(Intent::Poll),
        },
        Place::History(room) => history(head, room, query).map(Intent::History),
        Place::People(room) => Ok(Intent::People(room)),
        Place::Leave(_) => Err(Refusal::MethodNotAllowed(place.allow())),
    }
}

fn view(head: &Head<'_>, room: RoomName, query: &str) -> Result<View, Refusal> {
    let [name, view, origin] = fields(query, ["name", "view", "origin"])?;
    Ok(View {
        room,
        origin,
        name: name_in(name)?,
        backlog: view.as_deref() == Some("backlog"),
        host: head.header("Host").map(str::to_owned),
    })
}

fn fetch(head: &Head<'_>, name: String) -> Fetch {
    let listed = |header| head.header_values(header).flat_map(|value| value.split(',')).map(str::trim);
    Fetch { name, gzip: head.takes_gzip(), known: listed("If-None-Match").map(str::to_owned).collect() }
}

fn poll(head: &Head<'_>, room: RoomName, query: &str) -> Result<Poll, Refusal> {
    let [after, wait, name, last_seen] = fields(query, ["after", "wait", "name", "lastEventId"])?;
    // An EventSource that reconnects repeats its address, and names the last event that it got in a header.
    // Clients that can't set headers name it in the query.
    let header = head.header("Last-Event-ID");
    let last_seen = header.or(last_seen.as_deref()).filter(|id| !id.is_empty());
    let after = match last_seen.or(after.as_deref()) {
        None => None,
        Some("oldest") => Some(After::Oldest),
        Some("latest") => Some(After::Latest),
        Some(cursor) => Some(After::Cursor(cursor_in(cursor)?)),
    };
    let wait = wait.map(|wait| seconds(&wait).ok_or(Refusal::BadWait)).transpose()?;
    let name = name_in(name)?;
    let mut kept = wait.map_or(String::new(), |wait| format!("&wait={}", wait.as_secs_f64()));
    if let Some(name) = &name {
        kept += &format!("&name={}", utf8_percent_encode(name.as_str(), SEGMENT));
    }
    let preferred = if wait.is_none() { preferred_wait(head) } else { None };
    // A HEAD never waits, and does not make its sender present.
    let is_head = head.is_head();
    Ok(Poll {
        room,
        after,
        hold: if is_head { Duration::ZERO } else { wait.or(preferred).unwrap_or(HOLD) },
        preferred: preferred.is_some(),
        name: name.filter(|_| !is_head),
        format: head.format(),
        kept,
    })
}

fn history(head: &Head<'_>, room: RoomName, query: &str) -> Result<History, Refusal> {
    let [before, limit] = fields(query, ["before", "limit"])?;
    let before = before.as_deref().map(cursor_in).transpose()?;
    let limit = limit.map_or(Ok(HISTORY), |limit| limit.parse().map_err(|_| Refusal::BadLimit))?;
    if !(1..=HISTORY_MAX).contains(&limit) {
        return Err(Refusal::BadLimit);
    }
    Ok(History { room, before, limit, format: head.format() })
}

fn rooms(head: &Head<'_>, query: &str) -> Result<ListRooms, Refusal> {
    let [order, after, limit] = fields(query, ["order", "after", "limit"])?;
    let order = match order.as_deref() {
        None | Some("name") => Order::Name,
        Some("recent") => Order::Recent,
        Some(_) => return Err(Refusal::BadOrder),
    };
    let after = after.map(|name| name.parse()).transpose().map_err(|e: Invalid| Refusal::BadRoom(e.0))?;
    let limit = limit.map_or(Ok(ROOMS_LISTED), |limit| limit.parse().map_err(|_| Refusal::BadLimit))?;
    if !(1..=ROOMS_LISTED_MAX).contains(&limit) {
        return Err(Refusal::BadLimit);
    }
    Ok(ListRooms { order, after, limit, format: head.format() })
}

/// `Prefer: wait=N` (RFC 7240). A malformed preference is ignored, as the RFC asks. More than [`HOLD_MAX`]
/// becomes [`HOLD_MAX`].
fn preferred_wait(head: &Head<'_>) -> Option<Duration> {
    let preferences = head.header_values("Prefer").flat_map(|value| value.split([',', ';']));
    let wait = |preference: &str| {
        let (name, value) = preference.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("wait") {
            return None;
        }
        value.trim().trim_matches('"').parse().ok()
    };
    let seconds = preferences.filter_map(wait).next()?;
    Some(Duration::from_secs(seconds).min(HOLD_MAX))
}
