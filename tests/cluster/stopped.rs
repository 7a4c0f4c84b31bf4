//! An instance that is stopped (SIGSTOP) holds up nobody on the others, and misses nothing when it goes on.

use std::slice;
use std::thread;

use crate::client::Client;
use crate::followers::{EVERY_FORMAT, follow};
use crate::instances::{Instances, deadline};

const MESSAGES: usize = 200;
const END: &str = "end";

#[test]
fn an_instance_that_is_stopped_holds_up_nobody_on_the_others() {
    let instances = Instances::start(&[]);
    let (urls, deadline) = (instances.urls(), deadline());
    let (stopped, others) = urls.split_first().unwrap();
    let client = |urls: &[String]| Client::of(urls, "lobby", deadline);
    client(&urls).publish("before");
    instances.servers[0].signal("STOP");
    thread::scope(|scope| {
        let there = {
            let client = client(slice::from_ref(stopped));
            scope.spawn(move || follow(&client, &["lobby"], EVERY_FORMAT[0], END))
        };
        let elsewhere = EVERY_FORMAT.map(|format| {
            let client = client(others);
            scope.spawn(move || follow(&client, &["lobby"], format, END).remove(0))
        });
        let publisher = client(others);
        for number in 0..MESSAGES {
            publisher.publish(&number.to_string());
        }
        publisher.publish(END);
        let seen = elsewhere.map(|follower| follower.join().unwrap());
        instances.servers[0].signal("CONT");
        let late = there.join().unwrap().remove(0);
        let kept = client(others).read();
        assert_eq!(kept.len(), MESSAGES + 2);
        assert!(seen.iter().all(|seen| *seen == kept), "a follower saw another order");
        assert_eq!(late, kept);
    });
}
