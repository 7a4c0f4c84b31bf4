//! Text that is safe to show in a terminal.

use crate::message::is_terminal_control;

/// A stranger's text for a terminal. Characters that would move the cursor or turn the direction of the line
/// are escaped, as in `\u{1b}`.
pub(super) fn shown(text: &str) -> String {
    let show =
        |c: char| if c != '\t' && is_terminal_control(c) { c.escape_unicode().to_string() } else { c.into() };
    text.chars().map(show).collect()
}
