//! Routes: the addresses that the server has.

use super::fields::decode;
use crate::message::{Invalid, RoomName};
use crate::wire::refusal::Refusal;

/// An address of the server.
pub(super) enum Place {
    Lobby,
    Room(RoomName),
    History(RoomName),
    People(RoomName),
    Leave(RoomName),
    Code(RoomName),
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
        let place = match part {
            "" => Place::Room,
            "history" => Place::History,
            "people" => Place::People,
            "leave" => Place::Leave,
            "qr" => Place::Code,
            _ => return Err(Refusal::NotFound),
        };
        Ok(place(decode(room)?.parse().map_err(|e: Invalid| Refusal::BadRoom(e.0))?))
    }

    /// The methods that it allows, for the header `Allow`.
    pub fn allow(&self) -> &'static str {
        match self {
            Place::Room(_) => "GET, HEAD, POST, OPTIONS",
            Place::Leave(_) => "POST, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        }
    }
}

/// A method as a label of a counter. All unknown methods share one.
pub fn known_method(method: &str) -> &'static str {
    ["GET", "HEAD", "POST", "OPTIONS"].into_iter().find(|known| *known == method).unwrap_or("other")
}

/// A path's route as a label of a counter.
pub fn route(path: &str) -> &'static str {
    let known = ["/", "/rooms", "/health", "/health/live", "/metrics", "/help", "/openapi.json"];
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
        Some("leave") => "/chat/ROOM/leave",
        Some("qr") => "/chat/ROOM/qr",
        _ => "other",
    }
}
