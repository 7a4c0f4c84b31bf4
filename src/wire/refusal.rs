//! Refusals: what a client is told when it does not get what it asked for.

use std::fmt;
use std::time::Duration;

use crate::config::{
    HEAD_LINES_MAX, HEAD_MAX, HOLD_MAX, PIPELINE_MAX, REPLY_MESSAGES, RETRY_AFTER, ROOMS_ASKED_MAX,
    TEXT_LIMIT,
};
use crate::room::Unpublished;
use crate::room::registry::NoRoom;

/// Why a request is refused: the client's fault, or a limit. A refused request leaves nothing behind.
///
/// Its display is the sentence for the client: what is wrong, the limit, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Not a request in HTTP/1.1 or 1.0.
    BadRequest,
    /// A request with more or longer header lines than an engine takes.
    HeadTooLarge,
    /// A message without a visible character.
    EmptyMessage,
    /// A body, or a text in it, over [`TEXT_LIMIT`].
    MessageTooLarge,
    /// Text that is not UTF-8.
    BadUtf8,
    /// A `%` without two hexadecimal digits after it.
    BadPercentEncoding,
    /// A body that is not the expected JSON; with the parser's reason.
    BadJson(String),
    /// A form without a required field.
    BadForm(&'static str),
    /// An `after`, `before` or `Last-Event-ID` that is not a cursor.
    BadCursor(&'static str),
    /// A `wait` that is not a number of seconds.
    BadWait,
    /// A `limit` that is not a number from 1 to this.
    BadLimit(usize),
    /// A `last` that is not a number in range, or that comes with `after`.
    BadLast,
    /// A `kinds` that is not a list of kinds of messages.
    BadKinds(&'static str),
    /// An unknown `order` of rooms.
    BadOrder,
    /// A path or parameter that is not a room's name.
    BadRoom(&'static str),
    /// A wait in more than [`ROOMS_ASKED_MAX`] rooms.
    TooManyAsked,
    /// A wait in two rooms that can't be told apart in one cursor.
    OneHash,
    /// Several rooms, where only one may be asked for.
    OneRoom,
    /// A `present` that is not a list of rooms that are asked for.
    BadPresent,
    /// A `name` that is not a person's name.
    BadName(&'static str),
    /// An `id` or `Idempotency-Key` that is not a message's id.
    BadId(&'static str),
    /// An `id` under which another message was published a short while ago.
    IdReused,
    /// A header with an invalid name, or a value that is not visible ASCII.
    BadHeader,
    /// An `Expect` of something else than `100-continue`.
    UnknownExpectation,
    /// A `Host` that is missing, empty or there twice.
    BadHost(&'static str),
    /// A `Host` that is not one of the server's names.
    UnknownHost,
    /// A request that a page of another site made a browser send.
    OtherSite,
    /// A body whose length is not clear: several or bad `Content-Length`, odd `Transfer-Encoding`.
    BadFraming(&'static str),
    /// More requests on one connection than may stand unanswered.
    TooDeepPipeline,
    /// A body of an unknown type.
    UnsupportedMediaType,
    /// A compressed body.
    UnsupportedContentEncoding,
    /// A method that this address does not allow; with those that it allows.
    MethodNotAllowed(&'static str),
    /// No such address.
    NotFound,
    /// The machine can hold no more waiters.
    TooManyWaiters,
    /// Bodies and replies for clients have filled their memory.
    TooMuchHeld,
    /// No more rooms may be awake.
    TooManyRooms,
    /// The server is stopping.
    Closing,
    /// The room was restarted and lost the request.
    TryAgain,
    /// The store failed. Its reason may hold a path: it is logged, not sent.
    StoreUnavailable,
}

impl From<Unpublished> for Refusal {
    fn from(reason: Unpublished) -> Refusal {
        match reason {
            Unpublished::IdReused => Refusal::IdReused,
            Unpublished::NotStored => Refusal::StoreUnavailable,
        }
    }
}

impl From<NoRoom> for Refusal {
    fn from(reason: NoRoom) -> Refusal {
        match reason {
            NoRoom::Closing => Refusal::Closing,
            NoRoom::TooMany => Refusal::TooManyRooms,
        }
    }
}

impl Refusal {
    /// The status, and the stable name of this kind of refusal.
    fn kind(&self) -> (u16, &'static str) {
        match self {
            Refusal::BadRequest => (400, "bad-request"),
            Refusal::HeadTooLarge => (431, "head-too-large"),
            Refusal::EmptyMessage => (400, "empty-message"),
            Refusal::MessageTooLarge => (413, "message-too-large"),
            Refusal::BadUtf8 => (400, "bad-utf8"),
            Refusal::BadPercentEncoding => (400, "bad-percent-encoding"),
            Refusal::BadJson(_) => (400, "bad-json"),
            Refusal::BadForm(_) => (400, "bad-form"),
            Refusal::BadCursor(_) => (400, "bad-cursor"),
            Refusal::BadWait => (400, "bad-wait"),
            Refusal::BadLimit(_) => (400, "bad-limit"),
            Refusal::BadLast => (400, "bad-last"),
            Refusal::BadKinds(_) => (400, "bad-kinds"),
            Refusal::BadOrder => (400, "bad-order"),
            Refusal::BadRoom(_) => (400, "bad-room"),
            Refusal::TooManyAsked => (400, "too-many-asked"),
            Refusal::OneHash => (400, "one-hash"),
            Refusal::OneRoom => (400, "one-room"),
            Refusal::BadPresent => (400, "bad-present"),
            Refusal::BadName(_) => (400, "bad-name"),
            Refusal::BadId(_) => (400, "bad-id"),
            Refusal::IdReused => (422, "id-reused"),
            Refusal::BadHeader => (400, "bad-header"),
            Refusal::UnknownExpectation => (417, "unknown-expectation"),
            Refusal::BadHost(_) => (400, "bad-host"),
            Refusal::UnknownHost => (421, "unknown-host"),
            Refusal::OtherSite => (403, "other-site"),
            Refusal::BadFraming(_) => (400, "bad-framing"),
            Refusal::TooDeepPipeline => (429, "too-deep-pipeline"),
            Refusal::UnsupportedMediaType => (415, "unsupported-media-type"),
            Refusal::UnsupportedContentEncoding => (415, "unsupported-content-encoding"),
            Refusal::MethodNotAllowed(_) => (405, "method-not-allowed"),
            Refusal::NotFound => (404, "not-found"),
            Refusal::TooManyWaiters => (503, "too-many-waiters"),
            Refusal::TooMuchHeld => (503, "too-much-held"),
            Refusal::TooManyRooms => (503, "too-many-rooms"),
            Refusal::Closing => (503, "closing"),
            Refusal::TryAgain => (503, "try-again"),
            Refusal::StoreUnavailable => (503, "store-unavailable"),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.kind().0
    }

    /// The stable name of this kind of refusal: the `type` of its problem is `urn:comet-chat:` and this.
    pub fn code(&self) -> &'static str {
        self.kind().1
    }

    /// When to come back, if the reason passes.
    pub fn retry_after(&self) -> Option<Duration> {
        matches!(self.status(), 429 | 503).then_some(RETRY_AFTER)
    }

    /// The methods that the address allows.
    pub fn allow(&self) -> Option<&'static str> {
        match self {
            Refusal::MethodNotAllowed(allow) => Some(allow),
            _ => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::BadRequest => f.write_str("this is not a request in HTTP/1.1 or HTTP/1.0"),
            Refusal::HeadTooLarge => {
                write!(f, "the request's head is over the limit of {HEAD_MAX} bytes or {HEAD_LINES_MAX} lines: send fewer or shorter headers")
            }
            Refusal::EmptyMessage => {
                f.write_str("the message is empty: send message=TEXT as a form, {\"message\":\"TEXT\"} as JSON, or a text/plain body")
            }
            Refusal::MessageTooLarge => {
                write!(f, "the body is over the limit of {TEXT_LIMIT} bytes: send a shorter message, or several")
            }
            Refusal::BadUtf8 => f.write_str("the text is not UTF-8: encode it as UTF-8"),
            Refusal::BadPercentEncoding => {
                f.write_str("a '%' is not followed by two hexadecimal digits: write a literal '%' as %25")
            }
            Refusal::BadJson(reason) => {
                write!(f, "the body is not JSON of the form {{\"message\":\"TEXT\"}} (name and id may be added): {reason}")
            }
            Refusal::BadForm(reason)
            | Refusal::BadCursor(reason)
            | Refusal::BadKinds(reason)
            | Refusal::BadRoom(reason)
            | Refusal::BadName(reason)
            | Refusal::BadId(reason)
            | Refusal::BadHost(reason)
            | Refusal::BadFraming(reason) => f.write_str(reason),
            Refusal::BadWait => {
                let most = HOLD_MAX.as_secs();
                write!(f, "wait is a number of seconds up to {most}, such as wait=10 or wait=0.5")
            }
            Refusal::BadLimit(most) => write!(f, "limit is a whole number from 1 to {most}"),
            Refusal::BadLast => {
                write!(f, "last is a whole number from 0 to {REPLY_MESSAGES}, and comes without after")
            }
            Refusal::TooManyAsked => {
                write!(f, "one request waits in at most {ROOMS_ASKED_MAX} rooms: wait in the others by another request")
            }
            Refusal::OneHash => f.write_str(
                "two of these rooms can't stand in one cursor, since their names have the same hash: wait in one of them by another request",
            ),
            Refusal::OneRoom => f.write_str(
                "only a wait may name several rooms: send a message, leave or look in one room at a time",
            ),
            Refusal::BadPresent => {
                f.write_str("present is a list of some of the rooms that are asked for, such as present=lunch,work")
            }
            Refusal::IdReused => f.write_str(
                "another message had this id within the last ten minutes, and this one was not published: take another id",
            ),
            Refusal::BadOrder => f.write_str("order is name or recent"),
            Refusal::UnknownHost => f.write_str(
                "the name in Host is not one of this server's: use its address, or start it with --allow-host and that name",
            ),
            Refusal::OtherSite => f.write_str(
                "a page of another site sent this, and only this site's own pages may (a proxy before this server must pass on Host with its port)",
            ),
            Refusal::BadHeader => {
                f.write_str("a header's name is not a token, or its value has bytes that are not visible ASCII")
            }
            Refusal::UnknownExpectation => f.write_str("the only Expect that this server knows is 100-continue"),
            Refusal::TooDeepPipeline => {
                write!(f, "more than {PIPELINE_MAX} requests of one connection wait for their turn: wait for the replies, or open another connection")
            }
            Refusal::UnsupportedMediaType => f.write_str(
                "this server does not know the body's type: send application/x-www-form-urlencoded, application/json or text/plain, in UTF-8",
            ),
            Refusal::UnsupportedContentEncoding => {
                f.write_str("this server does not read compressed bodies: send it without Content-Encoding")
            }
            Refusal::MethodNotAllowed(allow) => write!(f, "this address allows only {allow}"),
            Refusal::NotFound => f.write_str("there is nothing at this address: GET /help says what there is"),
            Refusal::TooManyWaiters => f.write_str("this machine can't hold more waiting clients: come back in a second"),
            Refusal::TooMuchHeld => {
                f.write_str("the memory for bodies and replies is full: come back in a second, or ask for less")
            }
            Refusal::TooManyRooms => {
                f.write_str("no more rooms can be awake: come back when one has fallen asleep, or use a room that is awake")
            }
            Refusal::Closing => f.write_str("the server is stopping: come back when it is up again"),
            Refusal::TryAgain => f.write_str("the room was restarted: send the request again, under the same id if it has one"),
            Refusal::StoreUnavailable => {
                f.write_str("the store does not work at the moment, and nothing was changed: try again in a second")
            }
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    /// The description of the wire lists the types of problems. This reads them in the code above, as nothing
    /// goes over all refusals.
    #[test]
    fn every_kind_of_refusal_is_described() {
        let (code, _tests) = include_str!("refusal.rs").split_once("#[cfg(test)]").unwrap();
        let kinds = code.lines().filter_map(|line| {
            let (_, kind) = line.split_once(" => (")?;
            let (_status, name) = kind.strip_suffix("\"),")?.split_once(", \"")?;
            Some(format!("urn:comet-chat:{name}"))
        });
        let description: serde_json::Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
        let described = &description["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
        assert_eq!(*described, serde_json::Value::from_iter(kinds));
    }
}
