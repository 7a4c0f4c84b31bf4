//! The lines of an archive.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::message::Message;

/// The version of the lines that this program writes. It reads no later one.
pub(super) const VERSION: u32 = 2;

/// The first word of the first line of each room.
pub(super) const MAGIC: &str = "room";

/// The first line of a room.
#[derive(Serialize, Deserialize)]
pub(super) struct Head<'a> {
    #[serde(rename = "comet-chat")]
    pub(super) magic: Cow<'a, str>,
    pub(super) version: u32,
    pub(super) room: Cow<'a, str>,
}

/// An entry, as it is read. Its `id` is of the store that it comes from: in another it only tells which message an
/// answer is to.
#[derive(Deserialize)]
pub(super) struct Entry {
    pub(super) id: Option<String>,
    pub(super) kind: String,
    pub(super) name: Option<String>,
    pub(super) text: String,
    pub(super) at: String,
    pub(super) reply_to: Option<String>,
    pub(super) deleted: Option<String>,
    pub(super) file: Option<File>,
    pub(super) seconds: Option<u64>,
    #[serde(default)]
    pub(super) operator: bool,
}

/// What is in force in a room, if anything is: the line before the last.
#[derive(Serialize, Deserialize)]
pub(super) struct InForce<T> {
    pub(super) in_force: Vec<T>,
}

/// The file of an entry.
#[derive(Serialize, Deserialize)]
pub(super) struct File {
    /// What is known of it, as a store keeps it: `png 1234 640x480 a picture.png`.
    pub(super) facts: String,
    /// All of it, in base64; nothing if it is no longer kept.
    pub(super) content: Option<String>,
}

/// An entry, as it is written.
#[derive(Serialize)]
pub(super) struct Written<'a> {
    #[serde(flatten)]
    pub(super) message: &'a Message,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<File>,
}

/// The last line of a room.
#[derive(Serialize, Deserialize)]
pub(super) struct End<'a> {
    pub(super) end: Cow<'a, str>,
    pub(super) entries: u64,
}
