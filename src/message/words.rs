//! The words that a search looks for.
//!
//! A word is found as a part of a text, so that scripts without spaces are searched like all others. Case does not
//! matter, nor do the width of letters and accents; the vowel signs of Indian scripts and the like make another word.

use std::borrow::Cow;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

use super::entry::{Kind, Message};
use super::invalid::Invalid;
use super::looks::is_accent;
use crate::config::{QUERY_MAX, QUERY_WORDS};

/// What a search looks for: at least one word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// Whether this is a message in which each of the words stands, in its text, in its sender's name
    /// or in that of its file.
    pub fn are_in(&self, message: &Message) -> bool {
        let file = message.file.as_ref().map(|file| plain(file.name.as_str()));
        if message.kind != Kind::Message || message.text.is_empty() && file.is_none() {
            return false;
        }
        let text = plain(&message.text);
        let name = message.name.as_ref().map_or(Cow::Borrowed(""), |name| plain(name.as_str()));
        let file = file.unwrap_or_default();
        let is_there = |word: &String| text.contains(word) || name.contains(word) || file.contains(word);
        self.0.iter().all(is_there)
    }
}

impl FromStr for Words {
    type Err = Invalid;

    fn from_str(query: &str) -> Result<Words, Invalid> {
        let mut words: Vec<String> = query.split_whitespace().map(|word| plain(word).into_owned()).collect();
        words.retain(|word| !word.is_empty());
        words.sort();
        words.dedup();
        let is_short = query.len() <= QUERY_MAX && words.len() <= QUERY_WORDS;
        (is_short && !words.is_empty())
            .then_some(Words(words))
            .ok_or(Invalid("q is what to look for: 1 to 16 words of 400 bytes together, each a part of the text or of the sender's name"))
    }
}

/// A text without what does not matter.
fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        let is_plain = !text.bytes().any(|b| b.is_ascii_uppercase());
        return if is_plain { text.into() } else { text.to_ascii_lowercase().into() };
    }
    let small = text.nfkd().filter(|c| !is_accent(*c)).flat_map(char::to_lowercase);
    let mut plain = String::with_capacity(text.len());
    small.for_each(|c| match c {
        // Case is more than a pair of letters: an `ß` in capitals is `SS`, and a word's last sigma has its own form.
        'ß' => plain.push_str("ss"),
        'ς' => plain.push('σ'),
        c => plain.push(c),
    });
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(query: &str, text: &str) -> bool {
        let Words(words) = query.parse().expect("words");
        let text = plain(text);
        words.iter().all(|word| text.contains(word))
    }

    #[test]
    fn words_are_found_in_every_script_without_regard_to_case_width_and_accents() {
        for (query, text) in [
            ("HELLO", "oh, hello there"),
            ("there oh", "oh, hello there"),
            ("uber", "Über alles"),
            ("ÜBER", "uber"),
            ("STRASSE", "Straße"),
            ("straße", "STRASSE"),
            ("istanbul", "İSTANBUL"),
            ("Οδυσσεύς", "ΟΔΥΣΣΕΥΣ"),
            ("привет", "Привет, мир"),
            ("ｗｉｄｅ", "wide"),
            ("天", "今天天气很好"),
            ("ランチ", "今日のランチは"),
            ("ﾗﾝﾁ", "ランチ"),
            ("กาแฟ", "ดื่มกาแฟกัน"),
            ("مرحبا", "مَرْحَبًا"),
            ("שלום", "שָׁלוֹם"),
            ("❤", "I ❤️ it"),
            ("🦀", "a 🦀"),
            ("ﬁne", "fine"),
            ("안녕", "안녕하세요"),
        ] {
            assert!(finds(query, text), "{query} is in {text}");
        }
        for (query, text) in
            [("helo", "hello"), ("hello moon", "hello"), ("कि", "कु"), ("天文", "今天天气"), ("a b", "a")]
        {
            assert!(!finds(query, text), "{query} is not in {text}");
        }
    }

    #[test]
    fn a_query_has_a_word_and_not_too_many() {
        let many: String = (0..=QUERY_WORDS).map(|n| format!("w{n} ")).collect();
        for query in ["", " \t\n", "\u{301}", &many, &"x".repeat(QUERY_MAX + 1)] {
            assert!(Words::from_str(query).is_err(), "{query:?}");
        }
        let fits: String = (0..QUERY_WORDS).map(|n| format!("w{n}\u{3000}")).collect();
        assert!(Words::from_str(&fits).is_ok_and(|words| words.0.len() == QUERY_WORDS));
        assert!(Words::from_str(&"x".repeat(QUERY_MAX)).is_ok());
    }

    #[test]
    fn the_sentence_says_the_limits() {
        let Invalid(sentence) = Words::from_str("").unwrap_err();
        assert!(sentence.contains(&format!("{QUERY_WORDS} words of {QUERY_MAX} bytes")), "{sentence}");
    }
}
