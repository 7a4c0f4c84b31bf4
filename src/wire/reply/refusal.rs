//! Refusals: a sentence, or a problem in JSON (RFC 9457).

use serde::Serialize;

use super::parts::{HTML, PLAIN, Reply, json};
use super::status::reason;
use crate::message::RoomName;
use crate::page;
use crate::wire::path::room_path;
use crate::wire::refusal::{By, NotIn, Refusal, Why};
use crate::wire::request::{Format, Head, Written, room_of, written};

/// The answer to a request that was refused.
pub fn refused(format: Format, refusal: &Refusal) -> Reply {
    refused_with(format, refusal, None)
}

/// The same, with what somebody wrote who has to log in first.
fn refused_with(format: Format, refusal: &Refusal, written: Option<String>) -> Reply {
    let mut reply = match (format, refusal.not_in()) {
        // A problem is one line, so a reader of lines can read it too.
        (Format::Json | Format::JsonLines, _) => {
            #[derive(Serialize)]
            struct Problem {
                r#type: String,
                title: &'static str,
                status: u16,
                detail: String,
            }
            let problem = Problem {
                r#type: format!("urn:comet-chat:{}", refusal.code()),
                title: reason(refusal.status()),
                status: refusal.status(),
                detail: refusal.to_string(),
            };
            Reply::new(refusal.status(), "application/problem+json", json(&problem))
        }
        (Format::Html, Some(not_in)) => login(refusal, not_in, written),
        _ => Reply::new(refusal.status(), PLAIN, format!("{refusal}\n").into_bytes()),
    };
    if let Some(after) = refusal.retry_after() {
        reply = reply.with("Retry-After", after.to_string());
    }
    if let Refusal::NotIn(not_in) = refusal {
        reply = reply.with("WWW-Authenticate", not_in.challenge());
    }
    if let Some(allow) = refusal.allow() {
        reply = reply.with("Allow", allow);
    }
    reply
}

/// The answer to a browser that was refused: a page with the way back, and with what the person had written.
/// `prefix` is what every address begins with, and `target` the one that was asked for, without it.
pub fn refused_in_a_browser(
    head: &Head<'_>,
    (prefix, target): (&str, &str),
    body: &[u8],
    refusal: &Refusal,
) -> Reply {
    let format = head.format();
    if format != Format::Html {
        return refused(format, refusal);
    }
    let path = target.split('?').next().unwrap_or_default();
    let (room, written) = (room_of(path), written(head, path, body));
    if refusal.not_in().is_some() {
        // The session has ended meanwhile.
        return refused_with(format, refusal, written.map(|written| written.message));
    }
    let mut reply = refused(format, refusal);
    let title = match refusal {
        Refusal::NotFound => "There is nothing here",
        Refusal::BadRoom(_) => "There is no such room",
        _ if written.is_some() => "This was not sent",
        _ => "This did not work",
    };
    let html = page::render_refused(&page::Refused {
        title,
        sentence: match refusal {
            // Who reads this has no use for the help for scripts.
            Refusal::NotFound => "this address leads nowhere: it may be mistyped, or cut off".to_owned(),
            refusal => refusal.to_string(),
        },
        room: room.as_ref().map(RoomName::as_str),
        way_back: format!("{prefix}{}", room_path(room.as_ref().unwrap_or(&RoomName::lobby()))),
        written: written.as_ref().map(|Written { message, name }| page::Written { message, name }),
        prefix,
    });
    reply.body = html.into_bytes().into();
    for (_, value) in reply.headers.iter_mut().filter(|(name, _)| *name == "Content-Type") {
        *value = HTML.into();
    }
    reply.with("Content-Security-Policy", page::CSP)
}

/// The page on which somebody logs in.
fn login(refusal: &Refusal, not_in: &NotIn, written: Option<String>) -> Reply {
    let asked = matches!(refusal, Refusal::NotIn(NotIn { why: Why::Stranger, .. }));
    let html = page::render_login(&page::Login {
        // Who comes for the first time has made no mistake.
        problem: (!asked || not_in.by == By::Token).then(|| refusal.to_string()),
        to: &not_in.to,
        prefix: &not_in.prefix,
        by_passphrase: not_in.by == By::Passphrase,
        written,
    });
    Reply::new(refusal.status(), HTML, html.into_bytes()).with("Content-Security-Policy", page::CSP)
}
