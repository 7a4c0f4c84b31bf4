//! An owner, scene by scene: what it does with letters while a batch is on its way.

use std::sync::Arc;
use std::time::Duration;

use comet_chat::clock::Now;
use comet_chat::message::{Claim, Draft, Kind, Person, RoomName, Timestamp};
use comet_chat::room::letter::Letter;
use comet_chat::room::owner::Owner;
use comet_chat::room::state::Room;
use comet_chat::room::{After, SubscriberId, Subscription, Unpublished, Wake, Wants};
use comet_chat::store::{self, Arrived, Error, Keep, MemoryStore, Store, Tail};

use crate::desk::{Desk, channel, open};

/// Messages in the server's own room are not kept. Each batch is numbered from 1 on, and wakes the waiters.
#[test]
fn each_check_of_the_health_room_is_handed_to_its_waiter() {
    let store = MemoryStore::new(Keep { messages: 10, files: u64::MAX, age: None });
    let (desk, now, name) = (Desk::default(), Now::read(), RoomName::health());
    let room = Room::new(Tail::empty(store.epoch()), &Arc::default(), now);
    let mut owner = Owner::new(desk.clone(), name.clone(), room, store.keep(), now);
    for _ in 0..3 {
        let (id, (subscriber, wake), (sender, receipt)) = (SubscriberId::fresh(), channel(), channel());
        let what = Subscription { after: After::Latest, wants: Wants::ONE_MESSAGE, who: None };
        let draft = Draft {
            kind: Kind::Message,
            name: None,
            claim: Claim::Nothing,
            text: "healthy".into(),
            of: None,
            file: None,
            sent_as: None,
            at: Timestamp(0),
        };
        let letters = [Letter::Subscribe { id, what, subscriber }, Letter::Publish { draft, sender }];
        owner.act(letters.into_iter(), now);
        let arrived = desk.decide_for(&store, &name, true).expect("a batch");
        owner.act([arrived].into_iter(), now);
        assert_eq!(receipt.take().expect("an answer").expect("it is published").delivered, 1);
        assert!(matches!(wake.take(), Some(Wake::Delivery(delivery)) if delivery.messages.len() == 1));
    }
}

/// A person leaves twice while the first leave is on its way. Neither is answered `ok` before it is stored.
#[test]
fn a_second_leave_shares_the_fate_of_the_first() {
    let store = MemoryStore::new(Keep { messages: 10, files: u64::MAX, age: None });
    let (desk, now) = (Desk::default(), Now::read());
    let mut owner = open(&desk, &store, now);
    let name = || "ann".parse().expect("a name");
    let draft = Draft { at: Timestamp(0), ..Draft::said(Some(name()), Claim::Nothing, "hi", None) };
    let (sender, _receipt) = channel();
    owner.act([Letter::Publish { draft, sender }].into_iter(), now);
    owner.act(desk.decide(&store, true).into_iter(), now);
    for is_stored in [false, true] {
        let leave = || {
            let (done, answer) = channel();
            (
                Letter::Leave {
                    who: Person { name: name(), claim: Claim::Nothing },
                    wait: Duration::ZERO,
                    done,
                },
                answer,
            )
        };
        let ((first, one), (second, other)) = (leave(), leave());
        owner.act([first].into_iter(), now);
        owner.act([second].into_iter(), now);
        assert!(one.take().is_none() && other.take().is_none(), "nothing is stored yet");
        owner.act(desk.decide(&store, is_stored).into_iter(), now);
        let expected = if is_stored { Ok(()) } else { Err(Unpublished::NotStored) };
        assert_eq!((one.take(), other.take()), (Some(expected.clone()), Some(expected)));
        assert_eq!(owner.room().people.count(), usize::from(!is_stored));
    }
}

