//! Routes: the addresses that the server has.

use super::fields::{cursor_in, decode};
use crate::config::ROOMS_ASKED_MAX;
use crate::message::{Cursor, Invalid, Kind, RoomName};
use crate::wire::path::LOGIN;
use crate::wire::refusal::Refusal;

/// An address of the server.
pub(super) enum Place {
    Lobby,
    Room(RoomName),
    /// Two rooms or more, each once, in the order in which they are named.
    Several(Vec<RoomName>),
    /// One room or more, each once.
    History(Vec<RoomName>),
    /// The file of a message.
    File(RoomName, Cursor),
    People(RoomName),
    Edit(RoomName),
    Delete(RoomName),
    /// Its rules, and who it is for.
    About(RoomName),
    /// To change one of its rules.
    Rule(Kind, RoomName),
    Leave(RoomName),
    Code(RoomName),
    Invite(RoomName),
    Login,
    Rooms,
    Asset(String),
    Health,
    Live,
    Metrics,
    Help,
    Description,
}

impl Place {
    /// The address that a path names.
    pub fn parse(path: &str) -> Result<Place, Refusal> {
        match path {
            "/" => return Ok(Place::Lobby),
            "/chat" | "/chat/" => return Ok(Place::Room(RoomName::lobby())),
            LOGIN => return Ok(Place::Login),
            "/rooms" => return Ok(Place::Rooms),
            "/health" => return Ok(Place::Health),
            "/health/live" => return Ok(Place::Live),
            "/metrics" => return Ok(Place::Metrics),
            "/help" => return Ok(Place::Help),
            "/openapi.json" => return Ok(Place::Description),
            _ => {}
        }
        if let Some(name) = path.strip_prefix("/page/") {
            return Ok(Place::Asset(name.to_owned()));
        }
        let rest = path.strip_prefix("/chat/").ok_or(Refusal::NotFound)?;
        let (room, part) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some(file) = part.strip_prefix("file/") {
            // What it is called stands behind it for whoever saves it.
            let of = cursor_in(&decode(file.split('/').next().unwrap_or_default())?)?;
            return match &rooms(&decode(room)?)?[..] {
                [room] => Ok(Place::File(room.clone(), of)),
                _ => Err(Refusal::OneRoom),
            };
        }
        let place: fn(RoomName) -> Place = match part {
            "" => Place::Room,
            "history" => |room| Place::History(vec![room]),
            "people" => Place::People,
            "edit" => Place::Edit,
            "delete" => Place::Delete,
            "about" => Place::About,
            "topic" => |room| Place::Rule(Kind::Topic, room),
            "mute" => |room| Place::Rule(Kind::Muted, room),
            "remove" => |room| Place::Rule(Kind::Removed, room),
            "allow" => |room| Place::Rule(Kind::Allowed, room),
            "slow" => |room| Place::Rule(Kind::Slowed, room),
            "lock" => |room| Place::Rule(Kind::Locked, room),
            "unlock" => |room| Place::Rule(Kind::Unlocked, room),
            "leave" => Place::Leave,
            "qr" => Place::Code,
            "invite" => Place::Invite,
            _ => return Err(Refusal::NotFound),
        };
        let names = decode(room)?;
        // As it is mostly, and then it takes no list.
        if !names.contains(',') {
            return one_room(&names).map(place);
        }
        let mut rooms = rooms(&names)?;
        match part {
            _ if rooms.len() == 1 => Ok(place(rooms.swap_remove(0))),
            "" => Ok(Place::Several(rooms)),
            "history" => Ok(Place::History(rooms)),
            _ => Err(Refusal::OneRoom),
        }
    }

    /// The methods that it allows, for the header `Allow`.
    pub fn allow(&self) -> &'static str {
        match self {
            Place::Room(_) | Place::Rooms | Place::Login => "GET, HEAD, POST, OPTIONS",
            Place::Edit(_) | Place::Delete(_) | Place::Rule(..) | Place::Leave(_) | Place::Invite(_) => {
                "POST, OPTIONS"
            }
            _ => "GET, HEAD, OPTIONS",
        }
    }
}

fn one_room(name: &str) -> Result<RoomName, Refusal> {
    name.parse().map_err(|e: Invalid| Refusal::BadRoom(e.0))
}

/// Rooms, separated by commas. One that is named twice counts once.
fn rooms(names: &str) -> Result<Vec<RoomName>, Refusal> {
    let mut rooms = Vec::new();
    for name in names.split(',') {
        let room = one_room(name)?;
        if !rooms.contains(&room) {
            rooms.push(room);
        }
        if rooms.len() > ROOMS_ASKED_MAX {
            return Err(Refusal::TooManyAsked);
        }
    }
    Ok(rooms)
}

/// A method as a label of a counter. All unknown methods share one.
pub fn known_method(method: &str) -> &'static str {
    ["GET", "HEAD", "POST", "OPTIONS"].into_iter().find(|known| *known == method).unwrap_or("other")
}

/// A path's route as a label of a counter.
pub fn route(path: &str) -> &'static str {
    let known = ["/", LOGIN, "/rooms", "/health", "/health/live", "/metrics", "/help", "/openapi.json"];
    if let Some(route) = known.into_iter().find(|known| *known == path) {
        return route;
    }
    if path.starts_with("/page/") {
        return "/page/FILE";
    }
    let rest = if path == "/chat" { Some("") } else { path.strip_prefix("/chat/") };
    let part = rest.map(|rest| rest.split_once('/').map_or("", |(_room, part)| part));
    match part {
        Some("") => "/chat/ROOM",
        Some("history") => "/chat/ROOM/history",
        Some("people") => "/chat/ROOM/people",
        Some(file) if file.starts_with("file/") => "/chat/ROOM/file",
        Some("edit") => "/chat/ROOM/edit",
        Some("delete") => "/chat/ROOM/delete",
        Some("about") => "/chat/ROOM/about",
        Some("topic") => "/chat/ROOM/topic",
        Some("mute") => "/chat/ROOM/mute",
        Some("remove") => "/chat/ROOM/remove",
        Some("allow") => "/chat/ROOM/allow",
        Some("slow") => "/chat/ROOM/slow",
        Some("lock") => "/chat/ROOM/lock",
        Some("unlock") => "/chat/ROOM/unlock",
        Some("leave") => "/chat/ROOM/leave",
        Some("qr") => "/chat/ROOM/qr",
        Some("invite") => "/chat/ROOM/invite",
        _ => "other",
    }
}
