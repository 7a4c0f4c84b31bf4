//! Answers to speaking and leaving.

use percent_encoding::utf8_percent_encode;
use serde::Serialize;

use super::parts::{JSON, PLAIN, Reply, json};
use crate::message::Cursor;
use crate::room::Published;
use crate::wire::path::{SEGMENT, room_path};
use crate::wire::request::{Format, Publish};

/// The answer to a message that is stored and handed to every waiter.
pub fn published(publish: &Publish, published: Published) -> Reply {
    let reply = match publish.format {
        Format::Json => {
            #[derive(Serialize)]
            struct Body {
                id: Cursor,
                delivered: usize,
            }
            Reply::new(200, JSON, json(&Body { id: published.id, delivered: published.delivered }))
        }
        Format::Plain | Format::EventStream | Format::JsonLines => Reply::new(200, PLAIN, &b"ok"[..]),
        // A browser without JavaScript sent the page's form: it is sent back to the page.
        Format::Html => {
            let name = publish
                .name
                .as_ref()
                .filter(|_| !publish.kind.is_for_operators())
                .map(|name| utf8_percent_encode(name.as_str(), SEGMENT).to_string());
            let query = name.map_or(String::new(), |name| format!("?name={name}"));
            Reply::new(303, PLAIN, &b"ok"[..]).with("Location", room_path(&publish.room) + &query)
        }
    };
    reply.with("Chat-Cursor", published.id.to_string())
}

/// The answer to a person who left.
pub fn left() -> Reply {
    Reply::new(200, PLAIN, &b"ok"[..])
}
