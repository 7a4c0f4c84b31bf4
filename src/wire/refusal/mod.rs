//! Refusals: what a client is told when it does not get what it asked for.

mod entry;
mod sentence;

use std::time::Duration;

use crate::config::{RETRY_AFTER, WAITS_RETRY};
use crate::message::{Denied, PersonName};
use crate::room::Unpublished;
use crate::room::registry::NoRoom;

pub use self::entry::{By, NotIn, SESSION_COOKIE, Why};

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
    /// A body, or a text in it, over [`TEXT_LIMIT`](crate::config::TEXT_LIMIT).
    MessageTooLarge,
    /// A file over this limit of bytes.
    FileTooLarge(usize),
    /// A file where none are taken.
    NoFiles,
    /// A file that comes too slowly.
    TooSlow,
    /// Text that is not UTF-8.
    BadUtf8,
    /// A `%` without two hexadecimal digits after it.
    BadPercentEncoding,
    /// A body that is not the expected JSON; with the parser's reason.
    BadJson(String),
    /// A form without a required field.
    BadForm(&'static str),
    /// An `after`, `before`, `around` or `Last-Event-ID` that is not a cursor.
    BadCursor(&'static str),
    /// An `at` that is not a time.
    BadTime,
    /// More than one of `before`, `around` and `at`.
    BadPart,
    /// A `wait` that is not a number of seconds.
    BadWait,
    /// A `limit` that is not a number from 1 to this.
    BadLimit(usize),
    /// A `last` that is not a number in range, or that comes with `after`.
    BadLast,
    /// A `kinds` that is not a list of kinds of messages.
    BadKinds(&'static str),
    /// A `q` that is not what one can search for.
    BadQuery(&'static str),
    /// An unknown `order` of rooms.
    BadOrder,
    /// A path or parameter that is not a room's name.
    BadRoom(&'static str),
    /// A wait in more than [`ROOMS_ASKED_MAX`](crate::config::ROOMS_ASKED_MAX) rooms.
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
    /// A `key` or `Chat-Key` that is not a key.
    BadKey(&'static str),
    /// A key in an address.
    KeyInAddress,
    /// A name that somebody else holds, or that looks like one.
    NameTaken(PersonName),
    /// An edit or deletion of a message that is not kept, or was deleted.
    NoMessage,
    /// A file that is not there: its message has none, or it is no longer kept.
    NoFile,
    /// A part that a file of so many bytes does not have.
    NoSuchPart(u64),
    /// An edit or deletion of somebody else's message.
    NotYours,
    /// Something that the rules of the room keep this person from.
    Denied(Denied),
    /// Something that only the room's operator may do.
    NotOperator,
    /// A header with an invalid name, or a value that is not visible ASCII.
    BadHeader,
    /// An `Expect` of something else than `100-continue`.
    UnknownExpectation,
    /// A `Host` that is missing, empty or there twice.
    BadHost(&'static str),
    /// A `Host` that is not one of the server's names.
    UnknownHost,
    /// A proxy signs people in, and has signed nobody in who sent this.
    NotSignedIn,
    /// A proxy signs people in, and this did not come through it.
    NotByProxy,
    /// A request that a page of another site made a browser send.
    OtherSite,
    /// A request of somebody who is not in.
    NotIn(NotIn),
    /// A try to come in after too many wrong ones; with the time until the next.
    TooManyTries(NotIn, Duration),
    /// What a token does not give a right to; with the rights that it gives.
    NoRight(String),
    /// An invite to a chat that is open to all.
    NoInviteNeeded,
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
    /// An address sends more than so many messages a second, and may send the next one after this time.
    TooManyMessages {
        /// The limit.
        most: u32,
        /// When to come back.
        after: Duration,
    },
    /// An address sends more than so many bytes a second.
    TooManyBytes {
        /// The limit.
        most: u32,
        /// When to come back.
        after: Duration,
    },
    /// An address wakes or opens more than so many rooms a minute.
    TooManyWoken {
        /// The limit.
        most: u32,
        /// When to come back.
        after: Duration,
    },
    /// An address has more than so many waits at once.
    TooManyWaits {
        /// The limit.
        most: u32,
    },
    /// A room gets more than so many messages a second.
    RoomTooBusy {
        /// The limit.
        most: u32,
        /// When to come back.
        after: Duration,
    },
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
    /// The handler panicked.
    Broken,
}

impl From<Unpublished> for Refusal {
    fn from(reason: Unpublished) -> Refusal {
        match reason {
            Unpublished::IdReused => Refusal::IdReused,
            Unpublished::NameTaken(name) => Refusal::NameTaken(name),
            Unpublished::NoMessage => Refusal::NoMessage,
            Unpublished::NotYours => Refusal::NotYours,
            Unpublished::Denied(denied) => Refusal::Denied(denied),
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
            Refusal::FileTooLarge(_) => (413, "file-too-large"),
            Refusal::NoFiles => (403, "no-files"),
            Refusal::TooSlow => (408, "too-slow"),
            Refusal::BadUtf8 => (400, "bad-utf8"),
            Refusal::BadPercentEncoding => (400, "bad-percent-encoding"),
            Refusal::BadJson(_) => (400, "bad-json"),
            Refusal::BadForm(_) => (400, "bad-form"),
            Refusal::BadCursor(_) => (400, "bad-cursor"),
            Refusal::BadTime => (400, "bad-time"),
            Refusal::BadPart => (400, "bad-part"),
            Refusal::BadWait => (400, "bad-wait"),
            Refusal::BadLimit(_) => (400, "bad-limit"),
            Refusal::BadLast => (400, "bad-last"),
            Refusal::BadKinds(_) => (400, "bad-kinds"),
            Refusal::BadQuery(_) => (400, "bad-query"),
            Refusal::BadOrder => (400, "bad-order"),
            Refusal::BadRoom(_) => (400, "bad-room"),
            Refusal::TooManyAsked => (400, "too-many-asked"),
            Refusal::OneHash => (400, "one-hash"),
            Refusal::OneRoom => (400, "one-room"),
            Refusal::BadPresent => (400, "bad-present"),
            Refusal::BadName(_) => (400, "bad-name"),
            Refusal::BadId(_) => (400, "bad-id"),
            Refusal::IdReused => (422, "id-reused"),
            Refusal::BadKey(_) => (400, "bad-key"),
            Refusal::KeyInAddress => (400, "key-in-address"),
            Refusal::NameTaken(_) => (409, "name-taken"),
            Refusal::NoMessage => (404, "no-message"),
            Refusal::NoFile => (404, "no-file"),
            Refusal::NoSuchPart(_) => (416, "no-such-part"),
            Refusal::NotYours => (403, "not-yours"),
            Refusal::Denied(Denied::Muted(_)) => (403, "muted"),
            Refusal::Denied(Denied::Removed(_)) => (403, "removed"),
            Refusal::Denied(Denied::Locked(_)) => (403, "locked"),
            Refusal::Denied(Denied::Slow(..)) => (429, "slow"),
            Refusal::Denied(Denied::TooMany) => (409, "too-many-barred"),
            Refusal::NotOperator => (403, "not-operator"),
            Refusal::BadHeader => (400, "bad-header"),
            Refusal::UnknownExpectation => (417, "unknown-expectation"),
            Refusal::BadHost(_) => (400, "bad-host"),
            Refusal::UnknownHost => (421, "unknown-host"),
            Refusal::NotSignedIn => (401, "not-signed-in"),
            Refusal::NotByProxy => (403, "not-by-proxy"),
            Refusal::OtherSite => (403, "other-site"),
            Refusal::NotIn(_) => (401, "not-in"),
            Refusal::TooManyTries(..) => (429, "too-many-tries"),
            Refusal::NoRight(_) => (403, "no-right"),
            Refusal::NoInviteNeeded => (404, "no-invite-needed"),
            Refusal::BadFraming(_) => (400, "bad-framing"),
            Refusal::TooDeepPipeline => (429, "too-deep-pipeline"),
            Refusal::UnsupportedMediaType => (415, "unsupported-media-type"),
            Refusal::UnsupportedContentEncoding => (415, "unsupported-content-encoding"),
            Refusal::MethodNotAllowed(_) => (405, "method-not-allowed"),
            Refusal::NotFound => (404, "not-found"),
            Refusal::TooManyWaiters => (503, "too-many-waiters"),
            Refusal::TooManyMessages { .. } => (429, "too-many-messages"),
            Refusal::TooManyBytes { .. } => (429, "too-many-bytes"),
            Refusal::TooManyWoken { .. } => (429, "too-many-woken"),
            Refusal::TooManyWaits { .. } => (429, "too-many-waits"),
            Refusal::RoomTooBusy { .. } => (503, "room-too-busy"),
            Refusal::TooMuchHeld => (503, "too-much-held"),
            Refusal::TooManyRooms => (503, "too-many-rooms"),
            Refusal::Closing => (503, "closing"),
            Refusal::TryAgain => (503, "try-again"),
            Refusal::StoreUnavailable => (503, "store-unavailable"),
            Refusal::Broken => (500, "broken"),
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

    /// After how many seconds to come back, if the reason passes.
    pub fn retry_after(&self) -> Option<u64> {
        let after = match self {
            Refusal::TooManyMessages { after, .. }
            | Refusal::TooManyBytes { after, .. }
            | Refusal::TooManyWoken { after, .. }
            | Refusal::RoomTooBusy { after, .. } => *after,
            Refusal::TooManyTries(_, wait) => *wait,
            Refusal::Denied(Denied::Slow(_, left)) => Duration::from_millis(*left),
            Refusal::TooManyWaits { .. } => WAITS_RETRY,
            _ if matches!(self.status(), 429 | 503) => RETRY_AFTER,
            _ => return None,
        };
        // Whoever comes a moment too early is refused once more.
        Some((after.as_millis().div_ceil(1_000) as u64).max(1))
    }

    /// Who is not let in, and so must be asked to log in.
    pub fn not_in(&self) -> Option<&NotIn> {
        match self {
            Refusal::NotIn(not_in) | Refusal::TooManyTries(not_in, _) => Some(not_in),
            _ => None,
        }
    }

    /// The methods that the address allows.
    pub fn allow(&self) -> Option<&'static str> {
        match self {
            Refusal::MethodNotAllowed(allow) => Some(allow),
            _ => None,
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
        let (code, _tests) = include_str!("mod.rs").split_once("#[cfg(test)]").unwrap();
        let kinds = code.lines().filter_map(|line| {
            let (_, kind) = line.split_once(" => (")?;
            let (_status, name) = kind.strip_suffix("\"),")?.split_once(", \"")?;
            Some(format!("urn:comet-chat:{name}"))
        });
        let description: serde_json::Value = serde_json::from_str(include_str!("../openapi.json")).unwrap();
        let described = &description["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
        assert_eq!(*described, serde_json::Value::from_iter(kinds));
    }
}
