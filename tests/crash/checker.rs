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

/// The checker must find whatever a server might do wrong.
mod tests {
    use super::*;
    use fastrand::Rng;

    /// A room without a fault: three publishers, two followers.
    fn faultless(rng: &mut Rng) -> Record {
        let mut record = Record { answered: vec![Vec::new(); 3], ..Record::default() };
        for n in 0..200 {
            let publisher = rng.usize(..3);
            let seen = Seen { cursor: format!("e-{}", n + 1), text: format!("{publisher}/{n}") };
            record.answered[publisher].push(seen.clone());
            record.kept.push(seen);
        }
        record.followers = vec![record.kept.clone(); 2];
        record
    }

    /// Plants one fault in 100 rooms, each at another place, and expects the checker to find it.
    fn always_found(plant: impl Fn(&mut Record, &mut Rng), is_it: impl Fn(&Fault) -> bool) {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut rng = Rng::with_seed(seed);
        for _ in 0..100 {
            let mut record = faultless(&mut rng);
            assert_eq!(check(&record), Ok(()));
            plant(&mut record, &mut rng);
            let fault = check(&record).expect_err("the fault was not found");
            assert!(is_it(&fault), "it was found as {fault}");
        }
    }

    fn is_seen_otherwise(fault: &Fault) -> bool {
        matches!(fault, Fault::SeenOtherwise { .. })
    }

    #[test]
    fn a_planted_loss_is_found() {
        let lose = |record: &mut Record, rng: &mut Rng| {
            let place = rng.usize(..200);
            record.kept.remove(place);
            for seen in &mut record.followers {
                seen.remove(place);
            }
        };
        always_found(lose, |fault| matches!(fault, Fault::Lost(_)));
    }

    #[test]
    fn a_planted_double_is_found() {
        let double = |record: &mut Record, rng: &mut Rng| {
            let doubled = Seen { cursor: "e-201".into(), ..record.kept[rng.usize(..200)].clone() };
            record.kept.push(doubled.clone());
            for seen in &mut record.followers {
                seen.push(doubled.clone());
            }
        };
        always_found(double, |fault| matches!(fault, Fault::Doubled(_)));
    }

    #[test]
    fn a_cursor_given_twice_is_found() {
        let reuse = |record: &mut Record, rng: &mut Rng| {
            let place = rng.usize(1..200);
            record.kept[place].cursor = record.kept[place - 1].cursor.clone();
        };
        always_found(reuse, |fault| matches!(fault, Fault::Doubled(_)));
    }

    #[test]
    fn a_planted_swap_of_one_publishers_messages_is_found() {
        let swap = |record: &mut Record, rng: &mut Rng| {
            let publisher = rng.choice(&record.answered).unwrap();
            let pair = rng.usize(1..publisher.len());
            let [first, second] =
                [pair - 1, pair].map(|n| record.kept.iter().position(|kept| *kept == publisher[n]).unwrap());
            record.kept.swap(first, second);
            record.followers = vec![record.kept.clone(); 2];
        };
        always_found(swap, |fault| matches!(fault, Fault::Reordered(_)));
    }

    #[test]
    fn a_message_that_was_never_answered_is_found() {
        let forge = |record: &mut Record, rng: &mut Rng| {
            let publisher = rng.usize(..3);
            record.answered[publisher].pop().unwrap();
        };
        always_found(forge, |fault| matches!(fault, Fault::Foreign(_)));
    }

    #[test]
    fn a_loss_at_one_follower_is_found() {
        let lose = |record: &mut Record, rng: &mut Rng| {
            record.followers[1].remove(rng.usize(..200));
        };
        always_found(lose, is_seen_otherwise);
    }

    #[test]
    fn a_double_at_one_follower_is_found() {
        let double = |record: &mut Record, rng: &mut Rng| {
            let place = rng.usize(..200);
            let seen = record.followers[1][place].clone();
            record.followers[1].insert(place, seen);
        };
        always_found(double, is_seen_otherwise);
    }

    #[test]
    fn a_swap_at_one_follower_is_found() {
        let swap = |record: &mut Record, rng: &mut Rng| {
            let place = rng.usize(1..200);
            record.followers[1].swap(place - 1, place);
        };
        always_found(swap, is_seen_otherwise);
    }
}
