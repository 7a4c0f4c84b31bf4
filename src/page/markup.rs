//! What a message's text is made of: words, code between backticks, and what somebody does.
//!
//! `code.js` and `text.js` find the same in the page's script, and links and mentions beside it.

use std::collections::HashMap;
use std::ops::Range;

use crate::config::LAYOUT_BYTES;

/// What begins a text that says what its writer does: `/me waves` is "anna waves".
const ACTION: &str = "/me ";

/// So many backticks, or more, hold several lines. Fewer hold a part of one.
const FENCE: usize = 3;

/// The longest name of a language behind the first backticks of a block, in bytes.
const LANGUAGE_LIMIT: usize = 32;

/// A part of a text. All parts together are the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Words.
    Words(&'a str),
    /// What is not shown.
    Unseen(&'a str),
    /// Code, between backticks that are not shown.
    Code { open: &'a str, code: &'a str, close: &'a str, is_block: bool },
}

/// Whether the text says what its writer does.
pub(super) fn is_action(text: &str) -> bool {
    text.strip_prefix(ACTION).is_some_and(|what| !what.trim().is_empty())
}

/// A text in pieces that a browser lays out one by one, since the time for one piece may grow with the square
/// of its length. `rows.js` cuts in the same way.
pub(super) fn pieces(text: &str) -> Vec<Vec<Part<'_>>> {
    let codes = codes(text);
    cuts(text).into_iter().map(|piece| parts(text, &codes, piece)).collect()
}

/// The parts of a piece of a text.
fn parts<'a>(text: &'a str, codes: &[Code], piece: Range<usize>) -> Vec<Part<'a>> {
    let cut = |range: Range<usize>| {
        let start = range.start.clamp(piece.start, piece.end);
        &text[start..range.end.clamp(start, piece.end)]
    };
    let mut parts = Vec::new();
    let mut at = 0;
    if is_action(text) {
        at = ACTION.len();
        parts.push(Part::Unseen(cut(0..at)));
    }
    let first = codes.partition_point(|code| code.end <= piece.start);
    for code in codes[first..].iter().take_while(|code| code.start < piece.end) {
        parts.push(Part::Words(cut(at..code.start)));
        parts.push(Part::Code {
            open: cut(code.start..code.open),
            code: cut(code.open..code.close),
            close: cut(code.close..code.end),
            is_block: code.is_block,
        });
        at = code.end;
    }
    parts.push(Part::Words(cut(at..text.len())));
    parts.retain(|part| !matches!(part, Part::Words("") | Part::Unseen("")));
    parts
}

/// Where the pieces of a text are.
fn cuts(text: &str) -> Vec<Range<usize>> {
    let mut cuts = Vec::new();
    let mut start = 0;
    while text.len() - start > LAYOUT_BYTES {
        let end = text.floor_char_boundary(start + LAYOUT_BYTES);
        // After a line or a word: such a cut can't be seen.
        let piece = &text[start..end];
        let seam = piece.rfind('\n').or_else(|| piece.rfind(' '));
        let end = seam.map_or(end, |at| start + at + 1);
        cuts.push(start..end);
        start = end;
    }
    cuts.push(start..text.len());
    cuts
}

/// Where code is: from its backticks on, `open..close` without them.
struct Code {
    start: usize,
    open: usize,
    close: usize,
    end: usize,
    is_block: bool,
}

/// Backticks in a row.
struct Run {
    start: usize,
    length: usize,
    line: usize,
}

