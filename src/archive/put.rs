//! Putting an archived room into a store.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::channel;

use super::read::Archived;
use crate::config::ARCHIVE_READ;
use crate::message::{Change, Cursor, Draft, FileFacts, Kind, Message, Timestamp};
use crate::store::{Appended, Arrived, Done, Error, Store};

/// Adds what is missing of a room, in its order and with its times, and answers how many messages that were.
///
/// What is there already must be the beginning of the same, or all of it and more. So an import that was broken off
/// goes on, and a second one does nothing. Anything else is refused, and nothing is changed.
pub fn put(store: &dyn Store, archived: &Archived) -> Result<usize, Error> {
    let Archived { room, said, places, rules } = archived;
    let mut missing = &said[..];
    let mut moved = Moved::default();
    let mut at = Timestamp(0);
    let mut last = Cursor::start(store.epoch());
    loop {
        let portion = store.after(room, last.sequence, ARCHIVE_READ)?;
        let Some(newest) = portion.last() else { break };
        let follows = portion.first().is_some_and(|first| first.id.sequence == last.sequence + 1);
        let is_there = |there: &&Arc<Message>| {
            there.kind == Kind::Message && !matches!(there.change, Some(Change::Deleted(_)))
        };
        let is_same = portion.iter().filter(is_there).all(|there| match missing.split_first() {
            Some((next, rest)) => {
                moved.note(places.get(said.len() - missing.len()), there.id);
                (missing, at) = (rest, at.max(next.at));
                there.name == next.name
                    && there.text == next.text
                    && there.at == at
                    && has_file_of(there, next)
            }
            None => true,
        });
        if !follows || !is_same {
            return Err(Error(format!(
                "the room {room} holds other messages already: nothing was imported into it; give it another name by --room"
            )));
        }
        last = newest.id;
    }
    let tail = store.newest(room, 0)?;
    let is_in_force = |draft: &Draft| {
        let is_it = |(kind, name, text)| (draft.kind, &draft.name, &draft.text) == (kind, name, text);
        tail.rules.entries().any(|entry| is_it((entry.kind, &entry.name, &entry.text)))
    };
    let rules: Vec<Draft> = rules.iter().filter(|draft| !is_in_force(draft)).cloned().collect();
    if missing.is_empty() && rules.is_empty() {
        return Ok(0);
    }
    let latest = tail.latest;
    if latest.sequence != last.sequence {
        return Err(Error(format!(
            "the room {room} held messages that are forgotten: give it another name by --room"
        )));
    }
    let count = missing.len();
    while !missing.is_empty() {
        let places = places.get(said.len() - missing.len()..).unwrap_or_default();
        let (some, rest) = missing.split_at(moved.portion(missing, places));
        let drafts = some.iter().map(|draft| Draft { of: moved.to(draft.of), ..draft.clone() }).collect();
        let arrived = append(store, archived, last, drafts)?;
        let stored = arrived.outcomes.iter().filter_map(Appended::stored);
        stored.zip(places).for_each(|(message, place)| moved.note(Some(place), message.id));
        (missing, last) = (rest, arrived.latest);
    }
    if !rules.is_empty() {
        append(store, archived, last, rules)?;
    }
    Ok(count)
}

/// Where messages stand now, by where they stood.
#[derive(Default)]
struct Moved(HashMap<Cursor, Cursor>);

impl Moved {
    fn note(&mut self, from: Option<&Cursor>, to: Cursor) {
        self.0.extend(from.map(|from| (*from, to)));
    }

    /// Where the message stands that is answered, if it came along.
    fn to(&self, of: Option<Cursor>) -> Option<Cursor> {
        self.0.get(&of?).copied()
    }

    /// How many of these go in one batch: up to the first that answers one of the same batch, which has no place yet, and
    /// with one file at most.
    fn portion(&self, drafts: &[Draft], places: &[Cursor]) -> usize {
        let mut before: HashSet<Cursor> = HashSet::new();
        let mut has_file = false;
        let most = drafts.len().min(ARCHIVE_READ);
        let stands = |at: &usize| {
            has_file |= *at > 0 && drafts[*at - 1].file.is_some();
            let answers_one = drafts[*at].of.is_some_and(|of| before.contains(&of));
            before.extend(places.get(*at));
            answers_one || has_file && drafts[*at].file.is_some()
        };
        (0..most).find(stands).unwrap_or(most)
    }
}

/// Whether a message that is there has the file of this one. It may be gone meanwhile.
fn has_file_of(there: &Message, next: &Draft) -> bool {
    let known = |file: &FileFacts| (file.name.clone(), file.media, file.bytes);
    let (there, next) = (&there.file, next.file.as_ref().map(|upload| &upload.file));
    there.as_ref().map(|file| known(file)) == next.map(|file| known(file))
}

fn append(
    store: &dyn Store,
    archived: &Archived,
    seen: Cursor,
    drafts: Vec<Draft>,
) -> Result<Arrived, Error> {
    let (done, outcome) = channel();
    store.append(&archived.room, seen, drafts, Done::new(move |outcome| drop(done.send(outcome))));
    let broken = |error: Error| {
        Error(format!(
            "the import into {} was broken off, and goes on when it is done again: {error}",
            archived.room
        ))
    };
    let stored = outcome.recv().unwrap_or_else(|_| Err(Error("the store has ended".into())));
    stored.map_err(broken)
}
