//! Refusals: a sentence, or a problem in JSON (RFC 9457).

use serde::Serialize;

use super::parts::{PLAIN, Reply, json};
use super::status::reason;
use crate::message::RoomName;
use crate::page::{self, Language};
use crate::wire::path::room_path;
use crate::wire::refusal::{By, NotIn, Refusal, Why};
use crate::wire::request::{Format, Head, Written, room_of, written};

/// The answer to a request that was refused.
pub fn refused(format: Format, refusal: &Refusal) -> Reply {
    refused_with(format, refusal, Language::DEFAULT, None)
}

/// The same, with what somebody wrote who has to log in first.
fn refused_with(format: Format, refusal: &Refusal, language: Language, written: Option<String>) -> Reply {
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
        (Format::Html, Some(not_in)) => login(refusal, not_in, language, written),
        _ => Reply::new(refusal.status(), PLAIN, format!("{refusal}\n").into_bytes()),
    };
    if let Some(after) = refusal.retry_after() {
        reply = reply.with("Retry-After", after.to_string());
    }
    if let Refusal::NotIn(not_in) = refusal {
        reply = reply.with("WWW-Authenticate", not_in.challenge());
    }
    if let Refusal::NoSuchPart(length) = refusal {
        reply = reply.with("Content-Range", format!("bytes */{length}"));
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
    let (format, language) = (head.format(), head.language());
    if format != Format::Html {
        return refused(format, refusal);
    }
    let path = target.split('?').next().unwrap_or_default();
    let (room, written) = (room_of(path), written(head, path, body));
    if refusal.not_in().is_some() {
        // The session has ended meanwhile.
        return refused_with(format, refusal, language, written.map(|written| written.message));
    }
    let plain = refused(format, refusal);
    let title = language.say(match refusal {
        Refusal::NotFound => "refused.nothing",
        Refusal::BadRoom(_) => "refused.room",
        _ if written.is_some() => "refused.not-sent",
        _ => "refused.failed",
    });
    let html = page::render_refused(&page::Refused {
        language,
        title,
        sentence: sentence(refusal, language),
        room: room.as_ref().map(RoomName::as_str),
        way_back: format!("{prefix}{}", room_path(room.as_ref().unwrap_or(&RoomName::lobby()))),
        written: written.as_ref().map(|Written { message, name }| page::Written { message, name }),
        prefix,
    });
    let mut page = Reply::page(refusal.status(), html, language);
    let is_known = |name: &str| page.headers.iter().any(|(known, _)| *known == name);
    let more: Vec<_> = plain.headers.into_iter().filter(|(name, _)| !is_known(name)).collect();
    page.headers.extend(more);
    page
}

/// Why it was refused, as a person is told. What only programs can do wrong is said in English.
fn sentence(refusal: &Refusal, language: Language) -> String {
    let seconds = refusal.retry_after().unwrap_or(1).to_string();
    let name = match refusal {
        Refusal::NameTaken(name) => name.as_str(),
        _ => "",
    };
    let said = match refusal {
        // Who reads this has no use for the help for scripts.
        Refusal::NotFound => Some(language.say("refused.lost").to_owned()),
        Refusal::NotIn(NotIn { why: Why::WrongPassphrase, .. }) => {
            Some(language.say("login.wrong").to_owned())
        }
        Refusal::NotIn(NotIn { why: Why::NoInvite, .. }) => Some(language.say("login.no-invite").to_owned()),
        _ => language.problem(refusal.code(), &[("name", name), ("seconds", &seconds)]),
    };
    said.unwrap_or_else(|| as_sentence(&refusal.to_string()))
}

/// With a capital letter and a full stop.
fn as_sentence(words: &str) -> String {
    let (first, rest) = words.split_at(words.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}.", first.to_uppercase())
}

/// The page on which somebody logs in.
fn login(refusal: &Refusal, not_in: &NotIn, language: Language, written: Option<String>) -> Reply {
    let asked = matches!(refusal, Refusal::NotIn(NotIn { why: Why::Stranger, .. }));
    let html = page::render_login(&page::Login {
        language,
        // Who comes for the first time has made no mistake.
        problem: (!asked || not_in.by == By::Token).then(|| sentence(refusal, language)),
        to: &not_in.to,
        prefix: &not_in.prefix,
        by_passphrase: not_in.by == By::Passphrase,
        written,
    });
    Reply::page(refusal.status(), html, language)
}
