//! Requests, parsed into intents.

mod accept;
mod body;
mod fields;
mod format;
mod framing;
mod get;
mod head;
mod intent;
mod key;
mod lines;
mod multipart;
mod parse;
mod places;
mod poll;
mod post;
mod range;
mod route;
mod rule;
mod search;
mod wait;
mod written;

pub use self::accept::{Exposition, may_ask_for_events};
pub use self::fields::fields;
pub use self::format::Format;
pub use self::framing::BodyLength;
pub use self::head::{Head, is_token, lowered};
pub use self::intent::{
    About, Fetch, FileAsked, History, Intent, Invite, Leave, ListRooms, Login, NewRoom, Past, Poll, Publish,
    Search, View,
};
pub use self::lines::Lines;
pub use self::parse::parse;
pub use self::range::PartAsked;
pub use self::route::{known_method, route};
pub use self::written::{Written, room_of, written};
