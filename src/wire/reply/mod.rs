//! Replies, rendered: the same bytes whichever engine sends them.

mod about;
mod events;
mod file;
mod history;
mod hits;
mod page;
mod parts;
mod people;
mod poll;
mod publish;
mod refusal;
mod rooms;
mod server;
mod status;
mod terminal;
mod told;

pub use self::about::about;
pub use self::events::Feed;
pub use self::file::{Content, file, file_tag};
pub use self::history::history;
pub use self::hits::hits;
pub use self::page::{asset, invited, new_room, room_code, room_page};
pub use self::parts::{EVENT_STREAM, Headers, JSON, Reply};
pub use self::people::people;
pub use self::poll::polled;
pub use self::publish::{left, published};
pub use self::refusal::{refused, refused_in_a_browser};
pub use self::rooms::{RoomEntry, rooms};
pub use self::server::{description, healthy, help, logged_in, metrics, options, to_room};
pub use self::status::reason;
pub use super::path::room_path;
