//! What a reader sees of a text, and what would disturb a terminal.

use unicode_normalization::char::is_combining_mark;

/// Whether a character moves a terminal's cursor, ends a line, or changes the direction of the text around it.
pub fn is_terminal_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character is invisible, or changes the direction of the text around it: Unicode's
/// `Default_Ignorable_Code_Point` and `Bidi_Control`, and blanks that count as letters or symbols. Variation
/// selectors are not among them: they choose how an emoji looks.
pub(super) fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a text has a visible character.
pub fn has_something_visible(text: &str) -> bool {
    let is_seen = |c: char| {
        let is_selector = matches!(c, '\u{fe00}'..='\u{fe0f}');
        !c.is_whitespace() && !c.is_control() && !is_unseen(c) && !is_selector && !is_combining_mark(c)
    };
    text.chars().any(is_seen)
}
