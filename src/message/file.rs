//! A file that comes with a message.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use super::invalid::Invalid;
use super::media::Media;
use super::picture::{Size, picture};
use super::visible::{has_something_visible, is_unseen};
use crate::config::FILE_NAME_LIMIT;

/// A file on its way to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// What is known of it.
    pub file: Arc<FileFacts>,
    /// All of it.
    pub bytes: Arc<[u8]>,
    /// By which it is told from another one.
    pub hash: [u8; 32],
}

impl Upload {
    /// A file with this name and content. There is something in it.
    pub fn new(name: &str, bytes: &[u8]) -> Upload {
        let (media, size) = match picture(bytes) {
            Some((media, size)) => (media, Some(size)),
            None if is_text(bytes) => (Media::Text, None),
            None => (Media::Other, None),
        };
        let facts =
            FileFacts { name: FileName::of(name), media, bytes: bytes.len() as u64, size, is_gone: false };
        Upload { file: Arc::new(facts), bytes: bytes.into(), hash: *blake3::hash(bytes).as_bytes() }
    }

    /// What an archive has kept of it. `None` if that is not what it says.
    pub fn again(file: FileFacts, bytes: Vec<u8>) -> Option<Upload> {
        let upload = Upload::new(file.name.as_str(), &bytes);
        (*upload.file == file).then_some(upload)
    }
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// How its sender calls it.
    pub name: FileName,
    /// What it is, by its content.
    pub media: Media,
    /// How long it is.
    pub bytes: u64,
    /// Of a picture: how large it is shown.
    pub size: Option<Size>,
    /// Whether it is no longer kept. Its message still is.
    pub is_gone: bool,
}

/// As a store keeps it: `png 1234 640x480 a picture.png`, and `gone` before that.
impl fmt::Display for FileFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FileFacts { name, media, bytes, size, is_gone } = self;
        let gone = if *is_gone { "gone " } else { "" };
        let size = size.map_or("-".to_owned(), |Size { width, height }| format!("{width}x{height}"));
        write!(f, "{gone}{} {bytes} {size} {}", media.word(), name.as_str())
    }
}

impl FromStr for FileFacts {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<FileFacts, Invalid> {
        let read = || {
            let (is_gone, text) = match text.strip_prefix("gone ") {
                Some(text) => (true, text),
                None => (false, text),
            };
            let mut parts = text.splitn(4, ' ');
            let media = Media::of_word(parts.next()?)?;
            let bytes = parts.next()?.parse().ok()?;
            let size = match parts.next()? {
                "-" => None,
                size => {
                    let (width, height) = size.split_once('x')?;
                    Some(Size { width: width.parse().ok()?, height: height.parse().ok()? })
                }
            };
            Some(FileFacts { name: FileName(parts.next()?.into()), media, bytes, size, is_gone })
        };
        read().ok_or(Invalid("this tells of no file"))
    }
}

/// A file's name: 1 to 128 characters in NFC, none of which ends a line, is invisible, or changes the direction of the
/// text around it. It is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(Arc<str>);

impl FileName {
    /// The name that its sender gave, without what does not belong there. The end of a long one stays, since it tells
    /// what the file is.
    pub fn of(given: &str) -> FileName {
        let name = given.rsplit(['/', '\\']).next().unwrap_or_default();
        let clean: Vec<char> = name.nfc().filter(|c| !c.is_control() && !is_unseen(*c)).collect();
        let clean: String = clean[clean.len().saturating_sub(FILE_NAME_LIMIT)..].iter().collect();
        let clean = clean.trim();
        // As addresses, these two are a folder.
        let is_name = has_something_visible(clean) && clean != "." && clean != "..";
        FileName(if is_name { clean.into() } else { "file".into() })
    }

    /// The name as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether these bytes are text in UTF-8, which every program shows.
fn is_text(bytes: &[u8]) -> bool {
    let is_shown = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{c}');
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path_and_shows_what_it_is() {
        let long = format!("{}.tar.gz", "x".repeat(FILE_NAME_LIMIT));
        for (given, name) in [
            ("x.png", "x.png"),
            ("/etc/passwd", "passwd"),
            ("C:\\fakepath\\a picture.jpg", "a picture.jpg"),
            ("../../x", "x"),
            ("..", "file"),
            (".", "file"),
            ("", "file"),
            ("a/", "file"),
            ("\u{202e}gnp.exe", "gnp.exe"),
            ("a\r\nb\0.txt", "ab.txt"),
            ("\u{200b} ", "file"),
            ("e\u{301}.txt", "\u{e9}.txt"),
            (".gitignore", ".gitignore"),
            (&long, &long[7..]),
        ] {
            assert_eq!(FileName::of(given).as_str(), name, "{given:?}");
        }
    }

    #[test]
    fn what_a_store_keeps_is_read_again() {
        for (name, bytes) in [
            ("a b.txt", &b"hi"[..]),
            ("x", b"\0"),
            ("x.gif", b"GIF89a\x02\0\x01\0\0\0\0;"),
            ("gone 1 2", b"x"),
        ] {
            let file = FileFacts::clone(&Upload::new(name, bytes).file);
            assert_eq!(file.to_string().parse(), Ok(file.clone()));
            let gone = FileFacts { is_gone: true, ..file.clone() };
            assert_eq!(format!("gone {file}").parse(), Ok(gone.clone()));
            assert_eq!(gone.to_string(), format!("gone {file}"));
        }
        for text in ["", "png", "png 1", "png 1 -", "mp3 1 - x", "png x - x", "png 1 1 x", "png 1 1x x"] {
            assert!(text.parse::<FileFacts>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn nothing_is_a_page_or_a_script_to_a_browser() {
        for content in [
            &b"<!doctype html><script>alert(1)</script>"[..],
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            b"<?xml version='1.0'?><x/>",
            b"alert(1)",
            b"%PDF-1.7\n%\xff",
            b"\xef\xbb\xbf<html>",
            b"\x89PNG\r\n\x1a\n<script>",
            b"GIF89a",
            b"\xff\xd8\xff<html>",
            b"RIFF....WEBP<svg>",
        ] {
            let file = Upload::new("x.html", content).file;
            assert!(matches!(file.media, Media::Text | Media::Other), "{file:?}");
        }
    }
}
