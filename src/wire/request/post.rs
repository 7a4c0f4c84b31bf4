//! POST requests: speaking, changing what was said, and leaving.

use std::time::Duration;

use super::body::{Said, form, not_plain_text, said};
use super::fields::{cursor_in, fields, name_in, owned};
use super::get::view;
use super::head::Head;
use super::intent::{Intent, Leave, Login, NewRoom, Publish};
use super::key::claim;
use super::route::Place;
use super::rule;
use super::wait::seconds;
use crate::message::{Kind, Person, RoomName, Seal, SendId, has_something_visible};
use crate::wire::refusal::Refusal;

/// Says what a POST asks for.
pub(super) fn post(
    head: &Head<'_>,
    place: Place,
    query: &str,
    body: &[u8],
    seal: &Seal,
) -> Result<Intent, Refusal> {
    match place {
        Place::Room(room) => publish(head, (room, Kind::Message), query, body, seal).map(Intent::Publish),
        Place::Edit(room) => publish(head, (room, Kind::Edited), query, body, seal).map(Intent::Publish),
        Place::Delete(room) => publish(head, (room, Kind::Deleted), query, body, seal).map(Intent::Publish),
        Place::Rule(kind, room) => publish(head, (room, kind), query, body, seal).map(Intent::Publish),
        Place::Rooms => new_room(head, query).map(Intent::NewRoom),
        Place::Several(_) => Err(Refusal::OneRoom),
        Place::Leave(room) => {
            let Said { name, key, .. } = said(head, query, body)?;
            let name = name_in(name.as_deref())?.ok_or(Refusal::BadForm("say who leaves: send name=NAME"))?;
            let who = Person { name, claim: claim(head, query, key, seal)? };
            let [wait] = fields(query, ["wait"])?;
            let wait = wait.map_or(Some(Duration::ZERO), |wait| seconds(&wait)).ok_or(Refusal::BadWait)?;
            Ok(Intent::Leave(Leave { room, who, wait }))
        }
        Place::Invite(room) => view(head, room, query).map(Intent::Invite),
        Place::Login => {
            let [passphrase, to] = fields(form(head, body)?, ["passphrase", "to"])?.map(owned);
            let passphrase = passphrase.ok_or(Refusal::BadForm("log in: send passphrase=PASSPHRASE"))?;
            Ok(Intent::Login(Login::to(to, Some(passphrase))))
        }
        _ => Err(Refusal::MethodNotAllowed(place.allow())),
    }
}

fn new_room(head: &Head<'_>, query: &str) -> Result<NewRoom, Refusal> {
    Ok(NewRoom { view: view(head, RoomName::private(), query)?, format: head.format() })
}

fn publish(
    head: &Head<'_>,
    (room, kind): (RoomName, Kind),
    query: &str,
    body: &[u8],
    seal: &Seal,
) -> Result<Publish, Refusal> {
    if kind.is_rule() {
        not_plain_text(head)?;
    }
    let said = said(head, query, body)?;
    let rule = kind.is_rule().then(|| rule::text(kind, &said)).transpose()?;
    let Said { message, name, id, key, of, reply_to, file, .. } = said;
    let text = match (kind, rule) {
        (_, Some(text)) => text,
        (Kind::Deleted, _) => String::new(),
        (Kind::Message, _) if file.is_some() => {
            message.filter(|text| has_something_visible(text)).unwrap_or_default()
        }
        _ => message.filter(|text| has_something_visible(text)).ok_or(Refusal::EmptyMessage)?,
    };
    if file.is_some() && kind != Kind::Message {
        return Err(Refusal::BadForm(
            "a file comes with a message, and stays as it is: send it with a new one",
        ));
    }
    let of = match kind {
        _ if kind.is_rule() => None,
        Kind::Message => reply_to.filter(|reply_to| !reply_to.is_empty()),
        _ => Some(of.ok_or(Refusal::BadForm("say which message: send of=CURSOR, the id of the message"))?),
    };
    let of = of.as_deref().map(cursor_in).transpose()?;
    let id = id.as_deref().or(head.header("Idempotency-Key"));
    let send_id = id.map(str::parse::<SendId>).transpose().map_err(|e| Refusal::BadId(e.0))?;
    let (name, claim) = (name_in(name.as_deref())?, claim(head, query, key, seal)?);
    Ok(Publish { room, kind, name, claim, text, of, file, send_id, format: head.format() })
}
