//! Reading an archive: whole and valid, or not at all.

use std::io::BufRead;
use std::time::UNIX_EPOCH;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;
use serde_json::Value;

use super::lines::{End, Entry, File, Head, InForce, MAGIC, VERSION};
use crate::config::TEXT_LIMIT;
use crate::message::{
    Claim, Cursor, Draft, Epoch, FileFacts, Invalid, Kind, Kinds, PersonName, RoomName, Timestamp, Upload,
    has_something_visible,
};
use crate::store::Error;

/// A room as it stands in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// Its name.
    pub room: RoomName,
    /// What was said, in its order, as it was at last. Left out is who came and went, since that belongs to the server
    /// that saw it, and what was deleted.
    pub said: Vec<Draft>,
    /// Where each of these stood in the store from which it comes. An answer names the message by that.
    pub places: Vec<Cursor>,
    /// What was in force. The topic comes first, and a lock last, since it would keep out what follows.
    pub rules: Vec<Draft>,
}

/// Reads an archive to its end. The error names the line that is not as it must be.
pub fn read(input: impl BufRead) -> Result<Vec<Archived>, Error> {
    let mut reading = Reading::default();
    let mut number = 0;
    for line in input.lines() {
        number += 1;
        let at = |why: String| Error(format!("line {number}: {why}"));
        let line = line.map_err(|error| at(format!("it can't be read: {error}")))?;
        if !line.trim().is_empty() {
            reading.take(&line).map_err(at)?;
        }
    }
    if let Some(open) = reading.open {
        return Err(Error(format!(
            "line {number}: the room {} is cut off here: its end is missing",
            open.room
        )));
    }
    if reading.rooms.is_empty() {
        return Err(Error("nothing was given: an export of comet-chat is expected".into()));
    }
    Ok(reading.rooms)
}

#[derive(Default)]
struct Reading {
    rooms: Vec<Archived>,
    /// The room whose end has not come yet, and how many entries it has so far.
    open: Option<Archived>,
    entries: u64,
}

impl Reading {
    fn take(&mut self, line: &str) -> Result<(), String> {
        let value: Value = serde_json::from_str(line).map_err(|error| format!("it is not JSON: {error}"))?;
        match (&mut self.open, value.get("comet-chat"), value.get("end")) {
            (None, Some(_), _) => self.begin(&parsed(&value)?),
            (None, ..) => Err("a room's first line is expected here".into()),
            (Some(open), Some(_), _) => {
                Err(format!("the end of the room {} is missing before it", open.room))
            }
            (Some(_), None, Some(_)) => self.end(&parsed(&value)?),
            (Some(open), None, None) if value.get("in_force").is_some() => {
                let InForce { in_force } = parsed::<InForce<Entry>>(&value)?;
                open.rules = in_force.into_iter().map(rule).collect::<Result<_, _>>()?;
                open.rules.sort_by_key(|draft| (draft.kind == Kind::Locked, draft.kind != Kind::Topic));
                Ok(())
            }
            (Some(open), None, None) => {
                self.entries += 1;
                if let Some((place, draft)) = draft(parsed(&value)?)? {
                    open.said.push(draft);
                    open.places.push(place);
                }
                Ok(())
            }
        }
    }

    fn begin(&mut self, head: &Head<'_>) -> Result<(), String> {
        if head.magic != MAGIC || head.version > VERSION {
            return Err(format!(
                "it is a {:?} of version {}, and this comet-chat reads a {MAGIC:?} up to version {VERSION}",
                head.magic, head.version
            ));
        }
        let room: RoomName = head.room.parse().map_err(|invalid: Invalid| invalid.0.to_owned())?;
        if self.rooms.iter().any(|archived| archived.room == room) {
            return Err(format!("the room {room} comes a second time"));
        }
        self.open = Some(Archived { room, said: Vec::new(), places: Vec::new(), rules: Vec::new() });
        self.entries = 0;
        Ok(())
    }

