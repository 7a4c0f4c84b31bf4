//! A notice that is lost costs nothing: each room that is awake asks again now and then.

use std::thread;

use crate::client::Client;
use crate::followers::{EVERY_FORMAT, follow};
use crate::instances::{Instances, deadline};

const MESSAGES: usize = 50;
const END: &str = "end";

#[test]
fn without_notices_all_still_comes() {
    let instances = Instances::start(&[]);
    let (urls, deadline) = (instances.urls(), deadline());
    let client = |url: &String| Client::new(url, "lobby", deadline);
    for link in &instances.links[..2] {
        link.swallow_notices();
    }
    thread::scope(|scope| {
        let following: Vec<_> = (urls[..2].iter())
            .flat_map(|url| EVERY_FORMAT.map(|format| (client(url), format)))
            .map(|(client, format)| scope.spawn(move || follow(&client, &["lobby"], format, END).remove(0)))
            .collect();
        let publisher = client(&urls[2]);
        for number in 0..MESSAGES {
            publisher.publish(&number.to_string());
        }
        publisher.publish(END);
        let kept = publisher.read();
        assert_eq!(kept.len(), MESSAGES + 1);
        for follower in following {
            assert_eq!(follower.join().unwrap(), kept);
        }
    });
    for link in &instances.links[..2] {
        assert!(link.swallowed() > 0, "no notice was lost");
    }
}
