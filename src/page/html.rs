//! The HTML of a room.
//!
//! It holds the newest messages already: a reader sees them before any script has run, and without scripts.
//! The script adopts them and follows the cursor beside them.

use std::sync::{Arc, LazyLock};

use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac_sha256::Hash;

use super::assets::{self, ASSETS, Assets};
use super::home::{HOME, Home};
use super::markup::{self, Part};
use super::named::Named;
use super::phrases::Language;
use super::ruled::{ruled, title};
use crate::config::{BACKLOG_BYTES, PICTURE_SHOWN};
use crate::message::{Change, Cursor, Kind, Message, PersonName, RoomName, Rules, Size};

/// The Content-Security-Policy of the pages: only our own files, no inline script, no inline style but our own, and no way
/// for a script to turn text into markup: the one policy of trusted types only knows the address of the worker.
pub fn policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let style = by_hash(ASSETS.style());
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self' {style}; img-src 'self'; \
             connect-src 'self'; worker-src 'self'; frame-src 'self'; form-action 'self'; manifest-src 'self'; \
             base-uri 'none'; frame-ancestors 'self'; \
             require-trusted-types-for 'script'; trusted-types worker"
        )
    });
    &POLICY
}

/// How the policy names what stands between the tags of a `<style>`. Every byte of it counts.
fn by_hash(style: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Hash::hash(style.as_bytes())))
}

/// What the room's page shows.
pub struct Page<'a> {
    /// The language of its words.
    pub language: Language,
    /// The room.
    pub room: &'a RoomName,
    /// The newest messages, oldest first. Those beyond the limit of bytes are left out.
    pub messages: &'a [Arc<Message>],
    /// What is in force in it.
    pub rules: &'a Rules,
    /// The cursor to follow from here: that of the newest message.
    pub next: Cursor,
    /// The room's address, for people to share.
    pub address: &'a str,
    /// Whether that is the address which the operator gave, so that the script asks nobody else.
    pub is_public: bool,
    /// What every path begins with: empty, or `/talk`.
    pub prefix: &'a str,
    /// Whether it takes an invite to come in by this address.
    pub invites: bool,
    /// The name in the form, for a browser without scripts.
    pub name: Option<&'a PersonName>,
    /// Whether a proxy has told this name, and nobody can change it.
    pub is_told: bool,
    /// The most bytes of a file that the page may send; 0 if none.
    pub upload_limit: usize,
    /// Whether the browser has the files of the page. If not, the style is in it.
    pub has_files: bool,
}

/// What the page shows on which somebody logs in.
pub struct Login<'a> {
    /// The language of its words.
    pub language: Language,
    /// What was wrong with the last try, in a sentence.
    pub problem: Option<String>,
    /// Where the browser goes then.
    pub to: &'a str,
    /// What every path begins with: empty, or `/talk`.
    pub prefix: &'a str,
    /// Whether a passphrase lets in.
    pub by_passphrase: bool,
    /// What somebody wrote who is not in any more.
    pub written: Option<String>,
}

/// The HTML of `GET /chat/{room}`.
pub fn render(page: &Page<'_>) -> String {
    let html = RoomHtml {
        language: page.language,
        phrases: assets::phrases(page.language),
        home: &HOME,
        room: page.room.as_str(),
        title: title(page.room, page.rules.topic(), page.language),
        topic: page.rules.topic().map_or("", |topic| &topic.text),
        lock: page.rules.lock(),
        is_private: page.room.is_private(),
        slow: page.rules.slow().unwrap_or(0),
        messages: backlog(page.messages),
        next: page.next.to_string(),
        address: page.address,
        is_public: page.is_public,
        prefix: page.prefix,
        invites: page.invites,
        name: page.name.map_or("", PersonName::as_str),
        is_told: page.is_told,
        upload_limit: page.upload_limit,
        has_files: page.has_files,
        id: format!("{:032x}", fastrand::u128(..)),
        assets: &ASSETS,
    };
    // The templates call nothing that can fail, and a String takes every write.
    html.render().expect("rendering into a String succeeds")
}

