//! What is in force in a room: its topic, and what its operator has decided.

use serde::Serialize;

use super::parts::{JSON, PLAIN, Reply, json};
use super::terminal::shown;
use crate::message::{Kind, Message, PersonName, RoomName, Rules, Timestamp};
use crate::wire::request::{About, Format};

/// The topic of a room, its lock, and who is kept from something at this time.
pub fn about(about: &About, rules: &Rules, now: Timestamp) -> Reply {
    if about.format != Format::Json {
        let lines = [rules.topic(), rules.slowed(), rules.lock()].into_iter().flatten();
        let told =
            lines.chain(rules.barred(now)).map(|entry| format!("{} {}\n", entry.at, shown(&entry.telling())));
        return Reply::new(200, PLAIN, told.collect::<String>().into_bytes());
    }
    #[derive(Serialize)]
    struct Text<'a> {
        text: &'a str,
        name: Option<&'a PersonName>,
        at: Timestamp,
    }
    #[derive(Serialize)]
    struct Barred<'a> {
        name: Option<&'a PersonName>,
        until: Option<Timestamp>,
    }
    #[derive(Serialize)]
    struct Body<'a> {
        room: &'a RoomName,
        private: bool,
        operator: bool,
        topic: Option<Text<'a>>,
        locked: Option<Text<'a>>,
        slow: u64,
        muted: Vec<Barred<'a>>,
        removed: Vec<Barred<'a>>,
    }
    fn text(entry: &Message) -> Text<'_> {
        Text { text: &entry.text, name: entry.name.as_ref(), at: entry.at }
    }
    let barred = |kind| {
        let barred = rules.barred(now).filter(|entry| entry.kind == kind);
        barred.map(|entry| Barred { name: entry.name.as_ref(), until: entry.ends() }).collect()
    };
    let body = Body {
        room: &about.room,
        private: about.room.is_private(),
        operator: about.is_operator,
        topic: rules.topic().map(text),
        locked: rules.lock().map(text),
        slow: rules.slow().unwrap_or(0),
        muted: barred(Kind::Muted),
        removed: barred(Kind::Removed),
    };
    Reply::new(200, JSON, json(&body))
}
