//! How the page tells of a room's rules without scripts. `rule.js` says the same.

use super::phrases::Language;
use crate::message::{Kind, Message, PersonName, RoomName, lasting};

/// What a room is called where others may look: not the name of a private room, which would let them in.
pub(super) fn title<'a>(room: &'a RoomName, topic: Option<&'a Message>, language: Language) -> &'a str {
    match (room.is_private(), topic) {
        (false, _) => room.as_str(),
        (true, Some(topic)) => &topic.text,
        (true, None) => language.say("room.private"),
    }
}

/// What an entry says that changed the rules.
pub(super) fn ruled(message: &Message, language: Language) -> String {
    let name = message.name.as_ref().map_or(language.say("someone"), PersonName::as_str);
    let by = if message.is_by_operator && message.name.is_none() { language.say("operator") } else { name };
    let (text, seconds) = (&*message.text, message.seconds());
    let time = seconds.map(lasting).unwrap_or_default();
    let key = match (message.kind, seconds) {
        (Kind::Topic, _) if text.is_empty() => "rule.topic.none",
        (Kind::Topic, _) => "rule.topic",
        (Kind::Muted, None) => "rule.muted",
        (Kind::Muted, _) => "rule.muted.for",
        (Kind::Removed, None) => "rule.removed",
        (Kind::Removed, _) => "rule.removed.for",
        (Kind::Allowed, _) => "rule.allowed",
        (Kind::Slowed, Some(0)) => "rule.slowed.end",
        (Kind::Slowed, _) => "rule.slowed",
        (Kind::Locked, _) if text.is_empty() => "rule.locked.plain",
        (Kind::Locked, _) => "rule.locked",
        _ => "rule.unlocked",
    };
    let name = if message.kind == Kind::Topic { by } else { name };
    language.fill(key, &[("name", name), ("text", text), ("time", &time)])
}
