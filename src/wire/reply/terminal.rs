//! Text that is safe to show in a terminal.

use crate::message::is_terminal_control;

/// A stranger's text for a terminal. Characters that would move the cursor or turn the direction of the line
/// are escaped, as in `\u{1b}`.
pub(super) fn shown(text: &str) -> String {
    let moves = |c: char| c != '\t' && is_terminal_control(c);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    // What is harmless is copied as a whole: these are long texts, and many of them.
    while let Some((at, c)) = rest.char_indices().find(|(_, c)| moves(*c)) {
        shown.push_str(&rest[..at]);
        shown.extend(c.escape_unicode());
        rest = &rest[at + c.len_utf8()..];
    }
    shown.push_str(rest);
    shown
}
