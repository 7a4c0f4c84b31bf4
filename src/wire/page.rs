//! The page: its files, embedded in the binary, and the room's HTML.
//!
//! The HTML holds the newest messages already, so that a reader sees them before any script has
//! run, and without one. The script adopts them and follows the cursor that stands beside them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use askama::Template;
use flate2::Compression;
use flate2::write::GzEncoder;
use qrcode::QrCode;
use qrcode::render::svg::Color;

use super::join::{self, File};
use crate::message::{Cursor, Kind, Message, PersonName, RoomName};

/// The most messages that the HTML holds; older ones are a history request away.
pub const BACKLOG_MESSAGES: usize = 50;

/// The most text that the HTML holds, in bytes (48 KiB), so that it arrives at once on a phone too.
/// The newest message is there whatever it weighs.
pub const BACKLOG_BYTES: usize = 48 * 1024;

/// The longest [piece](pieces) of a text, in bytes (4 KiB): the worst of them is laid out in 20 ms.
const PIECE_BYTES: usize = 4 * 1024;

/// The Content-Security-Policy of the page: nothing but our own files, no inline script or style,
/// and no way for a script to turn text into markup.
pub const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; frame-src 'self'; form-action 'self'; manifest-src 'self'; \
    base-uri 'none'; frame-ancestors 'self'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The Cache-Control of every [`Asset`]: keep it and never ask again, since what is changed has another name.
pub const ASSET_CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// One file of the page.
pub struct Asset {
    /// For the header of that name.
    pub content_type: &'static str,
    /// The file as it is.
    pub plain: Representation,
    /// The file for `Content-Encoding: gzip`. It is answered with `Vary: Accept-Encoding`.
    pub gzip: Representation,
}

/// One encoding of an [`Asset`].
pub struct Representation {
    /// A strong validator, with its quotes; each encoding has its own, as RFC 9110 (8.8.1) asks.
    pub etag: String,
    /// The bytes to send.
    pub body: Vec<u8>,
}

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
/// The content type of [`qr_svg`].
pub const SVG: &str = "image/svg+xml";

macro_rules! files {
    ($($path:literal,)*) => {
        [$(($path, include_str!(concat!("../page/", $path)))),*]
    };
}

const MODULES: &[File] = &files! {
    "announce.js",
    "attention.js",
    "backlog.js",
    "bus.js",
    "composer.js",
    "election.js",
    "draft.js",
    "element.js",
    "focus.js",
    "follower.js",
    "hub.js",
    "keyboard.js",
    "kept.js",
    "limits.js",
    "line.js",
    "log.js",
    "main.js",
    "mention.js",
    "needs.js",
    "outbox.js",
    "past.js",
    "people.js",
    "presence.js",
    "rooms.js",
    "rows.js",
    "share.js",
    "status.js",
    "text.js",
    "time.js",
    "wide.js",
    "wire.js",
};

/// In the order in which they apply.
const SHEETS: &[File] = &files! {
    "style.css",
    "log.css",
    "composer.css",
    "panels.css",
};

const PLAIN_SHEET: &str = include_str!("../page/noscript.css");
const ICON: &str = include_str!("../page/icon.svg");
const ICON_UNREAD: &str = include_str!("../page/icon-unread.svg");

/// The files of the page. The name of each holds the version of what is in it.
struct Assets {
    script: Named,
    sheet: Named,
    plain_sheet: Named,
    icon: Named,
    icon_unread: Named,
}

/// A file and its name.
struct Named {
    name: String,
    asset: Asset,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let sheet: String = SHEETS.iter().map(|(_, text)| *text).collect();
    Assets {
        script: named("page", "js", JAVASCRIPT, &join::modules(MODULES, "main.js")),
        sheet: named("page", "css", CSS, &sheet),
        plain_sheet: named("noscript", "css", CSS, PLAIN_SHEET),
        icon: named("icon", "svg", SVG, ICON),
        icon_unread: named("icon-unread", "svg", SVG, ICON_UNREAD),
    }
});

