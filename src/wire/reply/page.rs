//! The web page, its files and its QR code.

use serde::Serialize;

use super::parts::{JSON, PLAIN, Reply, json};
use crate::address::Site;
use crate::clock::Timestamp;
use crate::message::{Cursor, RoomName};
use crate::page;
use crate::store::Tail;
use crate::wire::path::room_path;
use crate::wire::refusal::Refusal;
use crate::wire::request::{Fetch, Format, NewRoom, View};

/// A room's page. `tail` is the end of the room's order, and `next` the cursor to follow from there.
pub fn room_page(view: &View, tail: &Tail, next: Cursor, site: &Site) -> Reply {
    let html = if view.backlog {
        page::render_backlog(view.language, site.prefix(), &view.room, &tail.messages)
    } else {
        page::render(&page::Page {
            language: view.language,
            room: &view.room,
            messages: &tail.messages,
            rules: &tail.rules,
            next,
            address: &address(view, site),
            is_public: site.public.is_some(),
            prefix: site.prefix(),
            invites: view.invite.is_some(),
            name: view.name.as_ref(),
            is_told: view.is_told,
            upload_limit: site.upload_limit,
            has_files: view.has_files,
        })
    };
    Reply::page(200, html, view.language)
}

/// A room's address as a QR code: an invite, if it takes one to come in.
pub fn room_code(view: &View, site: &Site) -> Result<Reply, Refusal> {
    let svg = page::qr_svg(&inviting(view, site)).ok_or(Refusal::NotFound)?;
    Ok(Reply::new(200, page::SVG, svg.into_bytes()).with("Content-Security-Policy", page::policy()))
}

/// An address that lets somebody in for a while.
pub fn invited(format: Format, view: &View, site: &Site) -> Reply {
    let url = inviting(view, site);
    match format {
        Format::Json => {
            #[derive(Serialize)]
            struct Body {
                url: String,
                expires: Option<Timestamp>,
            }
            let expires = view.invite.as_ref().map(|invite| invite.ends);
            Reply::new(200, JSON, json(&Body { url, expires }))
        }
        _ => Reply::new(200, PLAIN, format!("{url}\n").into_bytes()),
    }
}

/// The answer to somebody who is given a private room.
pub fn new_room(new: &NewRoom, site: &Site) -> Reply {
    let (room, url) = (&new.view.room, address(&new.view, site));
    let reply = match new.format {
        Format::Json => {
            #[derive(Serialize)]
            struct Body<'a> {
                room: &'a RoomName,
                url: String,
            }
            Reply::new(201, JSON, json(&Body { room, url }))
        }
        // A browser without scripts goes there.
        Format::Html => Reply::new(303, PLAIN, &b"ok"[..]),
        _ => Reply::new(201, PLAIN, format!("{url}\n").into_bytes()),
    };
    reply.with("Location", room_path(room))
}

/// The room's address, with the invite.
fn inviting(view: &View, site: &Site) -> String {
    let invite = view.invite.as_ref().map_or(String::new(), |invite| format!("?invite={}", invite.token));
    address(view, site) + &invite
}

fn address(view: &View, site: &Site) -> String {
    site.base(view.host.as_deref().unwrap_or("localhost"), view.origin.as_deref()) + &room_path(&view.room)
}

/// A file of the page; 304 if the browser has this version.
pub fn asset(fetch: &Fetch) -> Result<Reply, Refusal> {
    let asset = page::asset(&fetch.name).ok_or(Refusal::NotFound)?;
    let etag = asset.etag(fetch.gzip);
    let reply = if fetch.known.has(&etag) {
        Reply::empty(304)
    } else if fetch.gzip {
        Reply::new(200, asset.content_type, asset.gzip()).with("Content-Encoding", "gzip")
    } else {
        Reply::new(200, asset.content_type, asset.plain())
    };
    let reply = asset
        .headers
        .iter()
        .fold(reply.without(&["Cache-Control", "Vary"]), |reply, (name, value)| reply.with(name, *value));
    Ok(reply.with("ETag", etag).with("Vary", "Accept-Encoding"))
}
