//! The body of a request, read through tiny_http.

use std::io::{ErrorKind, Read};

use tiny_http::Request;

use super::door::Door;
use super::head::head;
use crate::config::TEXT_LIMIT;
use crate::wire::refusal::Refusal;
use crate::wire::request::BodyLength;

/// Why there is no whole body.
pub enum NoBody {
    /// It is not to be read.
    Refused(Refusal),
    /// The client left or fell silent in the middle. Nobody would read a reply.
    Gone,
}

/// A body that has arrived whole.
pub struct Body {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Whether nothing after it can be read.
    pub is_last: bool,
}

/// Reads the body, whole.
///
/// **Fault:** when a client ends its side in the middle of a chunk, tiny_http's decoder says that the body
/// has ended, as it does after the last chunk. **Cure:** the kernel knows whether the client has ended its
/// side. If it has, the request is refused: nobody can tell whether its body was whole.
///
/// **Fault:** after the last chunk the decoder takes nothing but an empty line: a trailer is an error,
/// the same as a chunk without a size. **Cure:** such an error counts as a trailer only if the request has
/// announced one, and the connection ends with the reply.
pub fn read_body(door: &Door, request: &mut Request, length: BodyLength) -> Result<Body, NoBody> {
    let mut body = Vec::new();
    let mut is_last = false;
    match length {
        BodyLength::Exact(0) => {}
        BodyLength::Exact(length) => {
            let read = request.as_reader().take(length as u64).read_to_end(&mut body);
            if read.ok() != Some(length) {
                return Err(NoBody::Gone);
            }
        }
        BodyLength::Chunked => match request.as_reader().take(TEXT_LIMIT as u64 + 1).read_to_end(&mut body) {
            Ok(length) if length > TEXT_LIMIT => return Err(NoBody::Refused(Refusal::MessageTooLarge)),
            Ok(_) if !is_open(door, request) => {
                return Err(NoBody::Refused(Refusal::BadFraming(CUT_OFF)));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                if head(request).header("Trailer").is_none() || !is_open(door, request) {
                    return Err(NoBody::Refused(Refusal::BadFraming(BAD_CHUNK)));
                }
                is_last = true;
            }
            Err(_) => return Err(NoBody::Gone),
        },
    }
    Ok(Body { bytes: body, is_last })
}

/// Whether the client may still send, as far as the kernel tells.
fn is_open(door: &Door, request: &Request) -> bool {
    let seen = request.remote_addr().map(|peer| door.sockets.of(*peer));
    !matches!(seen, Some(Ok(seen)) if seen.is_none_or(|seen| !seen.is_open))
}

const BAD_CHUNK: &str = "a chunk does not have its size in hexadecimal before it, or a trailer comes behind \
    the last one: send a Content-Length";

const CUT_OFF: &str =
    "the connection ended before the body was known to be whole: leave it open until the reply";
