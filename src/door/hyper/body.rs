//! The body of a request, read through hyper.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use hyper::body::{Body, Bytes, Incoming};
use tokio::time::{Instant, timeout_at};

use super::connections::Visit;
use crate::config::{BODY_TIMEOUT, TEXT_LIMIT};
use crate::door::upload::{held, is_long, pace};
use crate::wire::refusal::Refusal;
use crate::wire::request::{BodyLength, Head};

/// Why there is no whole body.
pub enum NoBody {
    /// It is not to be read.
    Refused(Refusal),
    /// The client left or fell silent in the middle. Nobody would read a reply.
    Gone(Gone),
}

/// The body of a request.
pub enum RequestBody {
    /// All of it, which is not long.
    Whole(Vec<u8>),
    /// What hyper reads.
    ToRead(Incoming),
}

/// Reads the body, if its length is clear and within the limit. A file of it may have so many bytes.
pub async fn read_body(
    head: &Head<'_>,
    body: RequestBody,
    file: usize,
    visit: &Visit,
    foresee: impl FnOnce() -> Result<(), Refusal>,
) -> Result<Vec<u8>, NoBody> {
    let length = head.body_length(file).map_err(NoBody::Refused)?;
    if length == BodyLength::Exact(0) {
        return Ok(Vec::new());
    }
    let body = match body {
        RequestBody::Whole(bytes) => {
            visit.connection().hold(held(bytes.len())).map_err(NoBody::Refused)?;
            return Ok(bytes);
        }
        RequestBody::ToRead(body) => body,
    };
    if is_long(head, length, file) {
        foresee().map_err(NoBody::Refused)?;
    }
    let began = Instant::now();
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    loop {
        let until = began + BODY_TIMEOUT + pace(bytes.len());
        match timeout_at(until, next(body.as_mut(), visit)).await {
            Ok(None) => return Ok(bytes),
            Ok(Some(data)) => take(head, &mut bytes, &data?, file, visit)?,
            Err(_elapsed) if bytes.len() > TEXT_LIMIT => return Err(NoBody::Refused(Refusal::TooSlow)),
            Err(_elapsed) => return Err(NoBody::Gone(Gone)),
        }
    }
}

/// Adds what came, if it is not too much.
fn take(head: &Head<'_>, bytes: &mut Vec<u8>, data: &[u8], file: usize, visit: &Visit) -> Result<(), NoBody> {
    if bytes.len() + data.len() > head.body_limit(file) {
        return Err(NoBody::Refused(head.too_large(file)));
    }
    visit.connection().hold(held(bytes.len() + data.len())).map_err(NoBody::Refused)?;
    bytes.extend_from_slice(data);
    Ok(())
}

/// What comes next of a body.
async fn next(mut body: Pin<&mut Incoming>, visit: &Visit) -> Option<Result<Bytes, NoBody>> {
    loop {
        let frame = poll_fn(|cx| match body.as_mut().poll_frame(cx) {
            Poll::Pending if visit.has_ended() => Poll::Ready(Err(NoBody::Gone(Gone))),
            polled => polled.map(Ok),
        });
        let frame = match frame.await {
            Ok(frame) => frame?,
            Err(gone) => return Some(Err(gone)),
        };
        let Ok(frame) = frame else {
            let why = Refusal::BadFraming("a chunk's size is not a hexadecimal number");
            return Some(Err(NoBody::Refused(why)));
        };
        // Nobody needs the trailers.
        if let Ok(data) = frame.into_data() {
            return Some(Ok(data));
        }
    }
}

/// Ends a connection without a reply.
#[derive(Debug)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client left amid its request")
    }
}

impl std::error::Error for Gone {}
