//! Names of rooms and people.

use comet_chat::config::NAME_LIMIT;
use comet_chat::message::{PersonName, RoomName, has_something_visible, is_terminal_control};

use super::{Target, assert_comes_back, assert_is_a_sentence, text};

pub const TARGET: Target = Target {
    name: "names",
    seeds: &[
        "lobby",
        "größe.b-c_d",
        "cafe\u{301}",
        "हिन्दी",
        "نرم\u{200c}افزار",
        "ශ්\u{200d}රී",
        "👩\u{200d}👩\u{200d}👧",
        "❤\u{fe0f}\u{200d}🔥",
        " Zoe\u{308} Müller ",
        "O'Neil",
        "ﷺ",
        "한\u{3164}글\u{115f}\u{1160}\u{ffa0}",
    ],
    check,
};

fn check(bytes: &[u8]) {
    let text = &*text(bytes);
    match text.parse::<RoomName>() {
        Ok(room) => {
            assert_comes_back(&room);
            let name = room.as_str();
            assert!(!room.is_internal() && (1..=NAME_LIMIT).contains(&name.chars().count()), "{name:?}");
            assert!(!name.contains(['/', '?', '#', '%', ',', '~', ' ']) && name != "." && name != "..");
            // Whatever a room may be called, a person may be called too.
            assert_eq!(name.parse::<PersonName>().expect("a name").as_str(), name);
            assert!(has_something_visible(name), "{name:?}");
        }
        Err(invalid) => assert_is_a_sentence(invalid.0),
    }
    match text.parse::<PersonName>() {
        Ok(person) => {
            assert_comes_back(&person);
            let name = person.as_str();
            assert!((1..=NAME_LIMIT).contains(&name.chars().count()) && name.trim() == name, "{name:?}");
            assert!(!name.chars().any(is_terminal_control) && has_something_visible(name), "{name:?}");
        }
        Err(invalid) => assert_is_a_sentence(invalid.0),
    }
}