fn named(stem: &str, extension: &str, content_type: &'static str, body: &str) -> Named {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let version = hasher.finish();
    let asset = Asset {
        content_type,
        plain: Representation { etag: format!("\"{version:016x}\""), body: body.into() },
        gzip: Representation {
            etag: format!("\"{version:016x}-gzip\""),
            body: gzip(body.as_bytes(), Compression::best()),
        },
    };
    Named { name: format!("{stem}-{version:016x}.{extension}"), asset }
}

/// Joins and compresses the files, before anybody asks for one.
pub fn prepare() {
    LazyLock::force(&ASSETS);
}

/// The file of this name, which stands under `/page/`, if it is one of the page's.
pub fn asset(name: &str) -> Option<&'static Asset> {
    let Assets { script, sheet, plain_sheet, icon, icon_unread } = &*ASSETS;
    let found = [script, sheet, plain_sheet, icon, icon_unread].into_iter().find(|file| file.name == name)?;
    Some(&found.asset)
}

/// Compresses a body for `Content-Encoding: gzip`.
pub fn gzip(body: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    // A Vec takes every write.
    encoder.write_all(body).expect("a Vec takes every byte");
    encoder.finish().expect("a Vec takes every byte")
}

/// What the room's page shows.
pub struct Page<'a> {
    /// The room.
    pub room: &'a RoomName,
    /// The newest messages, oldest first; those beyond the page's limits are left out.
    pub messages: &'a [Arc<Message>],
    /// The cursor to follow from here: that of the newest message.
    pub next: Cursor,
    /// The address by which others reach this room, for people to pass on.
    pub address: &'a str,
    /// Whose form this is, for a browser without scripts: the parameter `name`.
    pub name: Option<&'a PersonName>,
}

/// The HTML of `GET /chat/{room}`.
pub fn render(page: &Page<'_>) -> String {
    let html = RoomHtml {
        room: page.room.as_str(),
        messages: backlog(page.messages),
        next: page.next.to_string(),
        address: page.address,
        name: page.name.map_or("", PersonName::as_str),
        id: format!("{:032x}", fastrand::u128(..)),
        assets: &ASSETS,
    };
    // The templates call nothing that can fail, and a String takes every write.
    html.render().expect("rendering into a String succeeds")
}

/// The HTML of `GET /chat/{room}?view=backlog`: the list of messages alone, which renews itself.
/// The page shows it in a frame to browsers without scripts, so that what one types there stays.
pub fn render_backlog(room: &RoomName, messages: &[Arc<Message>]) -> String {
    let html = BacklogHtml { room: room.as_str(), messages: backlog(messages), assets: &ASSETS };
    // As above.
    html.render().expect("rendering into a String succeeds")
}

/// The server's own address, to be passed on: as the browser found it, but for a loopback name, which
/// means another machine on another machine. `host` is the header; `seen` is what the page says that it
/// sees, which knows of a proxy before this server, its scheme and port, but may not name another host.
/// `lan` is the address by which others reach this machine, if they do.
pub fn base(host: &str, seen: Option<&str>, lan: Option<IpAddr>) -> String {
    let (name, port) = name_and_port(host);
    let is_ours = |seen: &&str| {
        let authority = seen.strip_prefix("https://").or(seen.strip_prefix("http://"));
        authority.is_some_and(|authority| name_and_port(authority).0.eq_ignore_ascii_case(name))
    };
    let ip: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
    let loopback = name.eq_ignore_ascii_case("localhost") || ip.is_some_and(|ip| ip.is_loopback());
    match (lan, seen.filter(is_ours)) {
        (Some(IpAddr::V4(ip)), _) if loopback => format!("http://{ip}{port}"),
        (Some(IpAddr::V6(ip)), _) if loopback => format!("http://[{ip}]{port}"),
        (_, Some(seen)) => seen.to_owned(),
        _ => format!("http://{host}"),
    }
}

