//! The body of a request, read through tiny_http.

use std::io::{self, ErrorKind, Read};
use std::time::Instant;

use tiny_http::Request;

use super::counts::Held;
use super::door::Door;
use super::head::head;
use crate::access::Caller;
use crate::config::{BODY_PIECE, BODY_TIMEOUT, TEXT_LIMIT};
use crate::door::upload::{self, is_long};
use crate::wire::refusal::Refusal;
use crate::wire::request::{BodyLength, Lines};

/// Why there is no whole body.
#[derive(Debug, PartialEq)]
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
pub fn read_body(
    door: &Door,
    request: &mut Request,
    lines: &Lines,
    caller: &Caller,
    length: BodyLength,
    held: &mut Held,
) -> Result<Body, NoBody> {
    let is_whole = |bytes: Vec<u8>| Ok(Body { bytes, is_last: false });
    if length == BodyLength::Exact(0) {
        return is_whole(Vec::new());
    }
    let file = door.service.upload_limit();
    if is_long(&head(request, lines), length, file) {
        door.service.foresee(&head(request, lines), caller).map_err(NoBody::Refused)?;
    }
    let most = match length {
        BodyLength::Exact(length) => length,
        BodyLength::Chunked => head(request, lines).body_limit(file) + 1,
    };
    let mut bytes = Vec::new();
    match (length, read(request.as_reader(), Instant::now(), &mut bytes, most, held)?) {
        (BodyLength::Exact(_), End::Full) => is_whole(bytes),
        (BodyLength::Exact(_), _) => Err(NoBody::Gone),
        (_, End::Full) => Err(NoBody::Refused(head(request, lines).too_large(file))),
        (_, End::Whole) if is_open(door, request) => is_whole(bytes),
        (_, End::Whole) => Err(NoBody::Refused(Refusal::BadFraming(CUT_OFF))),
        (_, End::Unsound) if head(request, lines).header("Trailer").is_some() && is_open(door, request) => {
            Ok(Body { bytes, is_last: true })
        }
        (_, End::Unsound) => Err(NoBody::Refused(Refusal::BadFraming(BAD_CHUNK))),
    }
}

/// How the reading of a body ended.
#[derive(Debug, PartialEq)]
enum End {
    Whole,
    /// There are as many bytes as were asked for. Whether more come is not known.
    Full,
    /// What comes is no chunk.
    Unsound,
}

/// Reads up to so many bytes. What is more than a text is counted for its client, and must come fast enough.
///
/// **Fault:** nothing ends a read of tiny_http's before the socket's own time for a silence. **Cure:** the time is looked at
/// whenever something comes, and a file of which nothing comes for so long was too slow as well.
fn read(
    body: &mut dyn Read,
    began: Instant,
    bytes: &mut Vec<u8>,
    most: usize,
    held: &mut Held,
) -> Result<End, NoBody> {
    while bytes.len() < most {
        let before = bytes.len();
        // Not on the stack: each thread that waits would keep the pages of it.
        bytes.resize(most.min(before + BODY_PIECE), 0);
        let read = body.read(&mut bytes[before..]);
        bytes.truncate(before + read.as_ref().map_or(0, |read| *read));
        match read {
            Ok(0) => return Ok(End::Whole),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::InvalidInput => return Ok(End::Unsound),
            Err(error) if is_silence(&error) && bytes.len() > TEXT_LIMIT => {
                return Err(NoBody::Refused(Refusal::TooSlow));
            }
            Err(_) => return Err(NoBody::Gone),
        }
        if bytes.len() > TEXT_LIMIT {
            held.hold(upload::held(bytes.len())).map_err(NoBody::Refused)?;
            if began.elapsed() > BODY_TIMEOUT + upload::pace(bytes.len()) {
                return Err(NoBody::Refused(Refusal::TooSlow));
            }
        }
    }
    Ok(End::Full)
}

/// Whether nothing came for as long as the socket waits.
fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::door::budget::Budget;
    use crate::door::gate::Gate;
    use crate::door::tiny_http::counts::Counts;

    /// A client who sends so many bytes, and then nothing.
    struct Client(usize);

    impl Read for Client {
        fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
            let sent = piece.len().min(self.0);
            self.0 -= sent;
            if sent == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(sent) }
        }
    }

    /// What becomes of a body of which so many bytes of a million have come since so long.
    fn reads(sent: usize, since: Duration) -> NoBody {
        let counts = Counts::new(Gate::new(Budget { connections: 1, waiters: 1 }));
        let (mut client, mut held) = (Client(sent), Held::nothing(&counts));
        let began = Instant::now().checked_sub(since).expect("the machine runs for longer");
        read(&mut client, began, &mut Vec::new(), 1_000_000, &mut held).expect_err("it is not whole")
    }

    /// A file that stood still was ended without an answer.
    #[test]
    fn a_file_that_is_too_slow_or_stands_still_is_refused_and_nobody_is_told_of_a_text() {
        let file = 500_000;
        let (slow, gone) = (NoBody::Refused(Refusal::TooSlow), NoBody::Gone);
        assert_eq!(reads(file, Duration::ZERO), slow, "it stands still");
        assert_eq!(reads(TEXT_LIMIT, Duration::ZERO), gone);
        let counts = Counts::new(Gate::new(Budget { connections: 1, waiters: 1 }));
        let mut held = Held::nothing(&counts);
        let second = Duration::from_secs(1);
        let late = BODY_TIMEOUT + upload::pace(file) + second;
        for (since, comes) in [(BODY_TIMEOUT - second, Ok(End::Full)), (late, Err(slow))] {
            let began = Instant::now().checked_sub(since).expect("the machine runs for longer");
            assert_eq!(
                read(&mut Client(file), began, &mut Vec::new(), file, &mut held),
                comes,
                "after {since:?}"
            );
        }
    }
}
