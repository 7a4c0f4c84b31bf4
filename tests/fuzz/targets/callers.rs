//! Who sends a request: nobody may pass for another.

use std::net::{IpAddr, Ipv4Addr};

use comet_chat::access::{Access, AccessSpec};
use comet_chat::wire::request::Head;

use super::{Target, text};

pub const TARGET: Target = Target {
    name: "callers",
    seeds: &[
        "203.0.113.7",
        "203.0.113.7, 10.0.0.2",
        "203.0.113.7:4711, [2001:db8::1]:80",
        "unknown, \"[::1]\", 10.0.0.1",
        "::ffff:203.0.113.7",
    ],
    check,
};

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));

fn check(bytes: &[u8]) {
    let text = &*text(bytes);
    let access = |proxies: &[&str]| {
        let proxies = proxies.iter().map(|&proxy| proxy.to_owned()).collect();
        Access::new(&AccessSpec { proxies, ..AccessSpec::default() })
    };
    let trusting = access(&["10.0.0.0/8"]).expect("a network");
    let caller = |access: &Access, peer, forwarded: &[&str]| {
        let lines = forwarded.iter().map(|&line| ("X-Forwarded-For", line)).collect();
        let head = Head::new("GET", "/chat", (1, 1), &lines);
        access.caller(&head, Some(peer)).address()
    };
    assert_eq!(caller(&trusting, CLIENT, &[text]), Some(CLIENT), "a client passes for another");
    // What the proxy adds comes last. Whatever a client wrote before it says nothing.
    assert_eq!(caller(&trusting, PROXY, &[text, "192.0.2.9"]), Some(CLIENT), "a client passes for another");
    assert_eq!(caller(&trusting, PROXY, &[&format!("{text}, 192.0.2.9")]), Some(CLIENT));
    assert!(caller(&trusting, PROXY, &[text]).is_some());
    if let Err(sentence) = access(&[text]) {
        assert!(!sentence.trim().is_empty());
    }
}