/// The parts of `Host`; the port with its colon, and empty if there is none.
fn name_and_port(host: &str) -> (&str, &str) {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, &host[name.len()..]),
        _ => (host, ""),
    }
}

/// An address as a QR code, an SVG image; `None` if it is too long for one (about 2,300 bytes).
pub fn qr_svg(address: &str) -> Option<String> {
    let code = QrCode::new(address).ok()?;
    Some(code.render::<Color<'_>>().build())
}

#[derive(Template)]
#[template(path = "index.html", config = "src/page/askama.toml")]
struct RoomHtml<'a> {
    room: &'a str,
    messages: &'a [Arc<Message>],
    next: String,
    address: &'a str,
    name: &'a str,
    /// Under which what is written in this form is published once, however often it is sent.
    id: String,
    assets: &'static Assets,
}

#[derive(Template)]
#[template(path = "backlog.html", config = "src/page/askama.toml")]
struct BacklogHtml<'a> {
    room: &'a str,
    messages: &'a [Arc<Message>],
    assets: &'static Assets,
}

/// The newest of the messages, within the page's limit of bytes.
fn backlog(messages: &[Arc<Message>]) -> &[Arc<Message>] {
    let mut bytes = 0;
    let fits = |message: &&Arc<Message>| {
        bytes += message.text.len();
        bytes <= BACKLOG_BYTES
    };
    let count = messages.iter().rev().take_while(fits).count().max(1).min(messages.len());
    &messages[messages.len() - count..]
}

/// What to call whoever sent it.
fn name_of(message: &Message) -> &str {
    message.name.as_ref().map_or("someone", PersonName::as_str)
}

/// One of twelve colours for the name, the same that `element.js` picks.
fn hue(message: &Message) -> u32 {
    let mix = |hash: u32, c| hash.wrapping_mul(31).wrapping_add(u32::from(c));
    name_of(message).chars().fold(7, mix) % 12
}

/// A text in parts that a browser lays out one by one: what it does with one paragraph may take the
/// square of its length. `rows.js` cuts alike.
fn pieces(mut text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while text.len() > PIECE_BYTES {
        let end = text.floor_char_boundary(PIECE_BYTES);
        // After a line or a word, so that the cut is not seen.
        let seam = text[..end].rfind('\n').or_else(|| text[..end].rfind(' '));
        let (piece, rest) = text.split_at(seam.map_or(end, |at| at + 1));
        pieces.push(piece);
        text = rest;
    }
    pieces.push(text);
    pieces
}