/// A room that closes has no waiters, and still stores and answers every message.
#[test]
fn a_room_that_closes_answers_waiters_at_once_and_publishers_when_it_is_stored() {
    let store = MemoryStore::new(Keep { messages: 10, files: u64::MAX, age: None });
    let (desk, now) = (Desk::default(), Now::read());
    let mut owner = open(&desk, &store, now);
    let says = |text: &str| {
        let draft = Draft { at: Timestamp(0), ..Draft::said(None, Claim::Nothing, text, None) };
        let (sender, receipt) = channel();
        (Letter::Publish { draft, sender }, receipt)
    };
    let waits = |after| {
        let (subscriber, wake) = channel();
        let what = Subscription { after, wants: Wants::ONE_MESSAGE, who: None };
        (Letter::Subscribe { id: SubscriberId::fresh(), what, subscriber }, wake)
    };
    let latest = owner.room().latest();
    // One client waits. Another has read from the store a message that the room does not know of yet.
    let ((wait, wake), (first, one)) = (waits(After::Latest), says("one"));
    owner.act([wait, first].into_iter(), now);
    let arrived = desk.decide(&store, true).expect("a batch");
    let Letter::Arrived(_, Ok(Arrived { outcomes: stored, .. })) = &arrived else { panic!("it is stored") };
    let ahead = stored[0].stored().expect("a message").id;
    let ((early, early_wake), (second, other)) = (waits(After::Cursor(ahead)), says("two"));
    owner.act([early, second, Letter::Close].into_iter(), now);
    assert_eq!(wake.take(), Some(Wake::Closing(latest)));
    assert_eq!(early_wake.take(), Some(Wake::Closing(ahead)), "a cursor never goes back");
    assert!(
        one.take().is_none() && other.take().is_none(),
        "the room does not know yet that either is stored"
    );
    owner.act([arrived].into_iter(), now);
    assert_eq!(one.take().expect("an answer").expect("published").id, ahead);
    owner.act(desk.decide(&store, true).into_iter(), now);
    assert_eq!(other.take().expect("an answer").expect("published").id.sequence, 2);
    assert!(owner.is_settled());
}

/// A store may number messages that the room never saw. Waiters find them in the store.
#[test]
fn what_is_missing_in_between_is_read_from_the_store() {
    let store = MemoryStore::new(Keep { messages: 10, files: u64::MAX, age: None });
    let (desk, now) = (Desk::default(), Now::read());
    let mut owner = open(&desk, &store, now);
    let says = |owner: &mut Owner<Desk>, text: &str| {
        let draft = Draft { at: Timestamp(0), ..Draft::said(None, Claim::Nothing, text, None) };
        let (sender, receipt) = channel();
        owner.act([Letter::Publish { draft, sender }].into_iter(), now);
        receipt
    };
    // The outcome of the first message is an error, although it is stored.
    let _lost = says(&mut owner, "lost from sight");
    let Some(Letter::Arrived(batch, stored)) = desk.decide(&store, true) else { panic!("a batch") };
    assert!(stored.is_ok());
    owner.act([Letter::Arrived(batch, Err(Error("planted".into())))].into_iter(), now);
    let before = owner.room().latest();
    let (subscriber, wake) = channel();
    let what = Subscription { after: After::Latest, wants: Wants::ONE_MESSAGE, who: None };
    owner.act([Letter::Subscribe { id: SubscriberId::fresh(), what, subscriber }].into_iter(), now);
    let receipt = says(&mut owner, "seen");
    owner.act(desk.decide(&store, true).into_iter(), now);
    assert_eq!(receipt.take().expect("an answer").expect("published").id.sequence, 2);
    let Some(Wake::Stored(missed)) = wake.take() else { panic!("the waiter is sent to the store") };
    assert_eq!((missed.after, missed.gap), (Some(before), false));
    let read = store::since(&store, &RoomName::lobby(), missed.after, 10).expect("read");
    let outcome = missed.outcome(read, usize::MAX);
    let texts: Vec<&str> = outcome.messages().iter().map(|message| &*message.text).collect();
    assert_eq!((texts, outcome.has_gap()), (vec!["lost from sight", "seen"], false));
}