/// The HTML of `GET /chat/{room}?view=backlog`: only the list of messages, which reloads itself. Browsers
/// without scripts show it in a frame of the page, so that a reload does not lose what is being typed.
pub fn render_backlog(
    language: Language,
    prefix: &str,
    room: &RoomName,
    messages: &[Arc<Message>],
) -> String {
    let messages = backlog(messages);
    let title = title(room, None, language);
    let room = room.as_str();
    let html = BacklogHtml { language, prefix, room, title, messages, assets: &ASSETS };
    // As above.
    html.render().expect("rendering into a String succeeds")
}

/// The HTML that asks for the passphrase.
pub fn render_login(login: &Login<'_>) -> String {
    let html = LoginHtml {
        language: login.language,
        problem: login.problem.as_deref(),
        to: login.to,
        prefix: login.prefix,
        by_passphrase: login.by_passphrase,
        written: login.written.as_deref(),
        assets: &ASSETS,
    };
    // As above.
    html.render().expect("rendering into a String succeeds")
}

#[derive(Template)]
#[template(path = "index.html", config = "src/page/askama.toml")]
struct RoomHtml<'a> {
    language: Language,
    phrases: &'static Named,
    home: &'static Home,
    room: &'a str,
    /// What the room is called in the browser's history and on a shared screen.
    title: &'a str,
    topic: &'a str,
    lock: Option<&'a Message>,
    is_private: bool,
    slow: u64,
    messages: &'a [Arc<Message>],
    next: String,
    address: &'a str,
    is_public: bool,
    prefix: &'a str,
    invites: bool,
    name: &'a str,
    is_told: bool,
    upload_limit: usize,
    has_files: bool,
    /// The sender's id of the message in this form: however often the form is sent, it is published once.
    id: String,
    assets: &'static Assets,
}

#[derive(Template)]
#[template(path = "login.html", config = "src/page/askama.toml")]
struct LoginHtml<'a> {
    language: Language,
    problem: Option<&'a str>,
    to: &'a str,
    prefix: &'a str,
    by_passphrase: bool,
    written: Option<&'a str>,
    assets: &'static Assets,
}

#[derive(Template)]
#[template(path = "backlog.html", config = "src/page/askama.toml")]
struct BacklogHtml<'a> {
    language: Language,
    prefix: &'a str,
    room: &'a str,
    title: &'a str,
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

/// How large a picture is shown in a message. `picture.js` has the same.
fn shown(size: &Size) -> (u32, u32) {
    let scale = (PICTURE_SHOWN / f64::from(size.width.max(size.height))).min(1.0);
    let side = |pixels: u32| ((f64::from(pixels) * scale).round() as u32).max(1);
    (side(size.width), side(size.height))
}

/// The sender's name as it is shown.
fn name_of(message: &Message, language: Language) -> &str {
    message.name.as_ref().map_or(language.say("someone"), PersonName::as_str)
}

/// What stands before the name and after it, where somebody came or went.
fn came(message: &Message, language: Language) -> (&'static str, &'static str) {
    language.around(&format!("presence.{}", message.kind.as_str()), "names")
}

/// One of twelve colours for the name. `element.js` picks the same.
fn hue(message: &Message, language: Language) -> u32 {
    let mix = |hash: u32, c| hash.wrapping_mul(31).wrapping_add(u32::from(c));
    name_of(message, language).chars().fold(7, mix) % 12
}

/// When its text became another.
fn edited(message: &Message) -> Option<String> {
    message.change.and_then(|change| match change {
        Change::Edited(at) => Some(at.to_string()),
        Change::Deleted(_) => None,
    })
}

/// Since when it has no text any more.
fn deleted(message: &Message) -> Option<String> {
    message.change.and_then(|change| match change {
        Change::Deleted(at) => Some(at.to_string()),
        Change::Edited(_) => None,
    })
}

/// What the message says that another one answers, in one line, if it is among these.
fn quote(messages: &[Arc<Message>], of: &Cursor, language: Language) -> String {
    let Some(answered) = messages.iter().find(|message| message.id.is_at(*of)) else {
        return language.say("message.answers.earlier").to_owned();
    };
    let begin: String = answered.text.chars().take(200).collect();
    let words: Vec<&str> = begin.split_whitespace().collect();
    let gone = deleted(answered).map(|_| language.say("message.deleted").to_owned());
    let file = answered.file.as_ref().filter(|_| words.is_empty()).map(|file| file.name.as_str().to_owned());
    let line = gone.or(file).unwrap_or_else(|| words.join(" "));
    // The name is what somebody wrote: it has no place for the line.
    let (before, after) = language.around("said", "text");
    before.replace("{name}", name_of(answered, language)) + &line + after
}

