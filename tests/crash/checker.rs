//! Compares what was answered, what is kept and what was seen. It knows no server.

use std::collections::{HashMap, HashSet};
use std::fmt;

/// A message as a client got it: its cursor, and a text that no other message has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub cursor: String,
    pub text: String,
}

/// All that is known of one room at the end.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// For each publisher the messages that were answered `ok`, in the order in which they were sent, with
    /// the cursor of each answer. A publisher sends the next message only when the last one is answered.
    pub answered: Vec<Vec<Seen>>,
    /// What is kept, read by a client that came at the very end.
    pub kept: Vec<Seen>,
    /// For each follower what it saw, from the room's first message on.
    pub followers: Vec<Vec<Seen>>,
}

/// A broken promise.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// A message that was answered `ok` is not kept under the cursor of its answer.
    Lost(Seen),
    /// A message is kept twice: its text or its cursor.
    Doubled(Seen),
    /// A kept message was never sent, or never answered.
    Foreign(Seen),
    /// A kept message stands before one that its publisher had sent earlier.
    Reordered(Seen),
    /// A follower saw another message at this place than the kept one, or one of the two lists ends earlier.
    SeenOtherwise { follower: usize, place: usize },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut with = |what, seen: &Seen| write!(f, "{what}: {} {:?}", seen.cursor, seen.text);
        match self {
            Fault::Lost(seen) => with("answered ok and lost", seen),
            Fault::Doubled(seen) => with("there twice", seen),
            Fault::Foreign(seen) => with("there, and never answered ok", seen),
            Fault::Reordered(seen) => with("before what its publisher said earlier", seen),
            Fault::SeenOtherwise { follower, place } => {
                write!(f, "follower {follower} saw another order than what is kept, from message {place} on")
            }
        }
    }
}

/// Finds the first broken promise, if there is one.
pub fn check(record: &Record) -> Result<(), Fault> {
    let mut places = HashMap::new();
    let mut cursors = HashSet::new();
    for (place, kept) in record.kept.iter().enumerate() {
        let is_new_text = places.insert(&kept.text, place).is_none();
        if !is_new_text || !cursors.insert(&kept.cursor) {
            return Err(Fault::Doubled(kept.clone()));
        }
    }
    let mut answered = HashSet::new();
    for publisher in &record.answered {
        let mut earliest = 0;
        for seen in publisher {
            let place = match places.get(&seen.text) {
                Some(place) if record.kept[*place] == *seen => *place,
                _ => return Err(Fault::Lost(seen.clone())),
            };
            if place < earliest {
                return Err(Fault::Reordered(seen.clone()));
            }
            earliest = place;
            answered.insert(&seen.text);
        }
    }
    if let Some(foreign) = record.kept.iter().find(|kept| !answered.contains(&kept.text)) {
        return Err(Fault::Foreign(foreign.clone()));
    }
    for (follower, seen) in record.followers.iter().enumerate() {
        let common = seen.iter().zip(&record.kept).take_while(|(seen, kept)| seen == kept).count();
        if common < seen.len().max(record.kept.len()) {
            return Err(Fault::SeenOtherwise { follower, place: common });
        }
    }
    Ok(())
}
