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
    /// Where to go on: the last of the messages, or else where the reader stands.
    pub next: Cursor,
}

/// Reads what was kept after a cursor. Without a cursor this starts at the oldest message. If the message after
/// the cursor is not kept, or is of another past than the cursor, this starts at the oldest message too, and
/// that is a gap. At the end of the order there is nothing to read, and no gap.
pub fn since(store: &dyn Store, room: &RoomName, after: Option<Cursor>, limit: usize) -> Result<Read, Error> {
    if let Some(after) = after
        && let Some(messages) = following(store, room, after, limit)?
    {
        let next = messages.last().map_or(after, |message| message.id);
        return Ok(Read { messages, gap: false, next });
    }
    let messages = store.after(room, 0, limit)?;
    let next = match messages.last() {
        Some(last) => last.id,
        None => store.newest(room, 0)?.latest,
    };
    Ok(Read { messages, gap: after.is_some(), next })
}

/// Reads what was kept after a cursor; `None` if something between is lost.
fn following(
    store: &dyn Store,
    room: &RoomName,
    after: Cursor,
    limit: usize,
) -> Result<Option<Vec<Arc<Message>>>, Error> {
    let mut messages = store.after(room, after.sequence, limit)?;
    if messages.is_empty() {
        if after.is_at(store.newest(room, 0)?.latest) {
            return Ok(Some(messages));
        }
        // Something may have come between the two looks.
        messages = store.after(room, after.sequence, limit)?;
    }
    Ok(messages.first().is_some_and(|first| first.follows(after)).then_some(messages))
}
