//! A name belongs to who holds it on all instances, and is free again when only a killed instance held it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::thread;

use crate::instances::{Instances, PATIENCE, wait_until};
use crate::server::Server;

const ONE: &str = "the-key-of-one-person";
const OTHER: &str = "the-key-of-another";

/// The status of a message under this name, with this key.
fn says(server: &Server, name: &str, key: &str) -> u16 {
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let body = format!("message=hi&name={name}");
    write!(
        stream,
        "POST /chat/lobby HTTP/1.1\r\nHost: localhost\r\nChat-Key: {key}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the request is sent");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    let status = reply.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no reply: {reply:?}"))
}

#[test]
fn a_name_is_one_person_s_on_all_instances_until_its_instance_is_killed() {
    let mut instances = Instances::start(&[]);
    let [first, second, third] = &instances.servers[..] else { panic!("there are three") };
    assert_eq!(says(first, "Anna", ONE), 200);
    for server in [second, third] {
        for name in ["Anna", "anna"] {
            assert_eq!(says(server, name, OTHER), 409);
        }
        assert_eq!(says(server, "Cem", ONE), 200);
    }

    // Two who come in the same moment, each to another instance: one of them has the name.
    for round in 0..20 {
        let (begin, name) = (Barrier::new(2), format!("guest-{round}"));
        let come = |server, key| {
            begin.wait();
            says(server, &name, key)
        };
        let mut statuses = thread::scope(|scope| {
            let one = scope.spawn(|| come(first, ONE));
            let other = scope.spawn(|| come(second, OTHER));
            [one, other].map(|thread| thread.join().expect("it ends"))
        });
        statuses.sort();
        assert_eq!(statuses, [200, 409], "{name}");
    }

    // Nobody but the first instance holds Anna.
    instances.servers[0].dies();
    let second = &instances.servers[1];
    wait_until("the name is free", || says(second, "anna", OTHER) == 200);
    assert_eq!(says(second, "Anna", ONE), 409);
}
