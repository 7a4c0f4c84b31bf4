//! Reads that judge a cursor: whether what its client has seen is still in this store's past.
//!
//! After a backup is put back, or a log has lost its end, the store has an older past under the same epoch. New
//! messages then get sequences that other messages had before. So a cursor holds the mark of its message, and
//! each message bears the mark of the one before it. If the first message after a cursor bears another mark
//! than the cursor holds, the client has seen another past.

use std::sync::Arc;

use super::{Error, Store};
use crate::message::{Cursor, Message, RoomName};

/// Messages as they were read, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The messages.
    pub messages: Vec<Arc<Message>>,
    /// Whether something that came before them is lost.
    pub gap: bool,
}

/// Reads what was kept after a cursor. Without a cursor this starts at the oldest message. If the message after
/// the cursor is not kept, or is of another past than the cursor, this starts at the oldest message too, and
/// that is a gap. The room must have a message after the cursor.
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
/// cursor to follow from there. Without a cursor these are the newest of all. If the cursor is of another past,
/// they are the newest of all too, and that is a gap.
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

/// Whether a cursor is of the past that ends at `latest`, as far as the kept messages tell. If the message after
/// it is forgotten, everything before it is forgotten too, and there is nothing to show.
fn is_of_the_past(store: &dyn Store, room: &RoomName, cursor: Cursor, latest: Cursor) -> Result<bool, Error> {
    if !cursor.is_within(latest) {
        return Ok(false);
    }
    let after = store.after(room, cursor.sequence, 1)?;
    let is_next = |first: &Arc<Message>| first.id.sequence == cursor.sequence + 1;
    Ok(after.first().is_none_or(|first| !is_next(first) || first.follows(cursor)))
}
