//! Files: whatever their bytes are, they are known for what a browser may be given, and a store keeps what is known.

use comet_chat::config::{FILE_NAME_LIMIT, PICTURE_PIXELS};
use comet_chat::message::{FileName, Media, Upload};
use comet_chat::wire::request::{Head, Intent, parse};

use super::{Target, assert_comes_back, seal, text};

pub const TARGET: Target = Target {
    name: "files",
    // Each letter is one byte.
    seeds: &[
        "x.png|\u{89}PNG\r\n\u{1a}\n\0\0\0\rIHDR\0\0\u{2}\u{80}\0\0\u{1}\u{e0}\u{8}\u{6}\0\0\0",
        "a b.gif|GIF89a\u{80}\u{2}\u{e0}\u{1}\0\0\0",
        "c:\\x.jpg|\u{ff}\u{d8}\u{ff}\u{e1}\0\u{22}Exif\0\0II*\0\u{8}\0\0\0\u{1}\0\u{12}\u{1}\u{3}\0\u{1}\0\0\0\u{6}\0\0\0\0\0\0\0\u{ff}\u{c0}\0\u{b}\u{8}\u{1}\u{e0}\u{2}\u{80}\u{1}\0\0\0",
        "../x|RIFF\0\0\0\0WEBPVP8X\u{a}\0\0\0\0\0\0\0\u{7f}\u{2}\0\u{df}\u{1}\0",
        "x.webp|RIFF\0\0\0\0WEBPVP8 \0\0\0\0\u{30}\u{1}\0\u{9d}\u{1}\u{2a}\u{80}\u{2}\u{e0}\u{1}",
        "x.avif|\0\0\0\u{1c}ftypavif\0\0\0\0avifmif1\0\0\0\u{14}ispe\0\0\0\0\0\0\u{2}\u{80}\0\0\u{1}\u{e0}",
        "x.html|<!doctype html><script>alert(1)</script>",
        "gone 1|gone png 5 1x1 x",
        "\u{a0}|hello\0",
    ],
    check,
};

fn check(bytes: &[u8]) {
    let text = text(bytes);
    let (name, content) = text.split_once('|').unwrap_or((&*text, "x"));
    let content: Vec<u8> = content.chars().map(|c| c as u8).collect();
    let upload = Upload::new(name, &content);
    let file = &*upload.file;
    assert_comes_back(file);
    let gone: comet_chat::message::FileFacts = format!("gone {file}").parse().expect("it tells of a file");
    assert!(gone.is_gone && gone.name == file.name);
    assert_eq!(file.size.is_some(), file.media.is_picture());
    if let Some(size) = file.size {
        let pixels = u64::from(size.width) * u64::from(size.height);
        assert!((1..=PICTURE_PIXELS).contains(&pixels), "{size:?}");
    }
    if file.media == Media::Text {
        assert!(std::str::from_utf8(&content).is_ok());
    }
    let shown = file.name.as_str();
    assert!((1..=FILE_NAME_LIMIT).contains(&shown.chars().count()), "{shown:?}");
    assert!(!shown.contains(['/', '\\', '\r', '\n', '\0']) && shown != "..", "{shown:?}");
    assert_eq!(FileName::of(shown), file.name, "a clean name stays as it is");
    comes_whole(name, &content, &upload);
}

/// A file that a browser sends arrives as it is.
fn comes_whole(name: &str, content: &[u8], upload: &Upload) {
    if content.is_empty() {
        return;
    }
    let escaped = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let head = format!(
        "--x0123456789x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{escaped}\"\r\nContent-Type: image/png\r\n\r\n"
    );
    let body = [head.as_bytes(), content, b"\r\n--x0123456789x--\r\n"].concat();
    let lines = [("Host", "localhost"), ("Content-Type", "multipart/form-data; boundary=x0123456789x")];
    let lines = lines.into_iter().collect();
    let head = Head::new("POST", "/chat", (1, 1), &lines);
    match parse(&head, &body, &seal()) {
        Ok(Intent::Publish(publish)) => {
            let came = publish.file.expect("a file");
            assert_eq!(came.bytes, upload.bytes);
            assert_eq!(came.file.media, upload.file.media);
        }
        other => panic!("{other:?}"),
    }
}
