//! One request and its answer.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::body::{Gone, NoBody, RequestBody, read_body};
use super::connections::Visit;
use super::door::Door;
use super::service::{Answer, Service, Stream};
use crate::door::answer::{Ready, broken, refuse, refuse_read};
use crate::log::Entry;
use crate::wire::refusal::Refusal;
use crate::wire::request::{Format, Head};

/// What is to be sent.
pub struct Answered {
    /// The reply, or the head of a stream and what sends it.
    pub ready: Ready<Stream>,
    /// Whether the connection ends after it.
    pub close: bool,
    /// The request.
    pub visit: Visit,
}

/// Answers one request.
pub async fn exchange(
    door: &Door<impl Service>,
    mut visit: Visit,
    head: Result<Head<'_>, &Refusal>,
    body: RequestBody,
    entry: &mut Entry,
) -> Result<Answered, Gone> {
    let head = match head {
        Ok(head) => head,
        Err(refusal) => {
            let mut reply = refuse(Format::Plain, refusal);
            door.service.dress(None, &mut reply);
            return Ok(Answered { ready: Ready::Reply(reply), close: true, visit });
        }
    };
    let peer = visit.connection().client().address();
    visit.identify(door.service.caller(&head, peer));
    entry.come_from(visit.caller().address());
    let address = (door.service.prefix(), door.service.local(head.local_target()));
    let refuse = |refusal: &Refusal, body: &[u8]| Ready::Reply(refuse_read(&head, address, body, refusal));
    let foresee = || door.service.foresee(&head, visit.caller());
    let (mut ready, close) = match read_body(&head, body, door.service.upload_limit(), &visit, foresee).await
    {
        Ok(body) => match unbroken(answer(door, &head, &body, &visit)).await {
            Ok(ready) => (ready, false),
            // The connection takes a place that others need.
            Err(refusal) => (refuse(&refusal, &body), refusal == Refusal::TooManyWaiters),
        },
        // Nobody knows where this body ends and the next request begins.
        Err(NoBody::Refused(refusal)) => (refuse(&refusal, &[]), true),
        Err(NoBody::Gone(gone)) => return Err(gone),
    };
    door.service.dress(Some(&head), ready.head_mut());
    let close = close || door.is_closing() || door.is_crowded();
    Ok(Answered { ready, close, visit })
}

/// What came of an answer, if it did not panic. An `async fn` would have the answer in memory twice.
fn unbroken<T>(answer: impl Future<Output = Result<T, Refusal>>) -> impl Future<Output = Result<T, Refusal>> {
    AssertUnwindSafe(answer).catch_unwind().map(|caught| caught.unwrap_or_else(|_panic| Err(broken())))
}

/// Has a request answered, and counts what is held for its client. Refused if that is too much: nothing was
/// changed then, as the answer to a change is small.
///
/// Large replies take turns. While a task renders, its thread runs no other task, and there are few threads.
async fn answer(
    door: &Door<impl Service>,
    head: &Head<'_>,
    body: &[u8],
    visit: &Visit,
) -> Result<Ready<Stream>, Refusal> {
    let held = visit.connection();
    let reply = match door.service.answer(head, body, visit).await? {
        Answer::Stream { head, bytes, stream } => {
            return held.hold(bytes).map(|()| Ready::Stream(head, stream));
        }
        Answer::Reply(reply) => reply,
        Answer::Rendered { bytes, render } => {
            held.hold(bytes)?;
            // Nobody closes this semaphore.
            let _turn = door.turn.acquire().await.ok();
            render()?
        }
    };
    if let Cow::Owned(body) = &reply.body {
        held.hold(body.len())?;
    }
    Ok(Ready::Reply(reply))
}
