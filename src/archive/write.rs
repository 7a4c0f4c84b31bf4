//! Writing a room.

use std::io::Write;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Serialize;

use super::lines::{End, File, Head, InForce, MAGIC, VERSION, Written};
use crate::config::ARCHIVE_READ;
use crate::message::{Cursor, Message, RoomName};
use crate::store::{Error, Store};

/// Writes all that is kept of a room now, and answers how many entries. Messages that come meanwhile are not among
/// them. If some fall out of the store meanwhile that were not written yet, it fails and writes no end.
pub fn write(store: &dyn Store, room: &RoomName, out: &mut dyn Write) -> Result<u64, Error> {
    line(out, &Head { magic: MAGIC.into(), version: VERSION, room: room.as_str().into() })?;
    let tail = store.newest(room, 0)?;
    let end = tail.latest.sequence;
    let (mut last, mut entries): (Option<Cursor>, u64) = (None, 0);
    loop {
        let from = last.map_or(0, |last| last.sequence);
        let mut portion = store.after(room, from, ARCHIVE_READ)?;
        portion.retain(|message| message.id.sequence <= end);
        let Some(first) = portion.first() else { break };
        if last.is_some_and(|last| !first.follows(last)) {
            break;
        }
        for message in &portion {
            line(out, &Written { message, file: file(store, room, message)? })?;
        }
        entries += portion.len() as u64;
        last = portion.last().map(|message| message.id);
    }
    if last.is_some_and(|last| last.sequence != end) {
        return Err(Error(format!("messages of {room} were forgotten while it was read: export it again")));
    }
    let in_force: Vec<_> = tail.rules.entries().collect();
    if !in_force.is_empty() {
        line(out, &InForce { in_force })?;
    }
    line(out, &End { end: room.as_str().into(), entries })?;
    Ok(entries)
}

/// The file of a message, if it has one. What is forgotten meanwhile is written as gone.
fn file(store: &dyn Store, room: &RoomName, message: &Message) -> Result<Option<File>, Error> {
    let Some(facts) = &message.file else { return Ok(None) };
    let content = if facts.is_gone { None } else { store.file(room, message.id.sequence, 0..facts.bytes)? };
    Ok(Some(File { facts: facts.to_string(), content: content.map(|bytes| BASE64_STANDARD.encode(bytes)) }))
}

fn line(out: &mut dyn Write, line: &impl Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_vec(line).map_err(|error| Error(error.to_string()))?;
    text.push(b'\n');
    out.write_all(&text).map_err(|error| Error(format!("the export was not read to its end: {error}")))
}
