//! Searches: what is found, and that whoever goes on comes to the end.

use std::sync::Arc;
use std::time::Duration;

use comet_chat::message::{Change, Cursor, Kind, Message, RoomName, Words};
use comet_chat::store::{self, Bound, Start, Store};
use fastrand::Rng;

use crate::place::{ALL, Place, fill, on_every_store, room};
use crate::plain::Room;

on_every_store![a_search_that_is_cut_goes_on_where_it_stopped];

/// It looks at one portion only.
const SHORT: Bound =
    Bound { entries: 1, bytes: usize::MAX, time: Duration::from_secs(3_600), found: usize::MAX };

fn a_search_that_is_cut_goes_on_where_it_stopped(place: &Place) {
    let (store, name) = (place.open(ALL), room("lobby"));
    fill(&*store, &name, 700);
    let words = "77".parse().unwrap();
    let (found, pages) = to_the_end(&*store, &name, &words, Start::Newest, || (100, SHORT));
    let texts: Vec<&str> = found.iter().map(|message| &*message.text).collect();
    assert_eq!(texts, ["77", "177", "277", "377", "477", "577", "677"]);
    assert_eq!(pages, 3);
    // A deadline that is over does not keep anybody in one place.
    let late = Bound { entries: usize::MAX, time: Duration::ZERO, ..SHORT };
    assert_eq!(to_the_end(&*store, &name, &words, Start::Newest, || (100, late)).0, found);
    let full = Bound { entries: usize::MAX, found: 1, ..SHORT };
    assert_eq!(to_the_end(&*store, &name, &words, Start::Newest, || (100, full)).0, found);
}

/// Searches as a client does, page by page. Gives all that is found, oldest first, and the number of pages.
fn to_the_end(
    store: &dyn Store,
    room: &RoomName,
    words: &Words,
    mut start: Start,
    mut page: impl FnMut() -> (usize, Bound),
) -> (Vec<Arc<Message>>, usize) {
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let (limit, bound) = page();
        let found = store::find(store, room, words, start, limit, bound).unwrap();
        assert!(found.messages.len() <= limit && !found.gap, "{found:?}");
        all.splice(..0, found.messages);
        pages += 1;
        match found.reached.filter(|_| found.has_more) {
            Some(oldest) if pages % 2 == 0 => start = Start::Before(oldest.id),
            Some(oldest) => start = Start::At(oldest.before()),
            None => return (all, pages),
        }
    }
}

/// Compares a search to the end with the model's room.
pub fn agrees(store: &dyn Store, name: &RoomName, known: &Room, rng: &mut Rng) {
    let query = *rng
        .choice(&["a", "A", "שלום", "ו", "IT'S", "zoe", "ö", "ë 🦀", "🦀 s", "it's zoe", "it's\na b"])
        .unwrap();
    let kept = known.kept();
    let begins = rng.usize(..kept.len() + 1);
    let start = kept.get(begins).map_or(Start::Newest, |message| Start::Before(message.id));
    let expected: Vec<_> = kept[..begins].iter().filter(|message| has_all(query, message)).cloned().collect();
    let words = query.parse().unwrap();
    let seed = rng.u64(..);
    let mut rng = Rng::with_seed(seed);
    let page = || (rng.usize(1..6), if rng.bool() { SHORT } else { Bound::shared_by(rng.usize(1..33)) });
    assert_eq!(to_the_end(store, name, &words, start, page).0, expected, "{query}");

    // A place of another past is a gap, and the search begins at the end.
    let elsewhere = Cursor { sequence: known.latest() + 1, ..Cursor::start(store.epoch()) };
    let found = store::find(store, name, &words, Start::Before(elsewhere), usize::MAX, SHORT).unwrap();
    assert!(found.gap);
    let all: Vec<_> = kept.iter().filter(|message| has_all(query, message)).cloned().collect();
    assert_eq!(found.messages, all);
}

/// Whether each word is a part of what was said or of the name, by the few letters that the model's people use.
fn has_all(query: &str, message: &Message) -> bool {
    let small = |text: &str| text.to_lowercase().replace('ë', "e").replace('ö', "o").replace('ß', "ss");
    let name = message.name.as_ref().map_or("", |name| name.as_str());
    let file = message.file.as_ref().map_or("", |file| file.name.as_str());
    let said = small(&format!("{name}\n{}\n{file}", message.text));
    let is_there =
        !(matches!(message.change, Some(Change::Deleted(_))) || message.text.is_empty() && file.is_empty());
    let mut words = query.split_whitespace();
    message.kind == Kind::Message && is_there && words.all(|word| said.contains(&small(word)))
}