/// Hours and minutes in UTC. The script shows them in the reader's own time zone.
fn clock(message: &Message) -> String {
    let at = message.at.to_string();
    format!("{} UTC", &at[11..16])
}

#[cfg(test)]
mod tests {
    use super::super::{asset, policy};
    use super::*;
    use crate::message::{Epoch, Mark, Timestamp};

    fn message(sequence: u64, name: &str, text: &str) -> Arc<Message> {
        Arc::new(Message {
            id: Cursor { sequence, ..Cursor::start(Epoch::from_number(1)) },
            previous: Mark::UNKNOWN,
            kind: Kind::Message,
            name: name.parse().ok(),
            holder: None,
            text: text.into(),
            at: Timestamp(1_700_000_000_042),
            of: None,
            change: None,
            is_by_operator: false,
            file: None,
        })
    }

    fn html(room: &str, messages: &[Arc<Message>]) -> String {
        html_under("", room, messages, true)
    }

    fn html_under(prefix: &str, room: &str, messages: &[Arc<Message>], has_files: bool) -> String {
        let room = room.parse().unwrap();
        let name = "\"><script>alert(1)</script>".parse().unwrap();
        render(&Page {
            language: Language::DEFAULT,
            room: &room,
            messages,
            rules: &Rules::default(),
            next: Cursor { sequence: 9, ..Cursor::start(Epoch::from_number(1)) },
            invites: false,
            address: "http://x'\"><script>alert(2)</script>/chat/lobby",
            is_public: false,
            prefix,
            name: Some(&name),
            is_told: false,
            upload_limit: 0,
            has_files,
        })
    }

    #[test]
    fn whatever_people_write_stays_text() {
        let evil = "</textarea></ol>\"'><script>alert(3)</script><img src=x onerror=alert(4)>&";
        let html = html("lobby", &[message(1, "<b>anna</b>", evil)]);
        assert_eq!(html.matches("<script").count(), 2, "only our own scripts are there");
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

    #[test]
    fn every_file_the_page_names_is_there_in_both_encodings() {
        let page = html("lobby", &[]);
        let named = page.split('"').filter_map(|part| part.strip_prefix("/page/"));
        assert!(named.clone().count() > 4);
        for path in named {
            let asset = asset(path).unwrap_or_else(|| panic!("{path} is missing"));
            assert_ne!(asset.etag(false), asset.etag(true));
            let mut plain = Vec::new();
            let mut decoder = flate2::read::GzDecoder::new(asset.gzip());
            std::io::Read::read_to_end(&mut decoder, &mut plain).unwrap();
            assert_eq!(plain, asset.plain());
        }
    }

    #[test]
    fn every_path_of_the_page_begins_with_the_prefix() {
        let room = "lobby".parse().unwrap();
        for page in
            [html_under("/talk", "lobby", &[], true), render_backlog(Language::DEFAULT, "/talk", &room, &[])]
        {
            let values = page.split("=\"").filter_map(|rest| rest.split('"').next());
            let paths: Vec<&str> =
                values.filter(|value| value.starts_with('/') && *value != "/talk").collect();
            assert!(paths.len() > 1 && paths.iter().all(|path| path.starts_with("/talk/")), "{paths:?}");
        }
    }

    #[test]
    fn the_policy_allows_nothing_inline_but_the_style() {
        assert!(!policy().contains("unsafe"));
        for has_files in [true, false] {
            let page = html_under("", "комната", &[message(1, "anna", "hi")], has_files);
            assert!(
                !page.contains(" style=") && !page.contains(" onclick=") && !page.contains("javascript:")
            );
            assert_eq!(page.matches("<style").count(), usize::from(!has_files));
        }
        let page = html_under("", "lobby", &[], false);
        let (_, rest) = page.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        // Every byte is as it was when it was hashed.
        assert_eq!(style, ASSETS.style());
        assert!(style.contains("{") && !style.contains("</") && !style.contains(['\r', '\0']));
        assert!(policy().contains(&format!("style-src 'self' {};", by_hash(style))));
        assert_eq!(
            by_hash("a {\nb: c;\n}\nd { e: f }"),
            "'sha256-ZKhh0RxYMudndlj942yID0ojML4X3N/jlYFqumo3zCQ='"
        );
    }
}
