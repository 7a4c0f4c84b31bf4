//! A wait: its parameters.

use std::borrow::Cow;
use std::fmt::{Display, Write};
use std::time::Duration;

use percent_encoding::utf8_percent_encode;

use super::fields::{fields, limit_in, name_in, number_in};
use super::format::Format;
use super::head::Head;
use super::intent::Poll;
use super::key::claim;
use super::places::places;
use super::wait::{preferred, seconds, spread};
use crate::config::{HOLD, REPLY_MESSAGES};
use crate::message::{Invalid, Kinds, RoomName, Seal};
use crate::room::Wants;
use crate::wire::path::SEGMENT;
use crate::wire::refusal::Refusal;

/// Says what a wait asks for.
pub(super) fn poll(head: &Head<'_>, rooms: Vec<RoomName>, query: &str, seal: &Seal) -> Result<Poll, Refusal> {
    let names = ["after", "last", "limit", "kinds", "wait", "name", "present", "lastEventId"];
    let [after, last, limit, kinds, wait, name, present, last_seen] = fields(query, names)?;
    let last = match (last, &after) {
        (None, _) => None,
        (Some(_), Some(_)) => return Err(Refusal::BadLast),
        (Some(last), None) => Some(number_in(&last, 0..=REPLY_MESSAGES).ok_or(Refusal::BadLast)?),
    };
    // An EventSource that reconnects repeats its address, and names the last event that it got in a header.
    // Clients that can't set headers name it in the query.
    let last_seen = head.header("Last-Event-ID").map(Cow::from).or(last_seen);
    let (after, last) = match last_seen.filter(|id| !id.is_empty()) {
        None => (after, last),
        last_seen => (last_seen, None),
    };
    let follows = after.is_some() || last.is_some();
    let limit = limit.map(|limit| limit_in(&limit, REPLY_MESSAGES)).transpose()?;
    let kinds: Option<Kinds> =
        kinds.map(|kinds| kinds.parse()).transpose().map_err(|e: Invalid| Refusal::BadKinds(e.0))?;
    let wait = wait.map(|wait| seconds(&wait).ok_or(Refusal::BadWait)).transpose()?;
    let name = name_in(name.as_deref())?;
    let claim = claim(head, query, None, seal)?;
    let encoded = |text| utf8_percent_encode(text, SEGMENT);
    let kinds_kept = kinds.map(|kinds| kinds.to_string());
    let mut kept = String::new();
    keep(&mut kept, "wait", wait.map(|wait| wait.as_secs_f64()));
    keep(&mut kept, "name", name.as_ref().map(|name| encoded(name.as_str())));
    keep(&mut kept, "present", present.as_deref().map(encoded));
    keep(&mut kept, "kinds", kinds_kept.as_deref().map(encoded));
    keep(&mut kept, "limit", limit);
    let preferred = if wait.is_none() { preferred(head) } else { None };
    let hold = wait.or(preferred).unwrap_or(HOLD);
    // A HEAD never waits, and does not make its sender present.
    let is_head = head.is_head();
    let hold = match follows {
        _ if is_head => Duration::ZERO,
        false => hold,
        true => spread(hold),
    };
    let format = head.format();
    Ok(Poll {
        present: present.map(|present| present_in(&rooms, &present)).transpose()?,
        after: places(&rooms, after.as_deref())?,
        rooms,
        follows,
        last,
        wants: wants(format, kinds, limit),
        hold,
        preferred,
        name: name.filter(|_| !is_head),
        claim,
        format,
        kept,
    })
}

/// Adds a parameter that `next` repeats, if it was given.
fn keep(kept: &mut String, name: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        // Writing to a string can't fail.
        let _ = write!(kept, "&{name}={value}");
    }
}

/// The rooms of this list, which are among those that are asked for.
fn present_in(rooms: &[RoomName], list: &str) -> Result<Vec<RoomName>, Refusal> {
    let asked_for = |name: &str| name.parse().ok().filter(|room| rooms.contains(room));
    list.split(',').map(asked_for).collect::<Option<_>>().ok_or(Refusal::BadPresent)
}

/// Which messages an answer in this form carries, and how many of them.
fn wants(format: Format, kinds: Option<Kinds>, limit: Option<usize>) -> Wants {
    let (all, most) = match format {
        Format::Plain | Format::Html => (Kinds::MESSAGES, 1),
        Format::Json => (Kinds::ALL, limit.unwrap_or(REPLY_MESSAGES)),
        Format::EventStream | Format::JsonLines => (Kinds::ALL, limit.unwrap_or(usize::MAX)),
    };
    Wants { kinds: kinds.unwrap_or(all), limit: most }
}
