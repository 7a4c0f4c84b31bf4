//! The body of a request, read through hyper.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use super::connections::Visit;
use crate::config::BODY_TIMEOUT;
use crate::config::TEXT_LIMIT;
use crate::wire::refusal::Refusal;
use crate::wire::request::{BodyLength, Head};

/// Why there is no whole body.
pub enum NoBody {
    /// It is not to be read.
    Refused(Refusal),
    /// The client left or fell silent in the middle. Nobody would read a reply.
    Gone(Gone),
}

/// Reads the body, if its length is clear and within the limit.
pub async fn read_body(head: &Head<'_>, body: Incoming, visit: &Visit) -> Result<Vec<u8>, NoBody> {
    let length = head.body_length().map_err(NoBody::Refused)?;
    if length == BodyLength::Exact(0) {
        return Ok(Vec::new());
    }
    match timeout(BODY_TIMEOUT, collect(body, visit)).await {
        Ok(read) => read,
        Err(_elapsed) => Err(NoBody::Gone(Gone)),
    }
}

async fn collect(body: Incoming, visit: &Visit) -> Result<Vec<u8>, NoBody> {
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|cx| match body.as_mut().poll_frame(cx) {
        Poll::Pending if visit.has_ended() => Poll::Ready(Err(NoBody::Gone(Gone))),
        polled => polled.map(Ok),
    })
    .await?
    {
        let frame = frame.map_err(|_| {
            NoBody::Refused(Refusal::BadFraming("a chunk's size is not a hexadecimal number"))
        })?;
        // Nobody needs the trailers.
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > TEXT_LIMIT {
            return Err(NoBody::Refused(Refusal::MessageTooLarge));
        }
        visit.connection().hold(bytes.len() + data.len()).map_err(NoBody::Refused)?;
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
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