    fn end(&mut self, end: &End<'_>) -> Result<(), String> {
        let Some(open) = self.open.take() else { return Ok(()) };
        if end.end != open.room.as_str() || end.entries != self.entries {
            return Err(format!(
                "the room {} has {} entries, and this end is of {:?} with {}: something is missing",
                open.room, self.entries, end.end, end.entries
            ));
        }
        self.rooms.push(open);
        Ok(())
    }
}

fn parsed<'a, T: Deserialize<'a>>(value: &'a Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| error.to_string())
}

/// What was said, and where; `None` for anything else, and for what was deleted.
fn draft(mut entry: Entry) -> Result<Option<(Cursor, Draft)>, String> {
    match entry.kind.as_str() {
        "message" if entry.deleted.is_some() => return Ok(None),
        "message" => {}
        other => return kind(other).map(|_| None),
    }
    let (file, text) = file(entry.file.take(), std::mem::take(&mut entry.text))?;
    if text.len() > TEXT_LIMIT || file.is_none() && !has_something_visible(&text) {
        return Err(format!("a text has something visible, and at most {TEXT_LIMIT} bytes"));
    }
    let (name, at) = (name(&entry)?, time(&entry)?);
    let of = entry.reply_to.as_deref().map(place).transpose()?;
    // Archives need no ids: those of the first version have none.
    let place = entry.id.as_deref().map_or(Ok(Cursor::start(Epoch::from_number(0))), place)?;
    // Whoever has the name now, and whatever is in force, does not undo what was said.
    Ok(Some((place, Draft { at, of, file, ..Draft::said(name, Claim::Operator(None), &text, None) })))
}

/// What was in force.
fn rule(entry: Entry) -> Result<Draft, String> {
    let (kind, name, at) = (kind(&entry.kind)?, name(&entry)?, time(&entry)?);
    let text =
        if kind.has_seconds() { entry.seconds.map(|seconds| seconds.to_string()) } else { Some(entry.text) };
    let text = text.unwrap_or_default();
    if !kind.is_rule() || kind.is_bar() && name.is_none() || text.len() > TEXT_LIMIT {
        return Err(format!("{:?} is not in force like this", entry.kind));
    }
    let claim = if entry.operator { Claim::Operator(None) } else { Claim::Vouched(None) };
    Ok(Draft { at, kind, ..Draft::said(name, claim, &text, None) })
}

fn kind(word: &str) -> Result<Kind, String> {
    let kind = Kinds::ALL.iter().find(|kind| kind.as_str() == word);
    kind.ok_or_else(|| format!("{word:?} is no kind of entry"))
}

fn name(entry: &Entry) -> Result<Option<PersonName>, String> {
    let name = entry.name.as_deref().map(str::parse).transpose();
    name.map_err(|invalid: Invalid| invalid.0.to_owned())
}

fn time(entry: &Entry) -> Result<Timestamp, String> {
    let at = humantime::parse_rfc3339(&entry.at).ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    at.and_then(|since| u64::try_from(since.as_millis()).ok())
        .map(Timestamp)
        .ok_or_else(|| format!("{:?} is no time such as 2026-11-26T12:00:00.000Z", entry.at))
}

/// The file of an entry, and the text beside it. Of a file that is no longer kept, the text tells its name if it has nothing
/// else to tell.
fn file(file: Option<File>, text: String) -> Result<(Option<Upload>, String), String> {
    let Some(File { facts, content }) = file else { return Ok((None, text)) };
    let facts: FileFacts = facts.parse().map_err(|invalid: Invalid| invalid.0.to_owned())?;
    let Some(content) = content else {
        let text = if has_something_visible(&text) { text } else { facts.name.as_str().to_owned() };
        return Ok((None, text));
    };
    let bytes =
        BASE64_STANDARD.decode(content).map_err(|error| format!("the file is not in base64: {error}"))?;
    let upload = Upload::again(facts, bytes).ok_or("the file is not what is said of it")?;
    Ok((Some(upload), text))
}

fn place(text: &str) -> Result<Cursor, String> {
    text.parse().map_err(|invalid: Invalid| invalid.0.to_owned())
}
