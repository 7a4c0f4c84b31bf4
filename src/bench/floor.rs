//! The yardstick: the smallest Comet server with a thread for each connection.
//!
//! It is made of `std::net`, a room thread with a crossbeam mailbox, and a fresh channel for each wait. It
//! speaks just enough of the wire to be measured. It trusts its clients and has no limits. What an engine
//! costs beyond this is the price of a server that one can use.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::files;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::config::{FLOOR_STACK, HOLD};

/// What reaches the room thread. A waiter is known by the number that it gave itself.
enum Letter {
    Publish(Arc<str>, Sender<usize>),
    Subscribe(usize, Option<usize>, Sender<Delivery>),
    Unsubscribe(usize),
}

/// What reaches a waiter: a message, or nothing after all; and the cursor behind it.
type Delivery = (Option<Arc<str>>, usize);

/// Serves any path as one room, for ever. Prints the address on stdout, as the chat does.
///
/// # Errors
/// When the address cannot be bound, or a connection not be accepted or given a thread.
pub fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("floor: open http://{}/chat/floor", listener.local_addr()?);
    serve_on(&listener)
}

/// Serves on a listener that is bound already.
///
/// # Errors
/// When a connection cannot be accepted or be given a thread.
pub fn serve_on(listener: &TcpListener) -> io::Result<()> {
    files::allow_most()?;
    let (mailbox, letters) = unbounded();
    thread::spawn(move || room(&letters));
    loop {
        let (stream, _) = listener.accept()?;
        let mailbox = mailbox.clone();
        thread::Builder::new().stack_size(FLOOR_STACK).spawn(move || converse(&stream, &mailbox))?;
    }
}

fn room(letters: &Receiver<Letter>) {
    let mut backlog: Vec<Arc<str>> = Vec::new();
    let mut waiters: HashMap<usize, Sender<Delivery>> = HashMap::new();
    for letter in letters {
        // A waiter may have left meanwhile. It has its cursor, so what is sent to it may be dropped.
        let latest = backlog.len();
        match letter {
            Letter::Publish(text, published) => {
                backlog.push(text.clone());
                let reached = waiters.len();
                for (_, waiter) in waiters.drain() {
                    let _ = waiter.send((Some(text.clone()), latest + 1));
                }
                let _ = published.send(reached);
            }
            Letter::Subscribe(number, after, waiter) => {
                let after = after.unwrap_or(latest);
                if let Some(text) = backlog.get(after) {
                    let _ = waiter.send((Some(text.clone()), after + 1));
                } else {
                    waiters.insert(number, waiter);
                }
            }
            Letter::Unsubscribe(number) => {
                if let Some(waiter) = waiters.remove(&number) {
                    let _ = waiter.send((None, latest));
                }
            }
        }
    }
}

/// Reads requests and answers them until the client is gone.
fn converse(stream: &TcpStream, mailbox: &Sender<Letter>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::with_capacity(1024, stream);
    let mut line = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok().filter(|&length| length > 0)?;
        let (method, rest) = line.split_once(' ')?;
        let is_post = method == "POST";
        let query = rest.split(' ').next()?.split_once('?').map_or("", |(_, query)| query);
        let parameter = |name| query.split('&').find_map(|pair: &str| pair.strip_prefix(name));
        let after = parameter("after=").and_then(|cursor| cursor.parse().ok());
        let hold = parameter("wait=").and_then(|seconds| seconds.parse().ok());
        let hold = hold.map_or(HOLD, Duration::from_secs);
        let mut length = 0;
        loop {
            line.clear();
            reader.read_line(&mut line).ok()?;
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok()?;
            }
        }
        let mut stream = stream;
        let reply = if is_post {
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            publish(mailbox, &String::from_utf8(body).ok()?)?
        } else {
            poll(mailbox, after, hold)?
        };
        stream.write_all(reply.as_bytes()).ok()?;
    }
}

fn publish(mailbox: &Sender<Letter>, text: &str) -> Option<String> {
    let (published, reached) = bounded(1);
    mailbox.send(Letter::Publish(text.into(), published)).ok()?;
    let body = format!("{{\"delivered\":{}}}", reached.recv().ok()?);
    Some(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

fn poll(mailbox: &Sender<Letter>, after: Option<usize>, hold: Duration) -> Option<String> {
    static NUMBERS: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    let (waiter, deliveries) = bounded(1);
    mailbox.send(Letter::Subscribe(number, after, waiter)).ok()?;
    let (text, cursor) = match deliveries.recv_timeout(hold) {
        Ok(delivery) => delivery,
        Err(_) => {
            // The room answers this, unless a message has just come first.
            mailbox.send(Letter::Unsubscribe(number)).ok()?;
            deliveries.recv().ok()?
        }
    };
    let status = if text.is_some() { "200 OK" } else { "204 No Content" };
    let text = text.as_deref().unwrap_or_default();
    Some(format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n\
         Content-Length: {}\r\nChat-Cursor: {cursor}\r\n\
         Link: </chat/floor?after={cursor}>; rel=\"next\"\r\n\r\n{text}",
        text.len()
    ))
}
