//! How a request ends whose body stands unread, or may have another request in it.

use std::io::Write;
use std::mem;
use std::net::Shutdown;

use tiny_http::{Header, Request, Response};

use super::connections::Visit;
use super::door::Door;
use super::head::render_head;
use super::sockets::duplicate;
use crate::log::Entry;
use crate::metrics::METRICS;
use crate::wire::reply::Reply;

/// Sends a reply to a request whose body stands unread, and closes the connection.
///
/// **Fault:** before tiny_http gives its writer away it drains the unread body, for as long as the
/// client likes; it takes what stands behind a bad chunk for a request, and answers it; and it does not
/// close. **Cure:** the reply goes out through a descriptor of our own, which then is shut for writing:
/// what tiny_http has to say goes nowhere. A moment later it is shut for reading as well, which ends
/// the drain and tiny_http's reader.
pub fn send_and_close(door: &Door, entry: Entry, request: Request, reply: &Reply, visit: &Visit) {
    entry.answered(reply.status);
    let mut bytes = render_head(&request, reply, true);
    if request.method().as_str() != "HEAD" {
        bytes.extend_from_slice(&reply.body);
    }
    let seen = visit.peer().and_then(|peer| door.look(peer));
    match seen.map(|seen| duplicate(seen.inode)) {
        Some(Ok(mut connection)) => {
            let _ = connection.write_all(&bytes).and_then(|()| connection.shutdown(Shutdown::Write));
            door.closer.close(connection);
            leave(request);
        }
        // Nobody is there any more.
        None if door.sockets.are_seen() => leave(request),
        _ => send_before_body(request, reply, &bytes),
    }
}

/// The same where there is no descriptor of our own to be had.
///
/// **Fault:** tiny_http drops the header `Connection` from such a reply. **Cure:** it passes a value on
/// as it is, line ends too, so the header travels as the second line of another.
fn send_before_body(request: Request, reply: &Reply, bytes: &[u8]) {
    if !is_droppable(&request) {
        let mut stream = request.upgrade("none", Response::empty(100));
        let _ = stream.write_all(bytes).and_then(|()| stream.flush());
        METRICS.leaks.inc();
        return mem::forget(stream);
    }
    let mut response = Response::from_data(reply.body.to_vec()).with_status_code(reply.status);
    for (name, value) in &reply.headers {
        let value = if *name == "Cache-Control" {
            format!("{value}\r\nConnection: close")
        } else {
            value.to_string()
        };
        // Our own names and values are ASCII.
        response.add_header(Header::from_bytes(*name, value).expect("an ASCII header"));
    }
    let _ = request.respond(response);
}

/// Drops a request without a reply.
///
/// **Fault:** when tiny_http drops a request it reads what is left of its body into a buffer of the
/// announced size; where that can't be had, Rust aborts the process. **Cure:** such a request is kept
/// for the life of the process, with its thread and its two descriptors, and counted. Below a hundred
/// terabytes it does not come to that: the binary's allocator takes address space for such a buffer
/// without reserving memory for it.
pub fn leave(request: Request) {
    if !is_droppable(&request) {
        METRICS.leaks.inc();
        return mem::forget(request);
    }
    drop(request.into_writer());
}

/// Whether a buffer for all of its body can be had, so that dropping it does not end the process.
fn is_droppable(request: &Request) -> bool {
    Vec::<u8>::new().try_reserve_exact(request.body_length().unwrap_or(0)).is_ok()
}
