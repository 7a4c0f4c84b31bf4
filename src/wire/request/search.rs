//! A search: its parameters.

use percent_encoding::utf8_percent_encode;

use super::fields::{cursor_in, fields, limit_in};
use super::head::Head;
use super::intent::Search;
use super::places::places;
use crate::config::{HISTORY_MAX, HITS};
use crate::message::{Invalid, RoomName};
use crate::room::After;
use crate::store::Start;
use crate::wire::path::SEGMENT;
use crate::wire::refusal::Refusal;

/// Says what a search asks for.
pub(super) fn search(
    head: &Head<'_>,
    rooms: Vec<RoomName>,
    words: &str,
    query: &str,
) -> Result<Search, Refusal> {
    let [before, limit] = fields(query, ["before", "limit"])?;
    let limit = limit.map_or(Ok(HITS), |limit| limit_in(&limit, HISTORY_MAX))?;
    Ok(Search {
        words: words.parse().map_err(|e: Invalid| Refusal::BadQuery(e.0))?,
        starts: starts(&rooms, before.as_deref())?,
        rooms,
        limit,
        format: head.format(),
        kept: format!("q={}&limit={limit}", utf8_percent_encode(words, SEGMENT)),
    })
}

/// Where the search begins in each of the rooms. The cursor of one room is a message, which was found or seen before. In
/// that of several rooms each place is itself still to be searched, as a room may have nothing behind it.
fn starts(rooms: &[RoomName], before: Option<&str>) -> Result<Vec<Start>, Refusal> {
    match (rooms, before) {
        ([_], Some(before)) => Ok(vec![Start::Before(cursor_in(before)?)]),
        (_, Some(word @ ("oldest" | "latest"))) => cursor_in(word).map(|_| Vec::new()),
        (_, before) => Ok(places(rooms, before)?.into_iter().map(start).collect()),
    }
}

/// A room that is new to the cursor is searched from its end.
fn start(place: After) -> Start {
    match place {
        After::Cursor(cursor) => Start::At(cursor),
        _ => Start::Newest,
    }
}
