//! Archives: what is read can be put into a store, and comes out of it as it was.

use comet_chat::archive::{Archived, put, read, write};
use comet_chat::message::{Draft, Timestamp};
use comet_chat::store::{Error, Keep, MemoryStore};

use super::{Target, assert_is_a_sentence};

pub const TARGET: Target = Target {
    name: "archives",
    seeds: &[
        "{\"comet-chat\":\"room\",\"version\":1,\"room\":\"lobby\"}\n\
         {\"id\":\"0123abcd-1-89abcdef\",\"kind\":\"message\",\"name\":\"anna\",\"text\":\"hi\",\"at\":\"2026-11-26T12:00:00.000Z\"}\n\
         {\"id\":\"0123abcd-2-89abcdee\",\"kind\":\"joined\",\"name\":\"bob\",\"text\":\"\",\"at\":\"2026-11-26T12:00:01.000Z\"}\n\
         {\"end\":\"lobby\",\"entries\":2}\n",
        "{\"comet-chat\":\"room\",\"version\":1,\"room\":\"a\"}\n\
         {\"kind\":\"message\",\"name\":null,\"text\":\"\\u2028\\n\",\"at\":\"1970-01-01T00:00:00Z\"}\n\
         {\"kind\":\"message\",\"name\":null,\"text\":\"x\",\"at\":\"9999-12-31T23:59:59.999Z\"}\n\
         {\"end\":\"a\",\"entries\":2}\n",
    ],
    check,
};

fn check(bytes: &[u8]) {
    let rooms = match read(bytes) {
        Ok(rooms) => rooms,
        Err(Error(sentence)) => {
            assert!(sentence.starts_with("line ") || sentence.starts_with("nothing"), "{sentence}");
            return assert_is_a_sentence(&sentence);
        }
    };
    let store = MemoryStore::new(Keep { messages: usize::MAX, files: u64::MAX, age: None });
    let mut lines = Vec::new();
    for archived in &rooms {
        assert_eq!(put(&store, archived), Ok(archived.said.len()));
        assert_eq!(put(&store, archived), Ok(0), "a second time");
        write(&store, &archived.room, &mut lines).expect("memory");
    }
    let mut again = rooms.clone();
    for archived in &mut again {
        let mut latest = Timestamp(0);
        for draft in &mut archived.said {
            // A room's times never go back.
            latest = latest.max(draft.at);
            draft.at = latest;
        }
    }
    let moved = read(&lines[..]).expect("what was written can be read");
    assert_eq!(with_answers(moved), with_answers(again));
}

/// Rooms with which message each one answers, by its index, since the ids of another store are others.
fn with_answers(rooms: Vec<Archived>) -> Vec<(Archived, Vec<Option<usize>>)> {
    let answers = |archived: &mut Archived| {
        let places = std::mem::take(&mut archived.places);
        let answered = |(at, draft): (usize, &mut Draft)| {
            let of = draft.of.take()?;
            // An id may stand there twice: the answer is to the one that came last.
            places[..at].iter().rposition(|place| *place == of)
        };
        archived.said.iter_mut().enumerate().map(answered).collect()
    };
    let whole = |mut archived: Archived| {
        let answers = answers(&mut archived);
        (archived, answers)
    };
    rooms.into_iter().map(whole).collect()
}
