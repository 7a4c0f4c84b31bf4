//! Refusals: a sentence, or a problem in JSON (RFC 9457).

use serde::Serialize;

use super::parts::{PLAIN, Reply, json};
use super::status::reason;
use crate::wire::refusal::Refusal;
use crate::wire::request::Format;

/// The answer to a request that was refused.
pub fn refused(format: Format, refusal: &Refusal) -> Reply {
    let mut reply = match format {
        // A problem is one line, so a reader of lines can read it too.
        Format::Json | Format::JsonLines => {
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
        _ => Reply::new(refusal.status(), PLAIN, format!("{refusal}\n").into_bytes()),
    };
    if let Some(after) = refusal.retry_after() {
        reply = reply.with("Retry-After", after.to_string());
    }
    if let Some(allow) = refusal.allow() {
        reply = reply.with("Allow", allow);
    }
    reply
}
