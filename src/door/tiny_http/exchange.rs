//! One request and its reply, through tiny_http.

use std::borrow::Cow;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use tiny_http::Request;

use super::body::{NoBody, read_body};
use super::connections::{Turn, Visit};
use super::counts::Held;
use super::door::Door;
use super::ending::{leave, send_and_close};
use super::events::EventWriter;
use super::head::{head, is_last, lines, render_head};
use super::service::{Answer, Stream};
use crate::config::LIGHT;
use crate::door::answer::{Ready, broken, refuse_read};
use crate::log::Entry;
use crate::wire::refusal::Refusal;
use crate::wire::reply::Reply;
use crate::wire::request::Head;

/// Answers one request.
pub fn exchange(door: &Door, turn: Turn, visit: &mut Visit) {
    let _flight = door.counts.gate.enter();
    let Turn { mut request, framing } = turn;
    let lines = lines(&request);
    let peer = door.outside(visit.peer());
    let mut entry = Entry::begin(request.method().as_str(), door.service.local(request.url()), peer);
    visit.identify(door.service.caller(&head(&request, &lines), peer.map(|peer| peer.ip())));
    entry.come_from(visit.caller().address());
    let mut held = Held::nothing(&door.counts);
    let read = framing.map_err(NoBody::Refused);
    let body = match read
        .and_then(|length| read_body(door, &mut request, &lines, visit.caller(), length, &mut held))
    {
        Ok(body) => body,
        Err(NoBody::Refused(refusal)) => {
            // Nobody knows where this body ends and the next request begins.
            visit.close(|peer| door.look(peer));
            let reply = {
                let head = head(&request, &lines);
                let mut reply = refuse(door, &head, &[], &refusal);
                door.service.dress(Some(&head), &mut reply);
                reply
            };
            return send_and_close(door, entry, request, &reply, visit);
        }
        Err(NoBody::Gone) => return leave(request),
    };
    if body.is_last {
        visit.close(|peer| door.look(peer));
    }
    let (ready, is_head, is_last) = {
        let head = head(&request, &lines);
        let settled = catch_unwind(AssertUnwindSafe(|| {
            let answer = door.service.answer(&head, &body.bytes, visit)?;
            settle(door, answer, &mut held)
        }));
        let settled = settled.unwrap_or_else(|_panic| Err(broken()));
        let refused = |refusal| Ready::Reply(refuse(door, &head, &body.bytes, &refusal));
        let mut ready = settled.unwrap_or_else(refused);
        door.service.dress(Some(&head), ready.head_mut());
        (ready, head.is_head(), is_last(&head))
    };
    let reply = match ready {
        Ready::Stream(start, stream) => {
            if let Ok(mut events) = EventWriter::start(entry, request, &start, held)
                && !is_head
            {
                // A client that is gone comes back with its cursor.
                let _ = stream(visit, &mut events);
                events.finish();
            }
            return;
        }
        Ready::Reply(reply) => reply,
    };
    if body.is_last {
        send_and_close(door, entry, request, &reply, visit)
    } else {
        send(entry, request, &reply, is_last)
    }
}

/// The reply to a request that was read and is refused.
fn refuse(door: &Door, head: &Head<'_>, body: &[u8], refusal: &Refusal) -> Reply {
    let target = door.service.local(head.local_target());
    refuse_read(head, (door.service.prefix(), target), body, refusal)
}

/// Renders a reply, and counts what is held for its client. Refused if that is too much: nothing was changed
/// then, as the answer to a change is small.
///
/// Large replies take turns. Two hundred threads that render at once leave no time for anybody else.
fn settle(door: &Door, answer: Answer, held: &mut Held) -> Result<Ready<Stream>, Refusal> {
    let reply = match answer {
        Answer::Stream { head, bytes, stream } => {
            return held.hold(bytes).map(|()| Ready::Stream(head, stream));
        }
        Answer::Reply(reply) => reply,
        Answer::Rendered { bytes, render } => {
            held.hold(bytes)?;
            // This lock guards no data, so a panic can't have broken any.
            let _turn = door.turn.lock().unwrap_or_else(PoisonError::into_inner);
            render()?
        }
    };
    held.hold(if let Cow::Owned(body) = &reply.body { body.len() } else { 0 })?;
    Ok(Ready::Reply(reply))
}

/// Sends a reply in one piece.
///
/// **Fault:** tiny_http prints a reply in pieces through 1 KiB, drops `Connection`, and gives a 204 a
/// length. **Cure:** head and body in one buffer, one write, one flush; a large body by itself, so that
/// it is in memory once.
fn send(entry: Entry, request: Request, reply: &Reply, is_last: bool) {
    entry.answered(reply.status);
    let mut bytes = render_head(reply, is_last);
    let body = if reply.has_body() && request.method().as_str() != "HEAD" { &*reply.body } else { &[] };
    let mut writer = request.into_writer();
    let whole = body.len() <= LIGHT;
    if whole {
        bytes.extend_from_slice(body);
    }
    // tiny_http does not tell whether the client is still there. If not, it comes back with its cursor.
    let _ = writer
        .write_all(&bytes)
        .and_then(|()| if whole { Ok(()) } else { writer.write_all(body) })
        .and_then(|()| writer.flush());
}
