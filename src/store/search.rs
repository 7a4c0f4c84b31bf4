//! A search by reading: newest first, in portions, and no further than its bound.
//!
//! It asks for one portion after the other, as history does. So it never holds a lock, a transaction or a step of Redis
//! for longer than a page of history takes, and nobody who publishes waits for it.
//!
//! An index in SQLite (FTS5 with its trigrams) was measured for rooms of 10,000 messages of 84 bytes. It finds in 0.4 ms,
//! but a message takes ten times as long to write (244 us of processor time in the place of 25), the file is five times as
//! large, two letters find nothing, and what was deleted stays in the index until it is merged.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::past::is_of_the_past;
use super::{Error, Store};
use crate::config::{REPLY_BYTES, SEARCH_BYTES, SEARCH_ENTRIES, SEARCH_PORTION, SEARCH_TIME};
use crate::message::{Cursor, Kind, Message, RoomName, Words};

/// How far one search looks. It reads at least one portion, so whoever goes on comes to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// The most entries that it looks at.
    pub entries: usize,
    /// The most bytes of text in them.
    pub bytes: usize,
    /// After how long it looks no further.
    pub time: Duration,
    /// The most bytes of text that it finds, and one message more.
    pub found: usize,
}

impl Bound {
    /// The bound of one room, where so many are searched at once.
    pub fn shared_by(rooms: usize) -> Bound {
        let share = |whole: usize| whole / rooms.max(1);
        Bound {
            entries: share(SEARCH_ENTRIES),
            bytes: share(SEARCH_BYTES),
            time: SEARCH_TIME / u32::try_from(rooms.max(1)).unwrap_or(u32::MAX),
            found: share(REPLY_BYTES),
        }
    }
}

/// What a search found in a room, and how far it looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The newest messages that match, oldest first.
    pub messages: Vec<Arc<Message>>,
    /// Where it began: with the message before this one, or at this place.
    pub began: Cursor,
    /// The oldest entry that it looked at. There it goes on.
    pub reached: Option<Arc<Message>>,
    /// Whether something older may be left.
    pub has_more: bool,
    /// Whether it could not begin where it was asked to.
    pub gap: bool,
}

/// Where a search begins in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At its end.
    Newest,
    /// With the message before this one.
    Before(Cursor),
    /// With the message at this place.
    At(Cursor),
}

/// Looks for the newest `limit` messages of a room, from `start` back, in which the words stand. If the cursor in `start`
/// is of another past, this begins at the end, and that is a gap.
pub fn find(
    store: &dyn Store,
    room: &RoomName,
    words: &Words,
    start: Start,
    limit: usize,
    bound: Bound,
) -> Result<Found, Error> {
    let latest = store.newest(room, 0)?.latest;
    let cursor = match start {
        Start::Newest => None,
        Start::Before(cursor) | Start::At(cursor) => Some(cursor),
    };
    let is_ours = cursor.map_or(Ok(true), |cursor| is_of_the_past(store, room, cursor, latest))?;
    let (began, before) = match start {
        Start::Before(cursor) if is_ours => (cursor, cursor.sequence),
        Start::At(cursor) if is_ours => (cursor, cursor.sequence + 1),
        _ => (latest, latest.sequence + 1),
    };
    let mut found = Found { messages: Vec::new(), began, reached: None, has_more: true, gap: !is_ours };
    scan(store, room, words, before, limit, bound, &mut found)?;
    found.messages.reverse();
    Ok(found)
}

/// Collects what is found before `sequence`, newest first.
fn scan(
    store: &dyn Store,
    room: &RoomName,
    words: &Words,
    mut sequence: u64,
    limit: usize,
    bound: Bound,
    found: &mut Found,
) -> Result<(), Error> {
    let until = Instant::now() + bound.time;
    let (mut entries, mut bytes, mut spare) = (0, 0, bound.found);
    while found.has_more {
        let portion = store.before(room, sequence, SEARCH_PORTION)?;
        for message in portion.iter().rev() {
            (sequence, found.reached) = (message.id.sequence, Some(message.clone()));
            (entries, bytes) = (entries + 1, bytes + message.text.len());
            if words.are_in(message) {
                spare = spare.saturating_sub(message.text.len());
                found.messages.push(message.clone());
                if found.messages.len() >= limit || spare == 0 {
                    break;
                }
            }
        }
        // Fewer than were asked for are all that is left, unless their texts were as many as one read may be.
        let said = portion.iter().filter(|message| message.kind == Kind::Message).count();
        let read: usize = portion.iter().map(|message| message.text.len()).sum();
        let is_last = said < SEARCH_PORTION && read < REPLY_BYTES;
        found.has_more = !is_last || portion.first().is_some_and(|oldest| oldest.id.sequence < sequence);
        let is_full = found.messages.len() >= limit || spare == 0;
        if is_full || entries >= bound.entries || bytes >= bound.bytes || Instant::now() >= until {
            break;
        }
    }
    Ok(())
}
