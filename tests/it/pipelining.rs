//! Requests that stand behind each other on a connection.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::chat::Chat;
use crate::client::{Connection, Request};
use crate::harness::{Launch, wait_until};
use crate::raw::post;
use crate::server::Server;

on_every_engine![
    a_second_wait_ends_the_first_at_once,
    a_request_behind_a_wait_ends_it_at_once,
    requests_in_a_row_are_answered_in_their_order,
    a_thousand_waits_in_a_row_do_no_harm,
    a_new_connection_from_the_same_port_starts_afresh,
    a_client_on_the_port_of_a_refused_one_is_answered,
];

fn a_second_wait_ends_the_first_at_once(chat: Chat) {
    for (query, status) in [("?wait=60", 404), ("?wait=60&after=latest", 204)] {
        let mut connection = chat.waits(query);
        chat.wait_until_waiting(1);
        connection.send(&chat.get("?wait=60"));
        // It would wait longer than this client has patience.
        let first = connection.reply().is(status);
        chat.says_to(1, "for the second");
        assert_eq!(connection.reply().is(200).text(), "for the second");
        // A client that goes on from where the first wait ended has missed nothing.
        let next = chat.ask(&Request::get(&first.next())).is(200);
        assert_eq!(next.text(), "for the second");
    }
}

fn a_request_behind_a_wait_ends_it_at_once(chat: Chat) {
    let mut connection = chat.waits("?wait=60");
    connection.send(&chat.post().text("hi"));
    let waited = connection.reply();
    connection.reply().is(200);
    // Its own message may have come just in time.
    assert!([200, 404].contains(&waited.status), "{waited:?}");
}

fn requests_in_a_row_are_answered_in_their_order(chat: Chat) {
    let start = chat.cursor();
    let mut connection = chat.connect();
    for round in 0..20 {
        for request in [
            chat.post().text(&round.to_string()),
            Request::get("/help"),
            Request::new("HEAD", "/help"),
            Request::get("/nowhere"),
        ] {
            connection.send(&request);
        }
        for status in [200, 200, 200, 404] {
            connection.reply().is(status);
        }
    }
    let rounds: Vec<String> = (0..20).map(|round| round.to_string()).collect();
    assert_eq!(chat.follower_from(&start).hears(20), rounds);
}

fn a_thousand_waits_in_a_row_do_no_harm(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    let wait = chat.get("?wait=1").bytes();
    let mut connection = server.connect();
    let mut most = 0;
    for _ in 0..1_000 {
        // The server may have closed the connection before the end.
        if connection.try_send_bytes(&wait).is_err() {
            break;
        }
        most = most.max(server.footprint().threads);
    }
    assert!(most < before.threads + 50, "{most} threads for one connection");
    let mut follower = chat.follower();
    chat.says("still here");
    assert_eq!(follower.hears(1), ["still here"]);
    drop((connection, follower));
    server.shrinks_to(before);
}

fn a_new_connection_from_the_same_port_starts_afresh(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let wait = chat.get("?wait=1").bytes();
    let first = from_port(&server, 0);
    let port = first.local_addr().expect("its own address").port();
    let mut first = Connection::over(first);
    for _ in 0..1_000 {
        if first.try_send_bytes(&wait).is_err() {
            break;
        }
    }
    drop(first);

    let cursor = chat.says("hi");
    let get = chat.get(&format!("?after={cursor}&wait=0"));
    // The second may still take out what the first left on the way, but not for long.
    wait_until("the port is as good as any", || {
        let mut second = Connection::over(from_port(&server, port));
        second.set_patience(Duration::from_secs(3));
        second.send(&get);
        second.try_reply().is_ok_and(|reply| reply.status == 204)
    });
}

/// For a second after a 413, a new connection from the same port was taken for the old one and not answered.
fn a_client_on_the_port_of_a_refused_one_is_answered(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let first = from_port(&server, 0);
    let port = first.local_addr().expect("its own address").port();
    let mut connection = Connection::over(first);
    for _ in 0..10 {
        connection.send_bytes(&post(&chat, "Content-Length: 70000", ""));
        connection.reply().is(413);
        drop(connection);
        connection = Connection::over(from_port(&server, port));
        connection.ask(&chat.get("?after=latest&wait=0")).is(204);
    }
}

/// Connects from a port of ours, or from any port for 0. The connection ends with a reset, which frees its
/// port at once.
fn from_port(server: &Server, port: u16) -> TcpStream {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut connected = None;
    // Another connection on this machine may have the port for a moment.
    wait_until("the port is free", || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_linger(Some(Duration::ZERO)).expect("an option");
        socket.set_reuse_address(true).expect("an option");
        let is_free =
            socket.bind(&address.into()).and_then(|()| socket.connect(&server.address().into())).is_ok();
        connected = is_free.then_some(socket);
        is_free
    });
    connected.expect("a connection").into()
}
