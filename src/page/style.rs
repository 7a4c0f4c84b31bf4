//! The style sheet inside the page of a room.
//!
//! A browser paints nothing before it has the style. In the page it is there with the first message: as a file it comes a
//! round trip later, but only once.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac_sha256::Hash;

/// The text between the tags of a `<style>`.
pub(super) struct Style {
    /// Every byte of it counts: the policy names its hash.
    pub text: String,
    /// How the policy names it.
    pub source: String,
}

impl Style {
    pub fn new(sheet: &str) -> Style {
        let source = format!("'sha256-{}'", BASE64_STANDARD.encode(Hash::hash(sheet.as_bytes())));
        Style { text: sheet.to_owned(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_is_named_by_its_hash() {
        let Style { text, source } = Style::new("a {\nb: c;\n}\nd { e: f }");
        assert_eq!(text, "a {\nb: c;\n}\nd { e: f }");
        assert_eq!(source, "'sha256-ZKhh0RxYMudndlj942yID0ojML4X3N/jlYFqumo3zCQ='");
    }
}
