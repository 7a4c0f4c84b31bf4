//! The file of a message.

use std::ops::Range;

use percent_encoding::utf8_percent_encode;

use super::parts::Reply;
use crate::message::{Cursor, FileFacts};
use crate::wire::path::SEGMENT;

/// What a browser may do with a file that it was told to show: nothing.
const CSP: &str = "sandbox; default-src 'none'";

/// By which its version is known: a message's file is never another.
pub fn file_tag(of: Cursor) -> String {
    format!("\"{of}\"")
}

/// What is sent of a file.
pub enum Content {
    /// Nothing: the client has it.
    Known,
    /// All of it.
    All(Vec<u8>),
    /// These bytes of it.
    Part(Range<u64>, Vec<u8>),
}

impl Content {
    /// A part of it, if that is given.
    pub fn of(part: Option<Range<u64>>, bytes: Vec<u8>) -> Content {
        match part {
            Some(part) => Content::Part(part, bytes),
            None => Content::All(bytes),
        }
    }
}

/// A file of this version. A browser asks each time whether it is still there.
pub fn file(tag: &str, file: &FileFacts, content: Content) -> Reply {
    let media_type = file.media.content_type();
    let reply = match content {
        Content::Known => Reply::empty(304),
        Content::All(bytes) => Reply::new(200, media_type, bytes),
        Content::Part(part, bytes) => {
            let range = format!("bytes {}-{}/{}", part.start, part.end - 1, file.bytes);
            Reply::new(206, media_type, bytes).with("Content-Range", range)
        }
    };
    let reply = reply.without(&["Cache-Control", "Vary"]);
    let reply = reply.with("Cache-Control", "private, no-cache").with("ETag", tag.to_owned());
    let kind = if file.media.is_picture() { "inline" } else { "attachment" };
    reply
        .with("Accept-Ranges", "bytes")
        .with("Content-Disposition", format!("{kind}{}", names(file.name.as_str())))
        .with("Content-Security-Policy", CSP)
}

/// The name for whoever saves it (RFC 6266): for old programs in ASCII, and as it is. What a path may have as it is, a value
/// may have too (RFC 8187).
fn names(name: &str) -> String {
    let is_plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '%');
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let exact = if plain == name {
        String::new()
    } else {
        format!("; filename*=UTF-8''{}", utf8_percent_encode(name, SEGMENT))
    };
    format!("; filename=\"{plain}\"{exact}")
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_name_is_given_in_ascii_and_as_it_is() {
        assert_eq!(names("a b.png"), "; filename=\"a b.png\"");
        assert_eq!(names("a\"b%.png"), "; filename=\"a_b_.png\"; filename*=UTF-8''a%22b%25.png");
        assert_eq!(names("\u{e9}.png"), "; filename=\"_.png\"; filename*=UTF-8''%C3%A9.png");
    }
}
