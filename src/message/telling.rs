//! How people are told of an entry that nobody said: in plain text, and in a page without scripts.

use super::entry::{Kind, Message};
use super::names::PersonName;

impl Message {
    /// What happened, in words: `anna joined`, `the operator muted bob for 10 min`.
    pub fn telling(&self) -> String {
        let name = self.name.as_ref().map_or("somebody", PersonName::as_str);
        let by = if self.is_by_operator && self.name.is_none() { "the operator" } else { name };
        let (text, time) = (&self.text, self.seconds().map(|seconds| format!(" for {}", lasting(seconds))));
        let time = time.unwrap_or_default();
        match self.kind {
            Kind::Topic if text.is_empty() => format!("{by} took the topic away"),
            Kind::Topic => format!("{by} set the topic: {text}"),
            Kind::Muted => format!("the operator muted {name}{time}"),
            Kind::Removed => format!("the operator removed {name}{time}"),
            Kind::Allowed => format!("the operator lets {name} do everything again"),
            Kind::Slowed if self.seconds() == Some(0) => "the operator ended slow mode".to_owned(),
            Kind::Slowed => {
                let seconds = lasting(self.seconds().unwrap_or(0));
                format!("the operator began slow mode: each person says one message in {seconds}")
            }
            Kind::Locked if text.is_empty() => "the operator locked the room".to_owned(),
            Kind::Locked => format!("the operator locked the room: {text}"),
            Kind::Unlocked => "the operator unlocked the room".to_owned(),
            Kind::Message | Kind::Joined | Kind::Left | Kind::Edited | Kind::Deleted => {
                format!("{name} {}", self.kind.as_str())
            }
        }
    }
}

/// A time in the largest unit that has it whole, by the symbols that all languages share: `10 min`.
pub fn lasting(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let unit = units.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    let (unit, symbol) = unit.unwrap_or((1, "s"));
    format!("{} {symbol}", seconds / unit)
}
