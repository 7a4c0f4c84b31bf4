//! What a refused client reads: what is wrong, the limit, and what to do.

use std::fmt;

use super::Refusal;
use crate::config::{
    BARRED_MAX, HEAD_LINES_MAX, HEAD_MAX, HOLD_MAX, PIPELINE_MAX, REPLY_MESSAGES, ROOMS_ASKED_MAX, TEXT_LIMIT,
};
use crate::message::{Denied, Timestamp};

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
            Refusal::FileTooLarge(most) => {
                write!(f, "the file is over the limit of {most} bytes: send a smaller one")
            }
            Refusal::NoFiles => f.write_str("this server takes no files: send text only"),
            Refusal::TooSlow => f.write_str("the file came too slowly: send it again by a better connection, or a smaller one"),
            Refusal::BadUtf8 => f.write_str("the text is not UTF-8: encode it as UTF-8"),
            Refusal::BadPercentEncoding => {
                f.write_str("a '%' is not followed by two hexadecimal digits: write a literal '%' as %25")
            }
            Refusal::BadJson(reason) => {
                write!(f, "the body is not JSON of the form {{\"message\":\"TEXT\"}} (name, id, key and reply_to may be added): {reason}")
            }
            Refusal::BadForm(reason)
            | Refusal::BadCursor(reason)
            | Refusal::BadKinds(reason)
            | Refusal::BadQuery(reason)
            | Refusal::BadRoom(reason)
            | Refusal::BadName(reason)
            | Refusal::BadId(reason)
            | Refusal::BadKey(reason)
            | Refusal::BadHost(reason)
            | Refusal::BadFraming(reason) => f.write_str(reason),
            Refusal::BadTime => {
                f.write_str("at is a time of UTC as RFC 3339 has it, such as at=2026-11-26T00:00:00Z")
            }
            Refusal::BadPart => f.write_str("history takes one of before, around and at"),
            Refusal::BadWait => {
                let most = HOLD_MAX.as_secs();
                write!(f, "wait is a number of seconds up to {most}, such as wait=10 or wait=0.5")
            }
            Refusal::BadLimit(most) => write!(f, "limit is a whole number from 1 to {most}"),
            Refusal::BadLast => {
                write!(f, "last is a whole number from 0 to {REPLY_MESSAGES}, and comes without after")
            }
            Refusal::TooManyAsked => {
                write!(f, "one request waits or searches in at most {ROOMS_ASKED_MAX} rooms: ask for the others by another request")
            }
            Refusal::OneHash => f.write_str(
                "two of these rooms can't stand in one cursor, since their names have the same hash: wait in one of them by another request",
            ),
            Refusal::OneRoom => f.write_str(
                "only a wait and a search may name several rooms: send a message, change one, leave or look in one room at a time",
            ),
            Refusal::BadPresent => {
                f.write_str("present is a list of some of the rooms that are asked for, such as present=lunch,work")
            }
            Refusal::IdReused => f.write_str(
                "another message had this id within the last ten minutes, and this one was not published: take another id",
            ),
            Refusal::KeyInAddress => f.write_str(
                "a key does not belong in an address, which is kept in logs and histories: send it in the header Chat-Key, or in the field key of a body",
            ),
            Refusal::NameTaken(name) => write!(f, "{name} is taken here; choose another"),
            Refusal::BadOrder => f.write_str("order is name or recent"),
            Refusal::UnknownHost => f.write_str(
                "the name in Host is not one of this server's: use its address, or start it with --allow-host and that name",
            ),
            Refusal::NotSignedIn => {
                f.write_str("the proxy before this server does not say who you are: sign in there first")
            }
            Refusal::NotByProxy => f.write_str(
                "only the proxy that signs people in may ask this: use its address (the server names it by --trusted-proxy)",
            ),
            Refusal::OtherSite => f.write_str(
                "a page of another site sent this, and only this site's own pages may (a proxy before this server must pass on Host with its port)",
            ),
            Refusal::NotIn(not_in) => not_in.fmt(f),
            Refusal::TooManyTries(..) => {
                write!(f, "too many wrong tries to come in: try again in {} s", self.retry_after().unwrap_or(1))
            }
            Refusal::NoRight(rights) => write!(f, "this token gives no right to that: {rights}"),
            Refusal::NoInviteNeeded => {
                f.write_str("this chat is open to all who reach it: pass on the room's address")
            }
            Refusal::NoMessage => f.write_str(
                "there is no such message: it was deleted, is no longer kept, or of is not the id of a message",
            ),
            Refusal::NoFile => f.write_str(
                "there is no such file: its message was deleted, or the file is no longer kept",
            ),
            Refusal::NoSuchPart(length) => {
                write!(f, "the file has {length} bytes, and Range asks for none of them: ask for a part of bytes=0-{}", length.saturating_sub(1))
            }
            Refusal::NotYours => f.write_str(
                "this message is not yours: only who sent it may change it, with the same Chat-Key, or the room's operator",
            ),
            Refusal::Denied(Denied::Muted(until)) => {
                write!(f, "you are muted in this room{}: you can read on", Until(*until))
            }
            Refusal::Denied(Denied::Removed(until)) => write!(f, "you were removed from this room{}", Until(*until)),
            Refusal::Denied(Denied::Locked(notice)) => {
                let colon = if notice.is_empty() { "" } else { ": " };
                write!(f, "this room is locked, and only its operator speaks{colon}{notice}")
            }
            Refusal::Denied(Denied::Slow(seconds, _)) => write!(
                f,
                "this room is in slow mode, where each person says one message in {seconds} s: send it again {}",
                self.when()
            ),
            Refusal::Denied(Denied::TooMany) => {
                write!(f, "{BARRED_MAX} people are muted or removed here, and no more can be: allow one of them first")
            }
            Refusal::NotOperator => f.write_str(
                "only an operator of this room may do that: send Authorization: Bearer TOKEN, with a token of the file that the server has by --operators-file",
            ),
            Refusal::BadHeader => {
                f.write_str("a header's name is not a token, or its value has bytes that are not visible ASCII")
            }
            Refusal::UnknownExpectation => f.write_str("the only Expect that this server knows is 100-continue"),
            Refusal::TooDeepPipeline => {
                write!(f, "more than {PIPELINE_MAX} requests of one connection wait for their turn: wait for the replies, or open another connection")
            }
            Refusal::UnsupportedMediaType => f.write_str(
                "this server does not know the body's type: send application/x-www-form-urlencoded, multipart/form-data, application/json or text/plain, in UTF-8",
            ),
            Refusal::UnsupportedContentEncoding => {
                f.write_str("this server does not read compressed bodies: send it without Content-Encoding")
            }
            Refusal::MethodNotAllowed(allow) => write!(f, "this address allows only {allow}"),
            Refusal::NotFound => f.write_str("there is nothing at this address: GET /help says what there is"),
            Refusal::TooManyWaiters => f.write_str("this machine can't hold more waiting clients: come back in a second"),
            Refusal::TooManyMessages { most, .. } => {
                write!(f, "more than {most} messages a second came from this address: send it again {}", self.when())
            }
            Refusal::TooManyBytes { most, .. } => {
                write!(f, "more than {most} bytes a second came from this address: send it again {}", self.when())
            }
            Refusal::TooManyWoken { most, .. } => write!(
                f,
                "more than {most} rooms a minute were woken or opened from this address: use one that is awake, or come back {}",
                self.when()
            ),
            Refusal::TooManyWaits { most } => write!(
                f,
                "{most} requests from this address wait already: end one, wait in several rooms by one request, or come back {}",
                self.when()
            ),
            Refusal::RoomTooBusy { most, .. } => {
                write!(f, "more than {most} messages a second come to this room: send it again {}", self.when())
            }
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
            Refusal::Broken => f.write_str(
                "the server has a fault, which this request met: what it asked for may have been done or not. Send it again, under the same id if it has one",
            ),
        }
    }
}

/// The end of something, if it ends by itself.
struct Until(Option<Timestamp>);

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |end| write!(f, " until {end}"))
    }
}

impl Refusal {
    /// When to come back, in words.
    fn when(&self) -> String {
        match self.retry_after() {
            None | Some(1) => "in a second".to_owned(),
            Some(seconds) => format!("in {seconds} seconds"),
        }
    }
}
