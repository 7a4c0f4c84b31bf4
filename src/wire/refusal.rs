//! What a client is told when it does not get what it asked for.

use std::fmt;
use std::time::Duration;

use crate::config::{HEAD_LINES_MAX, HEAD_MAX, PIPELINE_MAX, RETRY_AFTER};
use crate::message::TEXT_LIMIT;

/// Why a request was refused: the client's fault, or a limit. Nothing of it is left behind.
///
/// Its display is the sentence for the client: what was wrong, the limit, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// What is no request of HTTP/1.1 or 1.0.
    BadRequest,
    /// A request with more, or longer, header lines than an engine takes.
    HeadTooLarge,
    /// A message without a visible character.
    EmptyMessage,
    /// A body, or a text in it, over [`TEXT_LIMIT`].
    MessageTooLarge,
    /// Text that is not UTF-8.
    BadUtf8,
    /// A `%` that is not followed by two hexadecimal digits.
    BadPercentEncoding,
    /// A body that is not the JSON it should be; with the parser's reason.
    BadJson(String),
    /// A form without the field it should have.
    BadForm(&'static str),
    /// An `after`, `before` or `Last-Event-ID` that is no cursor.
    BadCursor(&'static str),
    /// A `wait` that is not a number of seconds in range.
    BadWait,
    /// A `limit` that is not a number in range.
    BadLimit,
    /// An `order` of rooms that is not there.
    BadOrder,
    /// A path with something that is not a room's name.
    BadRoom(&'static str),
    /// A `name` that is no person's name.
    BadName(&'static str),
    /// An `id` or `Idempotency-Key` that can't name a message.
    BadId(&'static str),
    /// An `id` under which something else was said a short while ago.
    IdReused,
    /// A header whose name is no token, or with bytes in its value that are not visible ASCII.
    BadHeader,
    /// An `Expect` of something else than `100-continue`.
    UnknownExpectation,
    /// A `Host` that is missing, empty or there twice.
    BadHost(&'static str),
    /// A `Host` that is none of the server's names.
    UnknownHost,
    /// What another site's page made a browser send.
    OtherSite,
    /// A body whose length is not clear: several or bad `Content-Length`, odd `Transfer-Encoding`.
    BadFraming(&'static str),
    /// More requests on one connection than may stand unanswered.
    TooDeepPipeline,
    /// A body of a type that is not understood.
    UnsupportedMediaType,
    /// A body that is compressed.
    UnsupportedContentEncoding,
    /// A method that this address does not have; with those that it has.
    MethodNotAllowed(&'static str),
    /// No such address.
    NotFound,
    /// As many wait as this machine can hold.
    TooManyWaiters,
    /// As much is on its way from and to clients as may be.
    TooMuchHeld,
    /// As many rooms are awake as may be.
    TooManyRooms,
    /// The server is about to end.
    Closing,
    /// The room was restarted, and with it went what was in its hands.
    TryAgain,
    /// The store could not do it. Its reason may hold a path: it is logged, not sent.
    StoreUnavailable,
}

impl Refusal {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::HeadTooLarge => 431,
            Refusal::MessageTooLarge => 413,
            Refusal::UnsupportedMediaType | Refusal::UnsupportedContentEncoding => 415,
            Refusal::MethodNotAllowed(_) => 405,
            Refusal::NotFound => 404,
            Refusal::OtherSite => 403,
            Refusal::UnknownExpectation => 417,
            Refusal::UnknownHost => 421,
            Refusal::IdReused => 422,
            Refusal::TooDeepPipeline => 429,
            _ if self.retry_after().is_some() => 503,
            _ => 400,
        }
    }

    /// The stable name of this kind of refusal: the `type` of its problem is `urn:comet-chat:` and this.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::BadRequest => "bad-request",
            Refusal::HeadTooLarge => "head-too-large",
            Refusal::EmptyMessage => "empty-message",
            Refusal::MessageTooLarge => "message-too-large",
            Refusal::BadUtf8 => "bad-utf8",
            Refusal::BadPercentEncoding => "bad-percent-encoding",
            Refusal::BadJson(_) => "bad-json",
            Refusal::BadForm(_) => "bad-form",
            Refusal::BadCursor(_) => "bad-cursor",
            Refusal::BadWait => "bad-wait",
            Refusal::BadLimit => "bad-limit",
            Refusal::BadOrder => "bad-order",
            Refusal::BadRoom(_) => "bad-room",
            Refusal::BadName(_) => "bad-name",
            Refusal::BadId(_) => "bad-id",
            Refusal::IdReused => "id-reused",
            Refusal::BadHeader => "bad-header",
            Refusal::UnknownExpectation => "unknown-expectation",
            Refusal::BadHost(_) => "bad-host",
            Refusal::UnknownHost => "unknown-host",
            Refusal::OtherSite => "other-site",
            Refusal::BadFraming(_) => "bad-framing",
            Refusal::TooDeepPipeline => "too-deep-pipeline",
            Refusal::UnsupportedMediaType => "unsupported-media-type",
            Refusal::UnsupportedContentEncoding => "unsupported-content-encoding",
            Refusal::MethodNotAllowed(_) => "method-not-allowed",
            Refusal::NotFound => "not-found",
            Refusal::TooManyWaiters => "too-many-waiters",
            Refusal::TooMuchHeld => "too-much-held",
            Refusal::TooManyRooms => "too-many-rooms",
            Refusal::Closing => "closing",
            Refusal::TryAgain => "try-again",
            Refusal::StoreUnavailable => "store-unavailable",
        }
    }

    /// When to come back, for what passes.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Refusal::TooManyWaiters
            | Refusal::TooMuchHeld
            | Refusal::TooManyRooms
            | Refusal::TooDeepPipeline
            | Refusal::Closing
            | Refusal::TryAgain
            | Refusal::StoreUnavailable => Some(RETRY_AFTER),
            _ => None,
        }
    }

    /// The methods that the address has.
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
            Refusal::BadRequest => f.write_str("this is no request in HTTP/1.1 or HTTP/1.0"),
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
            | Refusal::BadRoom(reason)
            | Refusal::BadName(reason)
            | Refusal::BadId(reason)
            | Refusal::BadHost(reason)
            | Refusal::BadFraming(reason) => f.write_str(reason),
            Refusal::BadWait => f.write_str("wait is a number of seconds up to 60, such as wait=10 or wait=0.5"),
            Refusal::BadLimit => f.write_str("limit is a whole number from 1 to 500"),
            Refusal::IdReused => f.write_str(
                "something else was said under this id within ten minutes, and this was not published: take another id",
            ),
            Refusal::BadOrder => f.write_str("order is name or recent"),
            Refusal::UnknownHost => f.write_str(
                "this server does not know the name in Host as its own: use its address, or start it with --allow-host and that name",
            ),
            Refusal::OtherSite => f.write_str(
                "a page of another site had this sent, which only this site's own pages may (a proxy before it must pass Host on with its port)",
            ),
            Refusal::BadHeader => {
                f.write_str("a header's name is no token, or its value has bytes that are not visible ASCII")
            }
            Refusal::UnknownExpectation => f.write_str("the only Expect that is understood is 100-continue"),
            Refusal::TooDeepPipeline => {
                write!(f, "more than {PIPELINE_MAX} requests of one connection wait for their turn: wait for the replies, or open another connection")
            }
            Refusal::UnsupportedMediaType => f.write_str(
                "the body's type is not understood: send application/x-www-form-urlencoded, application/json or text/plain, in UTF-8",
            ),
            Refusal::UnsupportedContentEncoding => {
                f.write_str("the body is compressed, which is not understood: send it without Content-Encoding")
            }
            Refusal::MethodNotAllowed(allow) => write!(f, "this address has only {allow}"),
            Refusal::NotFound => f.write_str("there is nothing at this address: GET /help says what there is"),
            Refusal::TooManyWaiters => f.write_str("as many clients wait as this machine can hold: come back in a second"),
            Refusal::TooMuchHeld => {
                f.write_str("as much is on its way from and to clients as may be: come back in a second, or ask for less")
            }
            Refusal::TooManyRooms => {
                f.write_str("as many rooms are awake as may be: come back when one has fallen asleep, or use one that is there")
            }
            Refusal::Closing => f.write_str("the server is closing: come back when it is up again"),
            Refusal::TryAgain => f.write_str("the room was restarted: send the request again, under the same id if it has one"),
            Refusal::StoreUnavailable => {
                f.write_str("the store can't be used just now, and nothing was changed: try again in a second")
            }
        }
    }
}

impl std::error::Error for Refusal {}
