//! Reads that judge a cursor: whether what it has seen is still in this store's past.
//!
//! A backup that is put back, or a log that lost its end, is an older past under the same epoch. What is
//! said then stands at places that were given out before. So a cursor names the mark of its message, and every
//! message bears the mark of the one before it: the first message after a cursor tells whether the cursor has
//! seen the past of which that message is a part.

use std::sync::Arc;

use super::{Error, Store};
use crate::message::{Cursor, Message, RoomName};

/// Messages as they were read, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The messages, without holes.
    pub messages: Vec<Arc<Message>>,
    /// Whether something that came before them is lost.
    pub gap: bool,
}

/// Reads what was kept after a cursor, or from the oldest message on if there is none. If the message after
/// the cursor is not kept, or is of another past than the cursor, this starts at the oldest message, and is a
/// gap. The room must go on after the cursor.
pub fn since(store: &dyn Store, room: &RoomName, after: Option<Cursor>, limit: usize) -> Result<Read, Error> {
    if let Some(after) = after {
        let messages = store.after(room, after.sequence, limit)?;
        if messages.first().is_some_and(|first| first.follows(after)) {
            return Ok(Read { messages, gap: false });
        }
    }
    Ok(Read { messages: store.after(room, 0, limit)?, gap: after.is_some() })
}

/// Reads the newest `limit` messages that were said before a cursor, as [`Store::before`] does, and gives the
/// cursor to follow from there. Without a cursor, or if the cursor is of another past, these are the newest of
/// all, and in that case it is a gap.
pub fn past(
    store: &dyn Store,
    room: &RoomName,
    before: Option<Cursor>,
    limit: usize,
) -> Result<(Read, Cursor), Error> {
    let latest = store.newest(room, 0)?.latest_in(store.epoch());
    if let Some(before) = before
        && is_of_the_past(store, room, before, latest)?
    {
        let messages = store.before(room, before.sequence, limit)?;
        let next = messages.last().map_or(before, |message| message.id);
        return Ok((Read { messages, gap: false }, next));
    }
    let messages = store.before(room, latest.sequence + 1, limit)?;
    Ok((Read { messages, gap: before.is_some() }, latest))
}

/// Whether a cursor is of the past that ends at `latest`, as far as what is kept tells. If the message after it
/// is forgotten, so is everything before it, and there is nothing to be wrong about.
fn is_of_the_past(store: &dyn Store, room: &RoomName, cursor: Cursor, latest: Cursor) -> Result<bool, Error> {
    if !cursor.is_within(latest) {
        return Ok(false);
    }
    let after = store.after(room, cursor.sequence, 1)?;
    let is_next = |first: &Arc<Message>| first.id.sequence == cursor.sequence + 1;
    Ok(after.first().is_none_or(|first| !is_next(first) || first.follows(cursor)))
}
