//! How names look: two that a reader may take for each other are one.
//!
//! Names are compared by skeletons (UTS 39): letters that look the same in several scripts become one, such as the
//! Latin and the Cyrillic `a`. Before that the width of letters, their accents and their case are dropped. Accents go
//! only where a name can be read without them: not the vowels of Indian scripts, which make another word.

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

use super::names::PersonName;

/// How a name looks.
///
/// A name has two looks, as it is written and in small letters: `Ian` can be read as `lan` in the first and is `ian` in
/// the second. Two names look alike if they share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks([u128; 2]);

impl Looks {
    /// How a name looks.
    pub fn of(name: &PersonName) -> Looks {
        let plain: String = name.as_str().nfkd().filter(|c| !is_accent(*c)).collect();
        let written: String = skeleton(&plain).flat_map(char::to_lowercase).collect();
        Looks([written, plain.to_lowercase()].map(|text| hash(&drawn(&text))))
    }

    /// Its looks, each once.
    pub fn each(&self) -> impl Iterator<Item = u128> {
        let [first, second] = self.0;
        [Some(first), (first != second).then_some(second)].into_iter().flatten()
    }
}

/// The skeleton of small letters, without the accents that some skeletons have.
fn drawn(text: &str) -> String {
    skeleton(text).filter(|c| !is_accent(*c)).flat_map(char::to_lowercase).collect()
}

fn hash(text: &str) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    u128::from_be_bytes(half)
}

/// Marks that a name can be read without: those for all scripts, and the vowel points of Hebrew and Arabic.
pub(super) fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}'
        | '\u{5c5}' | '\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_alike(one: &str, other: &str) -> bool {
        let [one, other] = [one, other].map(|name| Looks::of(&name.parse().expect("a name")));
        one.each().any(|look| other.each().any(|another| look == another))
    }

    #[test]
    fn names_that_a_reader_may_take_for_each_other_look_alike() {
        for (one, other) in [
            ("Anna", "Anna"),
            ("Anna", "anna"),
            ("Anna", "ANNA"),
            // Cyrillic and Greek letters.
            ("Anna", "Аnna"),
            ("Anna", "Аnnа"),
            ("anna", "αnna"),
            ("Нина", "нина"),
            ("scope", "ѕсоре"),
            // Width and style.
            ("Anna", "Ａｎｎａ"),
            ("Anna", "𝐀𝓷𝔫𝕒"),
            // Accents, drawn in one or apart.
            ("Anna", "Änna"),
            ("Zoë", "Zoe"),
            ("José", "JOSE"),
            ("Åsa", "Asa"),
            // Digits and lines.
            ("Bill", "BiII"),
            ("paypal", "paypaI"),
            ("Bob", "B0b"),
            ("Mary", "mary"),
            ("Ian", "lan"),
            ("Ian", "ian"),
            ("warn", "wam"),
            ("ſam", "Sam"),
            ("Strasse", "Strasse"),
            ("שָׁלוֹם", "שלום"),
        ] {
            assert!(are_alike(one, other) && are_alike(other, one), "{one} and {other}");
        }
    }

    #[test]
    fn other_names_do_not() {
        for (one, other) in [
            ("Anna", "Anne"),
            ("anna", "ana"),
            ("ian", "lan"),
            ("कि", "का"),
            ("かな", "がな"),
            ("李明", "李朋"),
            ("김민", "김만"),
            ("👧", "👦"),
            ("anna 2", "anna 3"),
            ("غرفة", "عرفة"),
        ] {
            assert!(!are_alike(one, other), "{one} and {other}");
        }
    }
}
