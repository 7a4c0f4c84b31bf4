//! The file of a message.

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

/// A file, or that the client has it. A browser asks each time whether it is still there.
pub fn file(of: Cursor, file: &FileFacts, bytes: Option<Vec<u8>>) -> Reply {
    let reply = match bytes {
        Some(bytes) => Reply::new(200, file.media.content_type(), bytes),
        None => Reply::empty(304),
    };
    let reply = reply.without(&["Cache-Control", "Vary"]);
    let reply = reply.with("Cache-Control", "private, no-cache").with("ETag", file_tag(of));
    let kind = if file.media.is_picture() { "inline" } else { "attachment" };
    reply
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
