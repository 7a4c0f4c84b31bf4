//! `comet-chat backup`: a copy of a file that a server uses, and what clients are told when it is put back.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use comet_chat::message::{Cursor, RoomName};
use comet_chat::store::{self, Appended, Store, StoreSpec};

use crate::place::{ALL, AppendAndWait, Place, kept, open, said};

fn spec(path: &Path) -> StoreSpec {
    StoreSpec::Sqlite(path.to_owned())
}

/// What the program says of a backup.
fn command(from: &str, to: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comet-chat"));
    command.arg("backup").arg(to).args(["--store", from]).output().unwrap()
}

fn say(store: &dyn Store, text: &str) -> Cursor {
    match &store.append_and_wait(&RoomName::lobby(), &[said(text, 1)]).unwrap()[..] {
        [Appended::Stored(message)] => message.id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_backup_that_is_put_back_tells_those_of_a_loss_who_saw_what_it_lacks() {
    let place = Place::in_a_file();
    let store = place.open(ALL);
    let early = ["a", "b", "c"].map(|text| say(&*store, text))[2];
    let copy = place.path().with_file_name("copy.db");
    let output = command(&format!("sqlite:{}", place.path().display()), &copy);
    assert!(output.status.success(), "{output:?}");
    let lost = say(&*store, "after the backup");
    let epoch = store.epoch();
    drop(store);

    fs::copy(&copy, place.path()).unwrap();
    let restored = place.open(ALL);
    assert_eq!(restored.epoch(), epoch);
    assert_eq!(kept(&*restored, &RoomName::lobby()), [1, 2, 3]);
    // The new past grows further than the lost one.
    let latest = [(); 5].map(|()| say(&*restored, "anew"))[4];
    let read = |cursor| store::since(&*restored, &RoomName::lobby(), Some(cursor), 99).unwrap();
    assert!(read(lost).gap && read(lost).messages.len() == 8);
    assert!(!read(early).gap && read(early).messages.len() == 5);
    assert!(!read(latest).gap);
}

#[test]
fn a_backup_is_whole_while_others_write() {
    let place = Place::in_a_file();
    let store = place.open(ALL);
    say(&*store, "first");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                say(&*store, &"a longer text ".repeat(100));
            }
        });
        for n in 0..5 {
            let before = store.newest(&RoomName::lobby(), 0).unwrap().latest.sequence;
            let copy = place.path().with_file_name(format!("copy-{n}.db"));
            store::back_up(&spec(&place.path()), &copy).unwrap();
            let after = store.newest(&RoomName::lobby(), 0).unwrap().latest.sequence;
            let kept = kept(&open(&copy, ALL).unwrap(), &RoomName::lobby());
            let latest = *kept.last().unwrap();
            assert_eq!(kept, Vec::from_iter(1..=latest));
            assert!((before..=after).contains(&latest), "{latest} is not in {before}..={after}");
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_backup_replaces_an_earlier_one_and_leaves_nothing_beside_it() {
    let place = Place::in_a_file();
    let store = place.open(ALL);
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy.db");
    for n in 1..=2 {
        say(&*store, "more");
        store::back_up(&spec(&place.path()), &copy).unwrap();
        let names: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["copy.db"]);
        let other = tempfile::tempdir().unwrap().keep().join("opened.db");
        fs::copy(&copy, &other).unwrap();
        assert_eq!(kept(&open(&other, ALL).unwrap(), &RoomName::lobby()).len(), n);
        fs::remove_dir_all(other.parent().unwrap()).unwrap();
    }
}

#[test]
fn what_would_do_harm_is_refused_in_words_and_changes_nothing() {
    let place = Place::in_a_file();
    let store = place.open(ALL);
    say(&*store, "hi");
    let path = place.path();
    let own = format!("sqlite:{}", path.display());
    let beside = |name: &str| path.with_file_name(name);
    fs::write(beside("other.db"), "a file of somebody").unwrap();
    fs::write(beside("live.db-wal"), "").unwrap();
    let other = format!("sqlite:{}", beside("other.db").display());
    let missing = format!("sqlite:{}", beside("missing.db").display());
    for (from, to, word) in [
        (&own, path.clone(), "may be in use"),
        (&own, beside("live.db"), "may be in use"),
        (&own, path.parent().unwrap().to_owned(), "directory"),
        (&own, beside("nowhere/copy.db"), "nowhere"),
        (&other, beside("copy.db"), "not a SQLite database"),
        (&missing, beside("copy.db"), "missing.db"),
        (&"memory:".to_owned(), beside("copy.db"), "memory:"),
    ] {
        let output = command(from, &to);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(word), "{from} to {}: {said}", to.display());
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    }
    assert!(!beside("copy.db").exists());
    assert_eq!(fs::read(beside("other.db")).unwrap(), b"a file of somebody");
    assert_eq!(kept(&*store, &RoomName::lobby()), [1]);
}
