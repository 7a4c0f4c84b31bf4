//! GET requests: waiting and looking.

use super::fields::{cursor_in, fields, limit_in, name_in, owned};
use super::format::Format;
use super::head::Head;
use super::intent::{About, Fetch, FileAsked, History, Intent, Known, ListRooms, Login, Past, View};
use super::poll::poll;
use super::range::PartAsked;
use super::route::Place;
use super::search::search;
use crate::config::{HISTORY, HISTORY_MAX, ROOMS_LISTED, ROOMS_LISTED_MAX};
use crate::message::{Invalid, RoomName, Seal};
use crate::store::{Order, Part};
use crate::wire::refusal::Refusal;

/// Says what a GET or HEAD asks for.
pub(super) fn get(head: &Head<'_>, place: Place, query: &str, seal: &Seal) -> Result<Intent, Refusal> {
    match place {
        Place::Lobby => Ok(Intent::Elsewhere(RoomName::lobby())),
        Place::Help => Ok(Intent::Help),
        Place::Description => Ok(Intent::Description),
        Place::Health => Ok(Intent::Health),
        Place::Live => Ok(Intent::Live),
        Place::Metrics => Ok(Intent::Metrics(head.exposition())),
        Place::Rooms => rooms(head, query).map(Intent::Rooms),
        Place::Asset(name) => Ok(Intent::Asset(fetch(head, name))),
        Place::Code(room) => view(head, room, query).map(Intent::Code),
        Place::Room(room) => match head.format() {
            Format::Html => view(head, room, query).map(Intent::Page),
            _ => wait(head, vec![room], query, seal),
        },
        Place::Several(mut rooms) => match head.format() {
            Format::Html => Ok(Intent::Elsewhere(rooms.swap_remove(0))),
            _ => wait(head, rooms, query, seal),
        },
        Place::History(rooms) => past(head, rooms, query).map(Intent::Past),
        Place::File(room, of) => {
            let (known, part) = (known(head), PartAsked::of(head));
            Ok(Intent::Past(Past::File(FileAsked { room, of, known, part })))
        }
        Place::People(room) => Ok(Intent::People(room)),
        Place::Login => {
            let [to] = fields(query, ["to"])?;
            Ok(Intent::Login(Login::to(owned(to), None)))
        }
        Place::About(room) => {
            Ok(Intent::Past(Past::About(About { room, is_operator: false, format: head.format() })))
        }
        Place::Edit(_) | Place::Delete(_) | Place::Rule(..) | Place::Leave(_) | Place::Invite(_) => {
            Err(Refusal::MethodNotAllowed(place.allow()))
        }
    }
}

fn wait(head: &Head<'_>, rooms: Vec<RoomName>, query: &str, seal: &Seal) -> Result<Intent, Refusal> {
    let poll = poll(head, rooms, query, seal)?;
    Ok(match poll.format {
        Format::EventStream | Format::JsonLines => Intent::Stream(poll),
        _ => Intent::Poll(poll),
    })
}

pub(super) fn view(head: &Head<'_>, room: RoomName, query: &str) -> Result<View, Refusal> {
    let [name, view, origin] = fields(query, ["name", "view", "origin"])?;
    Ok(View {
        room,
        language: head.language(),
        origin: owned(origin),
        name: name_in(name.as_deref())?,
        is_told: false,
        backlog: view.as_deref() == Some("backlog"),
        has_files: has_files(head),
        host: head.header("Host").map(str::to_owned),
        invite: None,
    })
}

/// Whether a browser has the files of the page, as far as one can know. Where there can be a worker, browsers send
/// `Sec-Fetch-Mode`, and the worker, which keeps the files, is there from the second visit on. Elsewhere a browser does
/// not say whether this is its first visit: it may have them.
fn has_files(head: &Head<'_>) -> bool {
    let has_worker = head.header("Service-Worker-Navigation-Preload").is_some();
    has_worker || head.header("Sec-Fetch-Mode").is_none_or(|mode| mode != "navigate")
}

fn fetch(head: &Head<'_>, name: String) -> Fetch {
    Fetch { name, gzip: head.takes_gzip(), known: known(head) }
}

fn known(head: &Head<'_>) -> Known {
    let listed = head.header_values("If-None-Match").flat_map(|value| value.split(',')).map(str::trim);
    Known(listed.map(str::to_owned).collect())
}

fn past(head: &Head<'_>, mut rooms: Vec<RoomName>, query: &str) -> Result<Past, Refusal> {
    let [words] = fields(query, ["q"])?;
    match (words, rooms.pop()) {
        (None, Some(room)) if rooms.is_empty() => history(head, room, query).map(Past::Part),
        (None, _) => Err(Refusal::OneRoom),
        (Some(words), last) => {
            rooms.extend(last);
            search(head, rooms, &words, query).map(Past::Search)
        }
    }
}

fn history(head: &Head<'_>, room: RoomName, query: &str) -> Result<History, Refusal> {
    let [before, around, at, limit] = fields(query, ["before", "around", "at", "limit"])?;
    let part = match (before, around, at) {
        (None, None, None) => Part::Newest,
        (Some(before), None, None) => Part::Before(cursor_in(&before)?),
        (None, Some(around), None) => Part::Around(cursor_in(&around)?),
        (None, None, Some(at)) => Part::From(at.parse().map_err(|_| Refusal::BadTime)?),
        _ => return Err(Refusal::BadPart),
    };
    let limit = limit.map_or(Ok(HISTORY), |limit| limit_in(&limit, HISTORY_MAX))?;
    Ok(History { room, part, limit, format: head.format() })
}

fn rooms(head: &Head<'_>, query: &str) -> Result<ListRooms, Refusal> {
    let [order, after, limit] = fields(query, ["order", "after", "limit"])?;
    let order = match order.as_deref() {
        None | Some("name") => Order::Name,
        Some("recent") => Order::Recent,
        Some(_) => return Err(Refusal::BadOrder),
    };
    let after = after.map(|name| RoomName::accepted_before(&name)).transpose();
    let after = after.map_err(|e: Invalid| Refusal::BadRoom(e.0))?;
    let limit = limit.map_or(Ok(ROOMS_LISTED), |limit| limit_in(&limit, ROOMS_LISTED_MAX))?;
    Ok(ListRooms { order, among: None, after, limit, format: head.format() })
}
