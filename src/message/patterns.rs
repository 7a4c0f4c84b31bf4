//! Patterns of rooms' names: `lobby`, `build-*`, `*`.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

use super::invalid::Invalid;
use super::names::RoomName;

/// A set of rooms: those whose name is like one of these patterns. A `*` stands for any letters, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomPatterns(Vec<String>);

impl RoomPatterns {
    /// Whether this room is among them.
    pub fn include(&self, room: &RoomName) -> bool {
        self.0.iter().any(|pattern| is_like(room.as_str(), pattern))
    }

    /// Whether every room is.
    pub fn include_all(&self) -> bool {
        self.0.iter().any(|pattern| pattern == "*")
    }
}

impl FromStr for RoomPatterns {
    type Err = Invalid;

    /// Patterns, separated by commas.
    fn from_str(text: &str) -> Result<RoomPatterns, Invalid> {
        let pattern = |pattern: &str| {
            // With a letter in place of each star it must be a name.
            pattern.replace('*', "x").parse::<RoomName>()?;
            Ok(pattern.nfc().collect())
        };
        text.split(',').map(pattern).collect::<Result<_, _>>().map(RoomPatterns)
    }
}

impl fmt::Display for RoomPatterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// Whether a name is like a pattern. Each part between stars is found as early as it can be, and the last one at the
/// end: no try is ever taken back.
fn is_like(name: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, like, unlike) in [
            ("lobby", &["lobby"][..], &["lobby2", "lob", "Lobby"][..]),
            ("*", &["lobby", "комната"], &[]),
            ("build-*", &["build-1", "build-"], &["build", "xbuild-1"]),
            ("*-log", &["a-log", "-log"], &["a-logs", "log"]),
            ("a*b*c", &["abc", "axbxc", "abbcc", "aXbcYc"], &["acb", "ab", "abcd"]),
            ("a*a", &["aa", "aba"], &["a"]),
            ("a**b", &["ab", "axb"], &["a"]),
            ("x,y-*", &["x", "y-1"], &["y"]),
        ] {
            let patterns: RoomPatterns = pattern.parse().unwrap();
            let is_in = |name: &&&str| patterns.include(&name.parse().unwrap());
            assert_eq!(like.iter().find(|name| !is_in(name)), None, "{pattern}");
            assert_eq!(unlike.iter().find(is_in), None, "{pattern}");
            assert_eq!(patterns.include_all(), pattern == "*");
        }
        for bad in ["", "a,,b", "a b", "a/b", &"x".repeat(65)] {
            assert!(bad.parse::<RoomPatterns>().is_err(), "{bad}");
        }
    }
}