/// Hours and minutes; the script shows them in the reader's own zone.
fn clock(message: &Message) -> String {
    let at = message.at.to_string();
    format!("{} UTC", &at[11..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Epoch, Timestamp};

    fn message(sequence: u64, name: &str, text: &str) -> Arc<Message> {
        Arc::new(Message {
            id: Cursor { epoch: Epoch::from_number(1), sequence },
            kind: Kind::Message,
            name: name.parse().ok(),
            text: text.into(),
            at: Timestamp(1_700_000_000_042),
        })
    }

    fn html(room: &str, messages: &[Arc<Message>]) -> String {
        let room = room.parse().unwrap();
        let name = "\"><script>alert(1)</script>".parse().unwrap();
        render(&Page {
            room: &room,
            messages,
            next: Cursor { epoch: Epoch::from_number(1), sequence: 9 },
            address: "http://x'\"><script>alert(2)</script>/chat/lobby",
            name: Some(&name),
        })
    }

    #[test]
    fn whatever_people_write_stays_text() {
        let evil = "</textarea></ol>\"'><script>alert(3)</script><img src=x onerror=alert(4)>&";
        let html = html("lobby", &[message(1, "<b>anna</b>", evil)]);
        assert_eq!(html.matches("<script").count(), 1, "only our own script is there");
        assert!(!html.contains("<b>") && !html.contains("<img src=x"));
        assert!(html.contains("&#60;script&#62;alert(3)&#60;/script&#62;"));
    }

    #[test]
    fn the_page_holds_the_newest_messages_within_its_limits() {
        let heavy = "x".repeat(BACKLOG_BYTES + 1);
        let page = html("lobby", &[message(1, "a", "hi"), message(2, "a", &heavy)]);
        assert_eq!(page.matches("<li class=\"row").count(), 1);
        assert!(html("lobby", &[]).contains("data-next=\"00000001-9\""));
    }

    /// A browser laid out 64 KiB of accents on one letter, one paragraph, in 8 s.
    #[test]
    fn a_long_text_stands_in_pieces_and_is_whole() {
        for text in ["", "hi", &"a\u{301}".repeat(9_000), &"one two\n".repeat(9_000), &"字".repeat(9_000)] {
            let pieces = pieces(text);
            assert_eq!(pieces.concat(), text);
            assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES));
            assert_eq!(pieces.len() > 1, text.len() > PIECE_BYTES);
        }
    }

    #[test]
    fn every_file_the_page_names_is_there_in_both_encodings() {
        let page = html("lobby", &[]);
        let named = page.split('"').filter_map(|part| part.strip_prefix("/page/"));
        assert!(named.clone().count() > 4);
        for path in named {
            let asset = asset(path).unwrap_or_else(|| panic!("{path} is missing"));
            assert_ne!(asset.plain.etag, asset.gzip.etag);
            let mut plain = Vec::new();
            let mut decoder = flate2::read::GzDecoder::new(asset.gzip.body.as_slice());
            std::io::Read::read_to_end(&mut decoder, &mut plain).unwrap();
            assert_eq!(plain, asset.plain.body);
        }
        assert!(asset("../wire/page.rs").is_none());
        let script = String::from_utf8_lossy(&ASSETS.script.asset.plain.body);
        assert!(!script.lines().any(|line| line.starts_with("import ") || line.starts_with("export ")));
        for (name, _) in MODULES {
            assert!(script.contains(&format!("// {name}\n")), "{name} is imported by none");
        }
    }

    #[test]
    fn the_policy_allows_nothing_inline() {
        let page = html("комната", &[message(1, "anna", "hi")]);
        assert!(!CSP.contains("unsafe"));
        assert!(!page.contains(" style=") && !page.contains(" onclick="));
        assert!(!page.contains("<style") && !page.contains("javascript:"));
    }

    #[test]
    fn the_address_to_pass_on_is_one_that_others_reach() {
        let lan = Some("192.168.1.5".parse().unwrap());
        for loopback in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
            assert_eq!(base(loopback, None, lan), "http://192.168.1.5:8080");
            assert_eq!(base(loopback, None, None), format!("http://{loopback}"));
        }
        let lan6 = Some("fd00::5".parse().unwrap());
        assert_eq!(base("localhost", None, lan6), "http://[fd00::5]");
        for host in ["chat.example", "chat.example:8080", "10.0.0.1:8080", "[fd00::1]:8080", "[fd00::1]"] {
            assert_eq!(base(host, None, lan), format!("http://{host}"));
        }
        // Behind a proxy with TLS the code for phones had `http://`, and no port.
        for seen in ["https://chat.example", "https://chat.example:8443", "http://Chat.Example:80"] {
            assert_eq!(base("chat.example", Some(seen), lan), seen);
        }
        for other in [
            "https://evil.example",
            "https://chat.example@evil.example",
            "ftp://chat.example",
            "chat.example",
        ] {
            assert_eq!(base("chat.example", Some(other), lan), "http://chat.example");
        }
    }

    #[test]
    fn an_address_that_fits_has_a_code() {
        let svg = qr_svg("http://192.168.1.5:8080/chat/gr%C3%B6%C3%9Fe").unwrap();
        assert!(svg.contains("<svg") && !svg.contains("script"));
        assert!(qr_svg(&"x".repeat(5_000)).is_none());
    }
}
