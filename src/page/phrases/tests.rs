//! Every language has all phrases, and there are no words but in phrases.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use super::*;

const TEMPLATES: [(&str, &str); 6] = [
    ("index.html", include_str!("../index.html")),
    ("messages.html", include_str!("../messages.html")),
    ("backlog.html", include_str!("../backlog.html")),
    ("card.html", include_str!("../card.html")),
    ("login.html", include_str!("../login.html")),
    ("refused.html", include_str!("../refused.html")),
];

/// Where the server asks for phrases beside the templates.
const SERVER: [&str; 4] = [
    include_str!("../ruled.rs"),
    include_str!("../html.rs"),
    include_str!("../phrases.rs"),
    include_str!("../../wire/reply/refusal.rs"),
];

/// What only looks like words in the script: names of keys on a keyboard, of headers, and of what browsers have.
const NO_WORDS: [&str; 17] = [
    "Cache-Control",
    "Content-Security-Policy",
    "Bearer",
    "ArrowDown",
    "ArrowUp",
    "Backspace",
    "ContextMenu",
    "Content-Type",
    "Delete",
    "Enter",
    "Escape",
    "KeyF",
    "Tab",
    "Retry-After",
    "Chat-Key",
    "Chat-Cursor",
    "Chat-Gap",
];

fn all() -> impl Iterator<Item = Language> {
    (0..LANGUAGES).map(Language)
}

/// The places of a phrase, in their order by name.
fn places(phrase: &str) -> BTreeSet<&str> {
    phrase.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0)).collect()
}

/// All scripts of the page.
fn script() -> &'static str {
    static SCRIPT: LazyLock<String> = LazyLock::new(|| {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/page");
        let files = fs::read_dir(page).unwrap().map(|file| file.unwrap().path());
        let scripts = files.filter(|path| path.extension().is_some_and(|extension| extension == "js"));
        scripts.map(|path| fs::read_to_string(path).unwrap()).collect()
    });
    &SCRIPT
}

#[test]
fn a_range_finds_the_language_that_it_is_of() {
    for (range, tag) in [("en", Some("en")), ("EN-gb", Some("en")), ("en-Latn-GB", Some("en")), ("tlh", None)]
    {
        assert_eq!(Language::of(range).map(Language::tag), tag, "{range}");
    }
    for none in ["", "*", "-", "e", "english", "x-en"] {
        assert_eq!(Language::of(none), None, "{none}");
    }
}

#[test]
fn every_language_has_the_phrases_of_english_with_the_same_places() {
    let english = Language::DEFAULT.phrases();
    for language in all() {
        let tag = language.tag();
        assert!(["ltr", "rtl"].contains(&language.direction()), "{tag}");
        let phrases = language.phrases();
        let missing: Vec<_> = english.keys().filter(|key| !phrases.contains_key(*key)).collect();
        let unknown: Vec<_> = phrases.keys().filter(|key| !english.contains_key(*key)).collect();
        assert!(missing.is_empty() && unknown.is_empty(), "{tag}: {missing:?} missing, {unknown:?} unknown");
        for (key, phrase) in phrases {
            match (phrase, &english[key]) {
                (Phrase::One(phrase), Phrase::One(english)) => {
                    assert_eq!(places(phrase), places(english), "{tag}: {key}");
                }
                (Phrase::Forms(forms), Phrase::Forms(english)) => {
                    let most = places(&english["other"]);
                    assert_eq!(places(&forms["other"]), most, "{tag}: {key}");
                    // "One message" needs no number.
                    assert!(forms.values().all(|form| places(form).is_subset(&most)), "{tag}: {key}");
                }
                _ => panic!("{tag}: {key} has forms in one of the languages"),
            }
        }
    }
}

#[test]
fn every_phrase_is_said_somewhere_and_every_one_that_is_said_is_there() {
    let phrases = Language::DEFAULT.phrases();
    let templates = TEMPLATES.iter().map(|(_, text)| *text);
    let texts: Vec<&str> = templates.chain(SERVER).chain([script()]).collect();
    let quoted: BTreeSet<&str> = texts.iter().flat_map(|text| text.split('"')).collect();
    let unsaid: Vec<_> =
        phrases.keys().filter(|key| !quoted.contains(&***key) && !key.starts_with(PROBLEM)).collect();
    assert!(unsaid.is_empty(), "nobody says {unsaid:?}");
    for text in texts {
        for call in
            ["phrase(\"", "phraseParts(\"", "language.say(\"", "language.with(\"", "language.around(\""]
        {
            for said in text.split(call).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(phrases.contains_key(said), "{call}{said}");
            }
        }
    }
    let description = include_str!("../../wire/openapi.json");
    for problem in phrases.keys().filter_map(|key| key.strip_prefix(PROBLEM)) {
        assert!(description.contains(&format!("\"urn:comet-chat:{problem}\"")), "{problem} is no problem");
    }
}

#[test]
fn the_templates_hold_no_words() {
    for (name, text) in TEMPLATES {
        let mut plain = String::new();
        let mut rest = text;
        // What is filled in, and the instructions for it.
        while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
            let end = if rest[at..].starts_with("{{") { "}}" } else { "%}" };
            plain.push_str(&rest[..at]);
            rest = rest[at..].split_once(end).map_or("", |(_, after)| after);
        }
        plain.push_str(rest);
        for tag in plain.split('<').skip(1) {
            let (tag, text) = tag.split_once('>').unwrap_or((tag, ""));
            let text = text.trim();
            let is_ours = ["comet-chat", "· comet-chat"].contains(&text);
            assert!(is_ours || !text.contains(char::is_alphabetic), "{name}: {text}");
            for attribute in ["aria-label=\"", "alt=\"", "title=\"", "placeholder=\""] {
                let values = tag.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
                for value in values {
                    assert!(!value.contains(char::is_alphabetic), "{name}: {attribute}{value}");
                }
            }
        }
    }
}

/// Nobody can find all words by their looks. What begins like a sentence, or has two words, is looked at.
#[test]
fn the_script_holds_no_words() {
    let is_word = |word: &str| word.chars().all(|c| c.is_ascii_lowercase() || ",.'…".contains(c));
    let mut found = Vec::new();
    for line in script().lines() {
        let code = line.trim_start();
        if ["//", "*", "/*"].iter().any(|comment| code.starts_with(comment)) {
            continue;
        }
        // Names of classes and selectors are words for the browser.
        let is_for_browsers = [
            "class",
            "querySelector",
            "closest(",
            "matchMedia",
            "min-width",
            "const CONTROLS",
            ".rel =",
            "super(",
        ]
        .iter()
        .any(|name| code.contains(name));
        for quoted in code.split(['"', '`']).skip(1).step_by(2) {
            let words: Vec<&str> = quoted.split(' ').collect();
            let mut letters = quoted.chars();
            let is_capital = letters.next().is_some_and(|c| c.is_ascii_uppercase())
                && letters.next().is_some_and(|c| c.is_ascii_lowercase());
            let is_several =
                words.windows(2).any(|two| two.iter().all(|word| word.len() > 1 && is_word(word)));
            if (is_capital && !NO_WORDS.contains(&quoted)) || (is_several && !is_for_browsers) {
                found.push(quoted);
            }
        }
    }
    assert!(found.is_empty(), "words that belong into phrases/en.json: {found:?}");
}
