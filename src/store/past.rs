//! Parts of a room's past, as people look at it: before a message, around one, or from a time on.

use std::sync::Arc;

use super::{Error, Read, Store, notices};
use crate::config::REPLY_BYTES;
use crate::message::{Cursor, Kind, Kinds, Message, RoomName, Timestamp};

/// A part of a room's past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The newest messages.
    Newest,
    /// Those before a cursor.
    Before(Cursor),
    /// The message at a cursor, about as many before it, and as many behind it.
    Around(Cursor),
    /// Those from a time on.
    From(Timestamp),
}

/// Reads a part of a room's past, `limit` messages that were said and who joined and left among them; to go on from
/// there is to follow. If the part's cursor is of another past, or the message to look around is no longer kept, these
/// are the newest of all, and that is a gap. It is a gap too if what was said at a time may be no longer kept.
pub fn past(store: &dyn Store, room: &RoomName, part: Part, limit: usize) -> Result<Read, Error> {
    match part {
        Part::Newest => newest(store, room, limit, false),
        Part::Before(cursor) => before(store, room, cursor, limit),
        Part::Around(cursor) => around(store, room, cursor, limit),
        Part::From(time) => from(store, room, time, limit),
    }
}

fn newest(store: &dyn Store, room: &RoomName, limit: usize, gap: bool) -> Result<Read, Error> {
    let latest = store.newest(room, 0)?.latest;
    let messages = store.before(room, latest.sequence + 1, limit)?;
    Ok(Read { messages, gap, next: latest })
}

fn before(store: &dyn Store, room: &RoomName, cursor: Cursor, limit: usize) -> Result<Read, Error> {
    let latest = store.newest(room, 0)?.latest;
    if !is_of_the_past(store, room, cursor, latest)? {
        return newest(store, room, limit, true);
    }
    let messages = store.before(room, cursor.sequence, limit)?;
    let next = messages.last().map_or(cursor, |message| message.id);
    Ok(Read { messages, gap: false, next })
}

fn around(store: &dyn Store, room: &RoomName, cursor: Cursor, limit: usize) -> Result<Read, Error> {
    let there = store.after(room, cursor.sequence.saturating_sub(1), 1)?;
    if !there.first().is_some_and(|message| message.id.is_at(cursor)) {
        return newest(store, room, limit, true);
    }
    let mut messages = store.before(room, cursor.sequence + 1, limit.div_ceil(2))?;
    let said = messages.iter().filter(|message| message.kind == Kind::Message).count();
    let (behind, end) = ahead(store, room, cursor.sequence, limit.saturating_sub(said))?;
    messages.extend(behind);
    Ok(Read { messages, gap: false, next: end.unwrap_or(there[0].id) })
}

fn from(store: &dyn Store, room: &RoomName, time: Timestamp, limit: usize) -> Result<Read, Error> {
    let latest = store.newest(room, 0)?.latest;
    let Some(oldest) = store.after(room, 0, 1)?.first().map(|oldest| oldest.id.sequence) else {
        return Ok(Read { messages: Vec::new(), gap: false, next: latest });
    };
    // Times never go back within a room. All up to `earlier` are from before the time, and none from `later` on is.
    let (mut earlier, mut later) = (oldest - 1, latest.sequence + 1);
    while later - earlier > 1 {
        let middle = earlier + (later - earlier) / 2;
        match store.after(room, middle - 1, 1)?.first() {
            Some(entry) if entry.at < time => earlier = middle,
            _ => later = middle,
        }
    }
    let (messages, end) = ahead(store, room, earlier, limit)?;
    let gap = earlier < oldest && oldest > 1;
    Ok(Read { messages, gap, next: end.unwrap_or(latest) })
}

/// The first `limit` messages that were said after `sequence`, who joined and left among them as far as
/// [`Store::before`] would show it, and the place of the last entry that was looked at. With what stands before them
/// they fit into a reply.
fn ahead(
    store: &dyn Store,
    room: &RoomName,
    sequence: u64,
    limit: usize,
) -> Result<(Vec<Arc<Message>>, Option<Cursor>), Error> {
    let (mut messages, mut end) = (Vec::new(), None);
    let (mut looked_at, mut said, mut bytes) = (0, 0, 0);
    while said < limit {
        let after = end.map_or(sequence, |end: Cursor| end.sequence);
        let entries = store.after(room, after, notices(limit))?;
        if entries.is_empty() {
            break;
        }
        for entry in entries {
            if said == limit || bytes >= REPLY_BYTES / 2 {
                return Ok((messages, end));
            }
            end = Some(entry.id);
            looked_at += 1;
            if entry.kind == Kind::Message {
                said += 1;
                bytes += entry.text.len();
                messages.push(entry);
            } else if looked_at <= notices(limit) && Kinds::SHOWN.includes(entry.kind) {
                messages.push(entry);
            }
        }
    }
    Ok((messages, end))
}

/// Whether a cursor is of the past that ends at `latest`, as far as the kept messages tell. If the message after
/// it is forgotten, everything before it is forgotten too, and there is nothing to show.
pub(super) fn is_of_the_past(
    store: &dyn Store,
    room: &RoomName,
    cursor: Cursor,
    latest: Cursor,
) -> Result<bool, Error> {
    if !cursor.is_within(latest) {
        return Ok(false);
    }
    let after = store.after(room, cursor.sequence, 1)?;
    let is_next = |first: &Arc<Message>| first.id.sequence == cursor.sequence + 1;
    Ok(after.first().is_none_or(|first| !is_next(first) || first.follows(cursor)))
}
