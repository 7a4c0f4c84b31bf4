//! The page's own words, in the languages of its readers.
//!
//! Each language is a plain file in `phrases/`, and `en.json` says what there is to translate. A phrase has places for
//! what changes, as in `"{name} in {room}"`. One with a number has a form for each kind of number that the language
//! tells apart, by the names that Unicode gives them: `"one"`, `"few"`, `"other"`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

macro_rules! languages {
    ($($tag:literal,)*) => {
        [$(($tag, include_str!(concat!("phrases/", $tag, ".json")))),*]
    };
}

/// Every language: its name in BCP 47, and its file. The first is for those who read none of them.
const FILES: &[(&str, &str)] = &languages! {
    "en",
    "ar",
    "de",
    "es",
    "fr",
    "ja",
};

/// How many languages there are.
pub(super) const LANGUAGES: usize = FILES.len();

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language(usize);

/// What the page says: one sentence, or one for each kind of number.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Phrase {
    One(String),
    Forms(BTreeMap<String, String>),
}

type Phrases = BTreeMap<String, Phrase>;

/// What begins the keys of the sentences of problems. They go on with the problem's kind.
const PROBLEM: &str = "problem.";

impl Language {
    /// The one for readers of no other.
    pub const DEFAULT: Language = Language(0);

    /// The language of this range in `Accept-Language`: of `de-AT`, or of `de`.
    pub fn of(range: &str) -> Option<Language> {
        let mut range = range;
        loop {
            let found = FILES.iter().position(|(tag, _)| tag.eq_ignore_ascii_case(range));
            if found.is_some() {
                return found.map(Language);
            }
            (range, _) = range.rsplit_once('-')?;
        }
    }

    /// Its place among all of them.
    pub(super) fn place(self) -> usize {
        self.0
    }

    /// Its name in BCP 47.
    pub fn tag(self) -> &'static str {
        FILES[self.0].0
    }

    /// In which direction it is written: `ltr` or `rtl`.
    pub fn direction(self) -> &'static str {
        self.say("direction")
    }

    /// A phrase as it stands in the file. What has no translation yet is said in English.
    pub fn say(self, key: &str) -> &'static str {
        let here = self.phrases().get(key).or_else(|| Language::DEFAULT.phrases().get(key));
        match here {
            Some(Phrase::One(phrase)) => phrase,
            // Only the script counts: the server speaks of one.
            Some(Phrase::Forms(forms)) => forms.get("one").or(forms.get("other")).map_or("", String::as_str),
            // A test looks for all phrases that are asked for.
            None => "",
        }
    }

    /// A phrase with this in one of its places.
    pub fn with(self, key: &str, place: &str, value: &str) -> String {
        self.fill(key, &[(place, value)])
    }

    /// What stands before a place of a phrase, and after it.
    pub fn around(self, key: &str, place: &str) -> (&'static str, &'static str) {
        let phrase = self.say(key);
        phrase.split_once(&format!("{{{place}}}")).unwrap_or((phrase, ""))
    }

    /// What a person is told of a problem of this kind, if there is a phrase for it.
    pub fn problem(self, code: &str, places: &[(&str, &str)]) -> Option<String> {
        let key = format!("{PROBLEM}{code}");
        (!self.say(&key).is_empty()).then(|| self.fill(&key, places))
    }

    /// A phrase with these in its places. What is filled in is not looked at again.
    pub fn fill(self, key: &str, places: &[(&str, &str)]) -> String {
        let mut parts = self.say(key).split('{');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for (place, rest) in parts.filter_map(|part| part.split_once('}')) {
            filled += places.iter().find(|(name, _)| *name == place).map_or("", |(_, value)| value);
            filled += rest;
        }
        filled
    }

    fn phrases(self) -> &'static Phrases {
        static READ: [OnceLock<Phrases>; LANGUAGES] = [const { OnceLock::new() }; LANGUAGES];
        // A test reads every file.
        READ[self.0].get_or_init(|| serde_json::from_str(FILES[self.0].1).expect("phrases are JSON"))
    }

    /// The phrases of which this is true, and the sentences of problems, as the text of a script.
    pub(super) fn script(self, is_said: impl Fn(&str) -> bool) -> String {
        let is_said = |key: &str| is_said(key) || key.starts_with(PROBLEM);
        let said: BTreeMap<_, _> = self.phrases().iter().filter(|(key, _)| is_said(key)).collect();
        // Plain maps of strings can't fail.
        let json = serde_json::to_string(&said).expect("plain data is written to memory");
        format!("globalThis.phrases={json};\n")
    }
}

#[cfg(test)]
mod tests;
