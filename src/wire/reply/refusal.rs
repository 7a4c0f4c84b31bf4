//! Refusals: a sentence, or a problem in JSON (RFC 9457).

use serde::Serialize;

use super::parts::{HTML, PLAIN, Reply, json};
use super::status::reason;
use crate::page;
use crate::wire::refusal::{By, NotIn, Refusal, Why};
use crate::wire::request::Format;

/// The answer to a request that was refused.
pub fn refused(format: Format, refusal: &Refusal) -> Reply {
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
        (Format::Html, Some(not_in)) => login(refusal, not_in),
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

/// The page on which somebody logs in.
fn login(refusal: &Refusal, not_in: &NotIn) -> Reply {
    let asked = matches!(refusal, Refusal::NotIn(NotIn { why: Why::Stranger, .. }));
    let html = page::render_login(&page::Login {
        // Who comes for the first time has made no mistake.
        problem: (!asked || not_in.by == By::Token).then(|| refusal.to_string()),
        to: &not_in.to,
        prefix: &not_in.prefix,
        by_passphrase: not_in.by == By::Passphrase,
    });
    Reply::new(refusal.status(), HTML, html.into_bytes()).with("Content-Security-Policy", page::CSP)
}
