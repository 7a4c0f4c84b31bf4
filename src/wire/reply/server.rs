//! What the server says of itself: health, figures, help.

use std::borrow::Cow;

use super::parts::{JSON, PLAIN, Reply};
use crate::address::{PublicUrl, Site};
use crate::message::RoomName;
use crate::wire::path::room_path;
use crate::wire::request::{Exposition, Format, Login};

/// What `/health` says in JSON.
const HEALTHY: &str = concat!(r#"{"status":"ok","version":""#, env!("CARGO_PKG_VERSION"), r#""}"#);

/// Says that the server works.
pub fn healthy(format: Format) -> Reply {
    match format {
        Format::Json => Reply::new(200, JSON, HEALTHY.as_bytes()),
        _ => Reply::new(200, PLAIN, &b"ok"[..]),
    }
}

/// The server's figures in the format that was asked for. `figures` is in OpenMetrics.
pub fn metrics(exposition: Exposition, figures: String) -> Reply {
    let (content_type, text) = match exposition {
        Exposition::OpenMetrics => ("application/openmetrics-text; version=1.0.0; charset=utf-8", figures),
        Exposition::Prometheus => ("text/plain; version=0.0.4; charset=utf-8", as_prometheus(&figures)),
    };
    Reply::new(200, content_type, text.into_bytes())
}

/// The help in plain text.
pub fn help(site: &Site) -> Reply {
    let help = as_seen(site, include_str!("../help.txt"), "URL/", |url| format!("{url}/"));
    Reply::new(200, PLAIN, help)
}

/// The description of the wire in OpenAPI 3.1.
pub fn description(site: &Site) -> Reply {
    let server = |url: &PublicUrl| format!(r#"{{"url": "{url}"}}"#);
    let description = as_seen(site, include_str!("../openapi.json"), r#"{"url": "/"}"#, server);
    Reply::new(200, JSON, description)
}

/// A text with its stand-in for the server's address replaced, if the operator has said how the outside sees the
/// server.
fn as_seen(
    site: &Site,
    text: &'static str,
    stand_in: &str,
    address: impl Fn(&PublicUrl) -> String,
) -> Cow<'static, [u8]> {
    match &site.public {
        None => text.as_bytes().into(),
        Some(url) => text.replace(stand_in, &address(url)).into_bytes().into(),
    }
}

/// Sends a browser on to the page of a room.
pub fn to_room(site: &Site, room: &RoomName) -> Reply {
    let path = room_path(room);
    let body = format!("{}{path}\n", site.prefix());
    Reply::new(303, PLAIN, body.into_bytes()).with("Location", path)
}

/// Sends a browser on that is let in, with its session.
pub fn logged_in(login: &Login) -> Reply {
    let reply = Reply::new(303, PLAIN, &b"ok"[..]).with("Location", login.to.clone());
    match &login.cookie {
        Some(cookie) => reply.with("Set-Cookie", cookie.clone()),
        None => reply,
    }
}

/// The answer to `OPTIONS`.
pub fn options(allow: &'static str) -> Reply {
    Reply::empty(204).with("Allow", allow)
}

/// OpenMetrics as Prometheus's text format 0.0.4: there the lines `HELP` and `TYPE` give a counter's whole
/// name, and there are no units.
fn as_prometheus(text: &str) -> String {
    let mut old = String::with_capacity(text.len());
    let mut help = "";
    for line in text.lines() {
        if let Some((_, words)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            help = words;
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let total = if kind == "counter" { "_total" } else { "" };
            old += &format!("# HELP {name}{total} {help}\n# TYPE {name}{total} {kind}\n");
        } else if !line.starts_with('#') {
            old += line;
            old.push('\n');
        }
    }
    old
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        HISTORY, HISTORY_MAX, HOLD, HOLD_MAX, NAME_LIMIT, REPLY_MESSAGES, ROOMS_ASKED_MAX, ROOMS_LISTED,
        ROOMS_LISTED_MAX, SEND_ID_LIMIT, STREAM_BEAT, TEXT_LIMIT,
    };

    #[test]
    fn the_help_names_the_limits_as_they_are() {
        let help = String::from_utf8(help(&Site::default()).body.into_owned()).unwrap();
        for limit in [
            format!("up to {} (default {})", HOLD_MAX.as_secs(), HOLD.as_secs()),
            format!("{} s without a message", STREAM_BEAT.as_secs()),
            format!("history?limit={HISTORY}'"),
            format!("the first {ROOMS_LISTED} rooms"),
            format!("limit={HISTORY_MAX},"),
            format!("a message {TEXT_LIMIT} bytes, a name {NAME_LIMIT} characters"),
        ] {
            assert!(help.contains(&limit), "{limit}");
        }
    }

    #[test]
    fn both_name_the_address_that_the_operator_gave() {
        let site = Site { public: "https://chat.example/talk".parse().ok(), ..Site::default() };
        let help = String::from_utf8(help(&site).body.into_owned()).unwrap();
        assert!(help.contains("curl https://chat.example/talk/chat/ROOM/people") && !help.contains("URL"));
        let description: serde_json::Value = serde_json::from_slice(&description(&site).body).unwrap();
        assert_eq!(description["servers"], serde_json::json!([{"url": "https://chat.example/talk"}]));
    }

    #[test]
    fn the_description_names_the_limits_as_they_are() {
        let description: serde_json::Value =
            serde_json::from_slice(&description(&Site::default()).body).unwrap();
        let parameters = &description["components"]["parameters"];
        for (name, word, limit) in [
            ("Last", "maximum", REPLY_MESSAGES),
            ("Limit", "maximum", REPLY_MESSAGES),
            ("HistoryLimit", "maximum", HISTORY_MAX),
            ("HistoryLimit", "default", HISTORY),
            ("RoomsLimit", "maximum", ROOMS_LISTED_MAX),
            ("RoomsLimit", "default", ROOMS_LISTED),
            ("Wait", "default", HOLD.as_secs() as usize),
            ("Name", "maxLength", NAME_LIMIT),
        ] {
            assert_eq!(parameters[name]["schema"][word], limit, "{name}: {word}");
        }
        for (name, words) in [
            ("Wait", format!("more than {} becomes", HOLD_MAX.as_secs())),
            ("Rooms", format!("2 to {ROOMS_ASKED_MAX} of them")),
        ] {
            assert!(parameters[name]["description"].as_str().unwrap().contains(&words), "{words}");
        }
        let id = &description["components"]["schemas"]["SendId"]["pattern"];
        assert_eq!(*id, format!("^[!-~]{{1,{SEND_ID_LIMIT}}}$"));
        assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
    }
}
