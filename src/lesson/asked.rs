//! What is asked behind the stage.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::failures::Failure;
use super::levers::Moved;
use super::page;
use crate::wire::path::BACKSTAGE;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::Head;

/// What a request asks for.
#[derive(Debug)]
pub enum Asked {
    /// What is always the same: the page, a file of it, or which methods an address allows.
    Reply(Reply),
    /// What happens, as it happens.
    Frames,
    /// To move levers.
    Levers(Moved),
    /// To begin a failure, or to end it.
    Failure(Failure, bool),
    /// To call what blocks.
    Stall,
}

/// An address behind the stage.
enum Place {
    Page,
    File(&'static page::File),
    Events,
    Levers,
    Failure(Failure),
    Stall,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switched {
    on: bool,
}

/// Says what a request asks for. `target` is as this server names it.
pub fn parse(head: &Head<'_>, target: &str, body: &[u8]) -> Result<Asked, Refusal> {
    let path = target.split('?').next().unwrap_or_default();
    let place = place(path.strip_prefix(BACKSTAGE).unwrap_or_default()).ok_or(Refusal::NotFound)?;
    let allow = match place {
        Place::Page | Place::File(_) | Place::Events => "GET, HEAD, OPTIONS",
        _ => "POST, OPTIONS",
    };
    match (head.method, place) {
        ("OPTIONS", _) => Ok(Asked::Reply(reply::options(allow))),
        ("GET" | "HEAD", Place::Page) => Ok(Asked::Reply(page::page())),
        ("GET" | "HEAD", Place::File(file)) => Ok(Asked::Reply(file.reply())),
        ("GET" | "HEAD", Place::Events) => Ok(Asked::Frames),
        ("POST", Place::Levers) => Ok(Asked::Levers(json::<Moved>(body, Moved::WANTED)?.within_bounds()?)),
        ("POST", Place::Failure(failure)) => {
            let wanted = "say whether it is to be: {\"on\":true} or {\"on\":false}";
            Ok(Asked::Failure(failure, json::<Switched>(body, wanted)?.on))
        }
        ("POST", Place::Stall) => Ok(Asked::Stall),
        _ => Err(Refusal::MethodNotAllowed(allow)),
    }
}

fn place(rest: &str) -> Option<Place> {
    match rest.strip_prefix('/') {
        None => rest.is_empty().then_some(Place::Page),
        Some("events") => Some(Place::Events),
        Some("levers") => Some(Place::Levers),
        Some("stall") => Some(Place::Stall),
        Some(name) => match name.strip_prefix("failures/") {
            Some(name) => Failure::named(name).map(Place::Failure),
            None => page::file(name).map(Place::File),
        },
    }
}

fn json<T: DeserializeOwned>(body: &[u8], wanted: &'static str) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::BadForm(wanted))
}
