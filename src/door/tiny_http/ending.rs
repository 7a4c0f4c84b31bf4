//! The end of a request whose body is unread, or may contain another request.

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

/// Sends a reply to a request whose body is unread, and closes the connection.
///
/// **Fault:** before tiny_http gives its writer away it reads the rest of the body, for as long as the client
/// likes. It takes what comes after a bad chunk for a request, and answers it. It does not close the connection.
/// **Cure:** the reply leaves through a descriptor of our own, which is then shut for writing, so that nothing
/// of tiny_http's gets out. A moment later it is shut for reading too, which ends tiny_http's reading.
pub fn send_and_close(door: &Door, entry: Entry, request: Request, reply: &Reply, visit: &Visit) {
    entry.answered(reply.status);
    let mut bytes = render_head(reply, true);
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
        // The client is gone.
        None if door.sockets.are_seen() => leave(request),
        _ => send_before_body(request, reply, &bytes),
    }
}

/// The same where we can't have a descriptor of our own.
///
/// **Fault:** tiny_http drops the header `Connection` from such a reply. **Cure:** it passes values on as they
/// are, with line ends, so the header travels as the second line of another one.
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
/// **Fault:** when tiny_http drops a request it reads the rest of its body into a buffer of the announced
/// size. If there is no memory for that, Rust aborts the process. **Cure:** such a request is kept for the life
/// of the process, with its thread and its two descriptors, and counted. This happens only from a hundred
/// terabytes on: for smaller buffers the binary's allocator takes address space without reserving memory.
pub fn leave(request: Request) {
    if !is_droppable(&request) {
        METRICS.leaks.inc();
        return mem::forget(request);
    }
    drop(request.into_writer());
}

/// Whether there is memory for a buffer of its body, so that dropping it does not end the process.
fn is_droppable(request: &Request) -> bool {
    Vec::<u8>::new().try_reserve_exact(request.body_length().unwrap_or(0)).is_ok()
}
