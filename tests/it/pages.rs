//! Large pages, for clients that read them slowly and for clients that read nothing.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::chat::Chat;
use crate::client::Request;
use crate::harness::PATIENCE;

on_every_engine![a_slow_reader_gets_all_of_a_large_page,];

/// The most that the server holds for all clients.
pub const HELD_MAX: f64 = (128 * 1024 * 1024) as f64;

/// The messages of a room whose page is 6 MB on the wire.
pub const MESSAGES: usize = 16;

/// A connection from one of the machine's own addresses. The client's kernel takes little of a reply.
pub fn connect_from(address: SocketAddr, last: u8) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("an option");
    let own = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
    socket.bind(&own.into()).expect("an address of this machine");
    socket.connect(&address.into()).expect("a connection");
    socket.into()
}

/// Says so much that the room's page is large.
pub fn say_much(chat: &Chat) {
    // Each byte of it but one is six bytes in JSON.
    let text = format!("x{}", "\u{1}".repeat(60_000));
    for _ in 0..MESSAGES {
        chat.ask(&chat.post().text(&text)).is(200);
    }
}

/// A request for so many of the newest messages.
pub fn page(chat: &Chat, messages: usize) -> Request {
    Request::get(&chat.path(&format!("/history?limit={messages}"))).accept("application/json")
}

/// A page of 1 MiB was cut off for a client that read 60 KB a second, and again at each try.
fn a_slow_reader_gets_all_of_a_large_page(chat: Chat) {
    const STEP: usize = 7_000;
    let text = "x".repeat(60_000);
    for _ in 0..MESSAGES {
        chat.ask(&chat.post().text(&text)).is(200);
    }
    let mut stream = connect_from(chat.address(), 2);
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    stream.write_all(&page(&chat, MESSAGES).bytes()).expect("the request is sent");
    let mut taken = Vec::new();
    let start = Instant::now();
    let mut buffer = [0; STEP];
    while !is_whole(&taken) {
        // 100 KB a second.
        let due = Duration::from_millis(70) * (taken.len() / STEP) as u32;
        thread::sleep(due.saturating_sub(start.elapsed()));
        match stream.read(&mut buffer).expect("some more of it") {
            0 => panic!("cut off after {} bytes and {:?}", taken.len(), start.elapsed()),
            length => taken.extend_from_slice(&buffer[..length]),
        }
    }
}

/// Whether these bytes are a reply with all of its body.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    bytes.len() == end + 4 + length.parse::<usize>().expect("a number")
}