/// Where the text has code, in its order. It ends at the next backticks of the same number. A backtick within a
/// word is an apostrophe.
fn codes(text: &str) -> Vec<Code> {
    let runs = runs(text);
    let mut next = vec![None; runs.len()];
    let mut last = HashMap::new();
    for (at, run) in runs.iter().enumerate() {
        if let Some(before) = last.insert(run.length, at) {
            next[before] = Some(at);
        }
    }
    let mut codes: Vec<Code> = Vec::new();
    for (run, next) in runs.iter().zip(next) {
        let is_in_word = text[..run.start].ends_with(|c: char| c.is_ascii_alphanumeric());
        let is_in_code = codes.last().is_some_and(|code| run.start < code.end);
        let Some(next) = next.map(|next| &runs[next]).filter(|_| !is_in_word && !is_in_code) else {
            continue;
        };
        let is_block = next.line > run.line;
        if is_block && run.length < FENCE {
            continue;
        }
        let (open, end) = (run.start + run.length, next.start + next.length);
        let mut code = Code { start: run.start, open, close: next.start, end, is_block };
        if is_block {
            code.trim(text);
        }
        if !text[code.open..code.close].trim().is_empty() {
            codes.push(code);
        }
    }
    codes
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut line = 0;
    for (at, byte) in text.bytes().enumerate() {
        match (byte, runs.last_mut()) {
            (b'`', Some(run)) if run.start + run.length == at => run.length += 1,
            (b'`', _) => runs.push(Run { start: at, length: 1, line }),
            (b'\n', _) => line += 1,
            _ => {}
        }
    }
    runs
}

impl Code {
    /// The lines of the backticks, and the name of the language, are no part of the code.
    fn trim(&mut self, text: &str) {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b"_+#.-".contains(&b);
        let name = text[self.open..].bytes().take(LANGUAGE_LIMIT).take_while(|b| is_name(*b)).count();
        if text[self.open + name..].starts_with('\n') {
            self.open += name + 1;
        }
        if self.close > self.open && text[..self.close].ends_with('\n') {
            self.close -= 1;
        }
        if text[self.end..].starts_with('\n') {
            self.end += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(pieces: &[Vec<Part<'_>>]) -> String {
        let parts = pieces.iter().flatten().map(|part| match part {
            Part::Words(text) | Part::Unseen(text) => (*text).to_owned(),
            Part::Code { open, code, close, .. } => format!("{open}{code}{close}"),
        });
        parts.collect()
    }

    fn shown(text: &str) -> Vec<(&str, bool)> {
        let parts = pieces(text).into_iter().flatten();
        parts
            .filter_map(|part| match part {
                Part::Code { code, is_block, .. } => Some((code, is_block)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn code_stands_between_backticks_of_the_same_number() {
        for (text, code) in [
            ("no code", vec![]),
            ("`a` and ``b ` c``", vec![("a", false), ("b ` c", false)]),
            ("don`t, can`t, `it`s", vec![("it", false)]),
            ("an `open\nline`", vec![]),
            ("` ` and ```` and ``` ```", vec![]),
            ("```x = 1```", vec![("x = 1", false)]),
            ("so:\n```rust\nfn a() {}\n\n```\nand", vec![("fn a() {}\n", true)]),
            ("```two words\nmore```", vec![("two words\nmore", true)]),
            ("```\nopen", vec![]),
            ("使用`git`命令", vec![("git", false)]),
        ] {
            assert_eq!(shown(text), code, "{text}");
        }
    }

    #[test]
    fn an_action_is_what_follows_the_word() {
        assert!(is_action("/me waves"));
        assert!(!is_action("/me ") && !is_action("/meow") && !is_action(" /me waves"));
        assert_eq!(pieces("/me waves"), [[Part::Unseen("/me "), Part::Words("waves")]]);
    }

    /// A browser laid out 64 KiB of accents on one letter, one paragraph, in 8 s.
    #[test]
    fn a_long_text_stands_in_pieces_and_is_whole() {
        let code = format!("see\n```\n{}\n```\nend", "let a = 1;\n".repeat(6_000));
        for text in [
            "",
            "hi",
            &"a\u{301}".repeat(9_000),
            &"one two\n".repeat(9_000),
            &"字".repeat(9_000),
            &"`a` ".repeat(9_000),
            &code,
        ] {
            let pieces = pieces(text);
            assert_eq!(whole(&pieces), text);
            assert!(pieces.iter().all(|piece| whole(std::slice::from_ref(piece)).len() <= LAYOUT_BYTES));
            assert_eq!(pieces.len() > 1, text.len() > LAYOUT_BYTES);
        }
    }
}
