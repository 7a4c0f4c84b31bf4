//! The address by which the outside sees the server.

use comet_chat::address::PublicUrl;

use super::{Target, assert_comes_back, text};

pub const TARGET: Target = Target {
    name: "addresses",
    seeds: &[
        "https://chat.example.org/talk",
        "http://localhost:8080",
        "https://[::1]:8443/a/b",
        "https://größe.example/",
        "/talk/chat/lobby?after=oldest",
    ],
    check,
};

fn check(bytes: &[u8]) {
    let text = &*text(bytes);
    let Ok(url) = text.parse::<PublicUrl>() else { return };
    assert_comes_back(&url);
    let (prefix, origin) = (url.prefix(), url.origin());
    assert!(prefix.is_empty() || prefix.starts_with('/') && !prefix.ends_with('/'), "{prefix:?}");
    // Both stand in headers, in a page and in a shell's line.
    for part in [prefix, origin, url.authority()] {
        assert!(part.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"'`\\{}|^".contains(&b)), "{part:?}");
    }
    assert_eq!(url.is_https(), origin.starts_with("https://"));
    for path in ["/chat/lobby?after=oldest", "/", "/?x"] {
        let seen = format!("{prefix}{path}");
        let local = url.strip(&seen).unwrap_or(&seen);
        assert_eq!(local, path);
    }
}
