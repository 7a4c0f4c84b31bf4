//! A file with rows that no server wrote: it is read, or refused in words, and other rooms go on.

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;

use comet_chat::message::{Claim, Cursor, Draft, Kind, Kinds, RoomName, SentAs, Timestamp, Upload};
use comet_chat::store::{Appended, Done, Error, Keep, Order, SqliteStore, Store, since};
use rusqlite::Connection;

use crate::chance::Chance;

const ALL: Keep = Keep { messages: usize::MAX, files: u64::MAX, age: None };
const SOME: Keep = Keep { messages: 3, files: u64::MAX, age: Some(std::time::Duration::from_secs(60)) };

/// What stands in a cell, of each table and column.
const CELLS: &[(&str, &[&str])] = &[
    ("messages", &["sequence", "kind", "name", "text", "at", "came", "mark", "previous", "file"]),
    ("rooms", &["name", "oldest", "latest", "at", "said", "mark"]),
    ("sent", &["send_id", "sequence", "at", "fingerprint", "mark", "room"]),
    ("present", &["name", "since", "room"]),
    ("files", &["sequence", "bytes", "content", "room"]),
    ("store", &["epoch", "undone"]),
];

/// As SQL. What a column does not take is left out.
const VALUES: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "NULL",
    "''",
    "'x'",
    "'~health'",
    "'png 5 1x1 x'",
    "'gone other 5 - x'",
    "'a b'",
    "CAST(x'ff00' AS TEXT)",
    "'a' || char(0) || 'b'",
    "hex(randomblob(40000))",
];

pub fn said(text: &str, id: Option<&str>) -> Draft {
    let sent_as = id.map(|id| SentAs { id: id.parse().unwrap(), at: Timestamp(1_000) });
    Draft {
        kind: Kind::Message,
        name: Some("ann".parse().unwrap()),
        claim: Claim::Nothing,
        text: text.into(),
        of: None,
        file: None,
        sent_as,
        at: Timestamp(1_000),
    }
}

/// Every other one has a file.
pub fn with_file(n: usize, draft: Draft) -> Draft {
    Draft { file: n.is_multiple_of(2).then(|| Upload::new("x.txt", b"hello")), ..draft }
}

pub fn append(store: &dyn Store, room: &RoomName, drafts: Vec<Draft>) -> Result<Vec<Appended>, Error> {
    let (done, outcome) = channel();
    let seen = Cursor { sequence: i64::MAX as u64, ..Cursor::start(store.epoch()) };
    store.append(room, seen, drafts, Done::new(move |outcome| drop(done.send(outcome))));
    outcome.recv().expect("an outcome").map(|arrived| arrived.outcomes)
}

/// Uses a store in every way. Whatever it says is in order, or is a sentence.
pub fn use_it(store: &dyn Store, room: &RoomName) {
    let told =
        |error: &Error| assert!(!error.0.trim().is_empty() && !error.0.contains("has ended"), "{error}");
    for sequence in [0, 1, 4, i64::MAX as u64] {
        for limit in [0, 1, 3, 500] {
            match store.after(room, sequence, limit) {
                Ok(messages) => {
                    assert!(
                        messages.len() <= limit
                            && messages.iter().all(|message| message.id.sequence > sequence)
                    );
                    assert!(messages.is_sorted_by(|one, next| one.id.sequence < next.id.sequence));
                }
                Err(error) => told(&error),
            }
            match store.before(room, sequence, limit) {
                Ok(messages) => assert!(messages.iter().all(|message| message.id.sequence < sequence)),
                Err(error) => told(&error),
            }
            let _ = store.newest(room, limit).map_err(|error| told(&error));
            let _ = store.newest_but(room, Kinds::ALL, limit).map_err(|error| told(&error));
            for order in [Order::Name, Order::Recent] {
                let _ = store.rooms(order, Some(room), limit).map_err(|error| told(&error));
            }
        }
        let after = Cursor { sequence, ..Cursor::start(store.epoch()) };
        let _ = since(store, room, Some(after), 10).map_err(|error| told(&error));
    }
    for sequence in [0, 1, 2, 3, i64::MAX as u64] {
        for part in [0..1, 1..5, 0..1 << 60] {
            let _ = store.file(room, sequence, part).map_err(|error| told(&error));
        }
    }
    let _ = store.peopled(9).map_err(|error| told(&error));
    let _ = store.expire(Timestamp(2_000_000), Timestamp(2_000)).map_err(|error| told(&error));
    let comes = Draft { kind: Kind::Joined, ..said("", None) };
    let goes = Draft { kind: Kind::Left, ..said("", None) };
    let _ = append(store, room, vec![said("more", Some("1")), comes, goes, with_file(0, said("more", None))])
        .map_err(|error| told(&error));
}

fn make(path: &Path) {
    let store = SqliteStore::open(path, ALL).unwrap();
    for room in ["lobby", "other"] {
        let room = room.parse().unwrap();
        let drafts = (0..6).map(|n| with_file(n, said("hi", Some(&n.to_string()))));
        let comes = Draft { kind: Kind::Joined, ..said("", None) };
        append(&store, &room, drafts.chain([comes]).collect()).unwrap();
    }
}

#[test]
fn a_file_with_rows_of_garbage_harms_no_more_than_those_rows() {
    let mut chance = Chance::new();
    let directory = tempfile::tempdir().unwrap();
    let whole = directory.path().join("whole.db");
    make(&whole);
    let rounds = chance.times(60);
    for round in 0..rounds {
        let path = directory.path().join(format!("{round}.db"));
        fs::copy(&whole, &path).unwrap();
        let connection = Connection::open(&path).unwrap();
        let mut done = Vec::new();
        for _ in 0..=chance.below(3) {
            let (table, columns) = CELLS[chance.below(CELLS.len())];
            let (column, value) = (columns[chance.below(columns.len())], VALUES[chance.below(VALUES.len())]);
            let sql = match chance.below(8) {
                // Without its rooms a file is not ours any more.
                0 if table != "rooms" => format!("DELETE FROM {table} WHERE random() % 2"),
                _ => format!("UPDATE OR IGNORE {table} SET {column} = {value}"),
            };
            // The schema refuses some by itself.
            if connection.execute(&sql, ()).is_ok() {
                done.push(sql);
            }
        }
        drop(connection);
        let told = std::panic::catch_unwind(|| {
            for keep in [ALL, SOME] {
                let Ok(store) = SqliteStore::open(&path, keep) else { return };
                use_it(&store, &RoomName::lobby());
                assert!(
                    append(&store, &"anew".parse().unwrap(), vec![said("hi", None)]).is_ok(),
                    "no other room goes on"
                );
            }
        });
        assert!(told.is_ok(), "{done:?}");
        fs::remove_file(&path).unwrap();
    }
}
