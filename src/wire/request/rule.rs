//! What a request makes of a room's rules: its topic, and what only its operator may decide.

use super::body::Said;
use super::fields::number_in;
use crate::config::{BARRED_SECONDS, NOTICE_LIMIT, SLOW_SECONDS, TOPIC_LIMIT};
use crate::message::{Kind, has_something_visible};
use crate::wire::refusal::Refusal;

/// The text of the entry.
pub(super) fn text(kind: Kind, said: &Said) -> Result<String, Refusal> {
    match kind {
        Kind::Topic => {
            let topic = said.topic.as_deref().unwrap_or_default().trim().to_owned();
            let is_line = topic.chars().count() <= TOPIC_LIMIT && !topic.chars().any(char::is_control);
            let is_seen = topic.is_empty() || has_something_visible(&topic);
            if said.topic.is_none() || !is_line || !is_seen {
                return Err(Refusal::BadForm(
                    "a topic is one line of at most 200 letters: send topic=TEXT, or an empty one to take it away",
                ));
            }
            Ok(topic)
        }
        Kind::Locked => {
            let notice = said.notice.as_deref().unwrap_or_default().trim().to_owned();
            match notice.chars().count() <= NOTICE_LIMIT {
                true => Ok(notice),
                false => Err(Refusal::BadForm("the notice of a locked room has at most 1000 letters")),
            }
        }
        Kind::Muted | Kind::Removed => {
            named(said)?;
            let Some(time) = said.r#for.as_deref().filter(|time| !time.is_empty()) else {
                return Ok(String::new());
            };
            let seconds = number_in(time, 1..=BARRED_SECONDS).map(|seconds| seconds.to_string());
            seconds.ok_or(Refusal::BadForm(
                "for is a whole number of seconds, at most a year; without it, it holds until POST .../allow",
            ))
        }
        Kind::Allowed => named(said).map(|()| String::new()),
        Kind::Slowed => {
            let seconds = said.seconds.as_deref().and_then(|seconds| number_in(seconds, 0..=SLOW_SECONDS));
            seconds.map(|seconds| seconds.to_string()).ok_or(Refusal::BadForm(
                "say how slow: send seconds=N, from 1 to 3600 seconds between two messages of a person, or 0 to end it",
            ))
        }
        _ => Ok(String::new()),
    }
}

fn named(said: &Said) -> Result<(), Refusal> {
    let is_named = said.name.as_deref().is_some_and(|name| !name.trim().is_empty());
    is_named.then_some(()).ok_or(Refusal::BadForm("say whom it concerns: send name=NAME"))
}
