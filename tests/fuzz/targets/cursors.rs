//! Cursors of one room and of several, kinds and ids.

use comet_chat::message::{Cursor, Kinds, Next, SendId};

use super::{Target, assert_comes_back, assert_is_a_sentence, text};

pub const TARGET: Target = Target {
    name: "cursors",
    seeds: &[
        "0123abcd-42-89abcdef",
        "0123abcd-0",
        "ffffffff-9223372036854775807-00000001",
        "0123abcd~cf1ef61f-42-89abcdef~d568180c-0",
        "0123abcd~00000001-1~00000002-2~00000003-3",
        "message,joined,left",
        "left",
    ],
    check,
};

fn check(bytes: &[u8]) {
    let text = &*text(bytes);
    match text.parse::<Cursor>() {
        Ok(cursor) => {
            assert_comes_back(&cursor);
            assert!(text.parse::<Next>() == Ok(Next::One(cursor)));
        }
        Err(invalid) => assert_is_a_sentence(invalid.0),
    }
    match text.parse::<Next>() {
        Ok(next) => assert_comes_back(&next),
        Err(invalid) => assert_is_a_sentence(invalid.0),
    }
    match text.parse::<Kinds>() {
        Ok(kinds) => assert_comes_back(&kinds),
        Err(invalid) => assert_is_a_sentence(invalid.0),
    }
    match text.parse::<SendId>() {
        Ok(id) => assert!(id.as_str() == text && text.bytes().all(|byte| byte.is_ascii_graphic())),
        Err(invalid) => assert_is_a_sentence(invalid.0),
    }
}
