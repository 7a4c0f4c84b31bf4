//! The page, and what it is made of.

use crate::message::RoomName;

/// What a page may load: what this server serves, and nothing else.
pub const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The page of a room.
pub fn render(_room: &RoomName) -> String {
    include_str!("../page/index.html").to_owned()
}

/// A file that the page needs: its type and its bytes.
pub fn asset(_name: &str) -> Option<(&'static str, &'static [u8])> {
    None
}
