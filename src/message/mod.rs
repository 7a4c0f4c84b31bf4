//! What travels: messages, and the names and cursors that they carry.
//!
//! Every type here is parsed once, at the border, and is valid ever after.

mod composite;
mod cursor;
mod draft;
mod entry;
mod file;
mod invalid;
mod key;
mod kinds;
mod looks;
mod mark;
mod media;
mod names;
mod patterns;
mod picture;
mod rules;
mod telling;
mod visible;
mod words;

pub use self::composite::{CompositeCursor, Next, RoomHash};
pub use self::cursor::{Cursor, Epoch};
pub use self::draft::{Draft, SendId, SentAs};
pub use self::entry::{Change, Kind, Message};
pub use self::file::{FileFacts, FileName, Upload};
pub use self::invalid::Invalid;
pub use self::key::{Claim, Holder, Key, Person, Seal};
pub use self::kinds::Kinds;
pub use self::looks::Looks;
pub use self::mark::Mark;
pub use self::media::Media;
pub use self::names::{PersonName, RoomName};
pub use self::patterns::RoomPatterns;
pub use self::picture::Size;
pub use self::rules::{Denied, Rules, Said};
pub use self::telling::lasting;
pub use self::visible::{has_something_visible, is_terminal_control};
pub use self::words::Words;
pub use crate::clock::Timestamp;
