//! The checker must find whatever a server might do wrong.

use fastrand::Rng;

use crate::checker::{Fault, Record, Seen, check};

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
