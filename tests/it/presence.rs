//! Who is there: joined, left, and no flapping between two polls.

use std::time::{Duration, Instant};

use crate::chat::Chat;
use crate::client::Request;
use crate::harness::wait_until;

on_every_setup![
    who_waits_under_a_name_is_there,
    who_speaks_under_a_name_is_there,
    a_client_without_a_name_is_not_announced,
    who_only_looks_is_not_there,
    who_leaves_is_gone_at_once,
    who_leaves_with_a_wait_may_come_back_unnoticed,
    who_leaves_on_one_device_stays_while_another_waits,
    who_leaves_on_the_last_device_is_gone_soon,
    leaving_needs_a_name_and_may_be_said_twice,
    a_plain_waiter_is_not_woken_by_who_comes,
    fifty_people_join_once_and_leave_once,
];

fn who_waits_under_a_name_is_there(chat: Chat) {
    let start = chat.cursor();
    let mut follower = chat.connect();
    follower.send(&chat.get(&format!("?after={start}&wait=60")).accept("application/json"));
    let _ann = chat.waits("?name=ann&after=latest");
    let joined = follower.reply().is(200).json();
    assert_eq!(joined["messages"][0]["kind"], "joined");
    assert_eq!(joined["messages"][0]["name"], "ann");
    assert_eq!(joined["messages"][0]["text"], "");
    assert_eq!(chat.people(), ["ann"]);
}

fn who_speaks_under_a_name_is_there(chat: Chat) {
    chat.join("ben").says("hello");
    assert_eq!(chat.people(), ["ben"]);
    assert_eq!(chat.kinds(), ["joined", "message"], "ben comes before he speaks");
}

fn a_client_without_a_name_is_not_announced(chat: Chat) {
    chat.says("hello");
    let waiting = chat.waits("?after=latest&wait=1");
    drop(waiting);
    assert_eq!(chat.kinds(), ["message"]);
    assert!(chat.people().is_empty());
}

fn who_only_looks_is_not_there(chat: Chat) {
    chat.ask(&Request::new("HEAD", &chat.path("?name=ann"))).is(404);
    chat.ask(&chat.get("/history?name=ann").breaking_the_rules()).is(200);
    assert!(chat.people().is_empty());
}

fn who_leaves_is_gone_at_once(chat: Chat) {
    chat.join("ann").says("bye");
    assert_eq!(chat.ask(&chat.leave("ann")).is(200).text(), "ok");
    assert!(chat.people().is_empty());
    assert_eq!(chat.kinds(), ["joined", "message", "left"]);
}

fn who_leaves_with_a_wait_may_come_back_unnoticed(chat: Chat) {
    // On a machine that is too busy ann comes back too late, and the test tries again in another room.
    wait_until("ann comes back in time", || {
        let chat = Chat::at(chat.address());
        chat.join("ann").says("hi");
        chat.join("ben").says("hi");
        let start = Instant::now();
        chat.ask(&chat.leave_in(2, "ann")).is(200);
        chat.ask(&chat.get("?name=ann&after=latest&wait=0")).is(204);
        chat.ask(&chat.leave_in(2, "ben")).is(200);
        let people = chat.people();
        if start.elapsed() >= Duration::from_secs(2) {
            return false;
        }
        assert_eq!(people, ["ann", "ben"]);
        wait_until("ben has left", || chat.people() == ["ann"]);
        assert_eq!(chat.kinds(), ["joined", "message", "joined", "message", "left"]);
        true
    });
    chat.ask(&chat.post_to("/leave?wait=soon").form(&[("name", "ann")])).is(400);
}

/// One name on a phone and a laptop. When the laptop closed, the room was told that bob had left, although he
/// waited on the phone. With the phone's next poll it was told that he had joined.
fn who_leaves_on_one_device_stays_while_another_waits(chat: Chat) {
    let mut phone = chat.waits("?name=bob&after=latest&wait=60");
    let laptop = chat.waits("?name=bob&after=latest&wait=60");
    chat.wait_until_waiting(2);
    wait_until("bob is there", || chat.people() == ["bob"]);
    chat.ask(&chat.leave_in(1, "bob")).is(200);
    drop(laptop);
    chat.ask(&chat.leave("bob")).is(200);
    // Another person comes, and leaves later than bob would have.
    chat.ask(&chat.get("?name=cem&after=latest&wait=0")).is(204);
    chat.ask(&chat.leave_in(2, "cem")).is(200);
    wait_until("cem has left", || chat.people() == ["bob"]);
    assert_eq!(chat.kinds(), ["joined", "joined", "left"]);
    chat.says("now");
    assert_eq!(phone.reply().is(200).text(), "now");
}

/// A page that closes can't wait for its poll to end, so the poll may still wait when the page says that its
/// person leaves.
fn who_leaves_on_the_last_device_is_gone_soon(chat: Chat) {
    let page = chat.waits("?name=ann&after=latest&wait=60");
    wait_until("ann is there", || chat.people() == ["ann"]);
    // Ben is seen for the last time before ann's page closes, and leaves by the grace time.
    chat.join("ben").says("bye");
    chat.ask(&chat.leave_in(1, "ann")).is(200);
    drop(page);
    wait_until("ann has left", || !chat.people().contains(&"ann".to_owned()));
    let page = chat.ask(&chat.get("/history").accept("application/json")).is(200).json();
    let left = page["messages"].as_array().expect("a list").iter().find(|message| message["kind"] == "left");
    assert_eq!(left.expect("somebody left")["name"], "ann", "that was by the grace time");
}

fn leaving_needs_a_name_and_may_be_said_twice(chat: Chat) {
    chat.ask(&chat.post_to("/leave").form(&[])).is(400);
    chat.ask(&chat.get("/leave")).is(405);
    chat.ask(&chat.leave("nobody")).is(200);
    assert!(chat.kinds().is_empty(), "a person who was not there has not left");
}

fn a_plain_waiter_is_not_woken_by_who_comes(chat: Chat) {
    let start = chat.cursor();
    let mut plain = chat.waits(&format!("?after={start}&wait=60"));
    let mut json = chat.connect();
    json.send(&chat.get(&format!("?after={start}&wait=60")).accept("application/json"));
    wait_until("ann is heard of", || {
        chat.ask(&chat.get("?name=ann&after=latest&wait=0")).is(204);
        json.has_something()
    });
    assert!(!plain.has_something(), "a joined is no message");
    chat.says("now");
    assert_eq!(plain.reply().is(200).text(), "now");
}

/// The grace time is 15 s. The test polls for longer, so that it would see a flapping person.
fn fifty_people_join_once_and_leave_once(chat: Chat) {
    const PEOPLE: usize = 50;
    let mut people: Vec<_> = (0..PEOPLE).map(|_| chat.connect()).collect();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        for (number, person) in people.iter_mut().enumerate() {
            person.send(&chat.get(&format!("?after=latest&wait=1&name=person-{number}")));
        }
        for person in &mut people {
            person.reply().is(204);
        }
    }
    assert_eq!(chat.people().len(), PEOPLE);
    assert_eq!(chat.kinds(), vec!["joined"; PEOPLE], "each comes once, and nobody goes");
    drop(people);
    wait_until("all have left", || chat.people().is_empty());
    wait_until("all of that is told", || chat.kinds().len() == 2 * PEOPLE);
    assert_eq!(chat.kinds()[PEOPLE..], vec!["left"; PEOPLE]);
}
