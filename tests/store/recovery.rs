//! What is found when the file is opened after anything but a clean end.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use comet_chat::message::{Claim, Cursor, Draft, Holder, Kind, Mark, Message, RoomName, Upload};
use comet_chat::store::{self, Appended, Keep, Part, Store};
use flate2::read::GzDecoder;
use tempfile::TempDir;

use crate::place::{ALL, AppendAndWait, Place, fill, kept, listed, open, said, said_as, sequence};
use crate::rerun::{is_inside, run_again};

/// Copies the file and its log as they stand, as a crash at this moment would leave them. The shared memory
/// beside them (`-shm`) is left out: it does not survive a crash of the machine.
fn crash(store_path: &Path) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let copy = directory.path().join("chat.db");
    fs::copy(store_path, &copy).unwrap();
    fs::copy(log_of(store_path), log_of(&copy)).unwrap();
    (directory, copy)
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

#[test]
fn every_answered_message_is_there_after_a_crash() {
    let place = Place::in_a_file();
    let store = place.open(ALL);
    let lobby = RoomName::lobby();
    for n in 1..=20 {
        store.append_and_wait(&lobby, &[said("x", n)]).unwrap();
        let (_directory, copy) = crash(&place.path());
        let found = open(&copy, ALL).unwrap();
        assert_eq!(found.epoch(), store.epoch());
        assert_eq!(kept(&found, &lobby), Vec::from_iter(1..=n));
    }
}

/// The disk may tear a write, and a full disk or a bad copy may cut a file. Whatever is left of the log, the
/// store then holds the order up to some message, and each transaction whole or not at all.
#[test]
fn a_torn_log_is_read_up_to_the_tear() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let place = Place::in_a_file();
    let store = place.open(ALL);
    let lobby = RoomName::lobby();
    for n in 0..30 {
        let batch: Vec<_> = (0..3).map(|i| said_as(&(3 * n + i).to_string(), "x", 1)).collect();
        store.append_and_wait(&lobby, &batch).unwrap();
    }
    let (_directory, whole) = crash(&place.path());
    let log = fs::read(log_of(&whole)).unwrap();
    let mut lengths_found = Vec::new();
    for _ in 0..40 {
        let (_directory, copy) = crash(&whole);
        let mut torn = log.clone();
        let at = rng.usize(..=log.len());
        if rng.bool() {
            torn.truncate(at);
        } else {
            let end = (at + rng.usize(1..600)).min(torn.len());
            rng.fill(&mut torn[at..end]);
        }
        fs::write(log_of(&copy), torn).unwrap();

        let found = open(&copy, ALL).unwrap();
        let sequences = kept(&found, &lobby);
        let length = sequences.len() as u64;
        assert_eq!(sequences, Vec::from_iter(1..=length));
        assert_eq!(length % 3, 0, "a transaction came back in part");
        assert_eq!(found.newest(&lobby, 0).unwrap().latest.sequence, length);
        lengths_found.push(length);

        // The ids are back with their messages, no more and no less.
        if length > 0 {
            let known = said_as(&(length - 1).to_string(), "x", 1);
            let again = found.append_and_wait(&lobby, &[known]).unwrap();
            assert!(matches!(again[0], Appended::Repeated(c) if c.sequence == length));
        }
        let lost = said_as(&length.to_string(), "x", 1);
        let anew = found.append_and_wait(&lobby, &[lost]).unwrap();
        assert!(matches!(anew[0], Appended::Stored(_)));
        assert_eq!(sequence(&anew), length + 1);
    }
    lengths_found.sort_unstable();
    assert!(lengths_found[0] < 60 && *lengths_found.last().unwrap() > 30);
}

/// When the wait for the disk failed, the log already held the whole transaction. A server that crashed then
/// found a message after its restart that it had answered with an error.
#[test]
fn a_message_whose_fsync_failed_does_not_come_back_after_a_crash() {
    if is_inside() {
        let place = Place::in_a_file();
        let store = place.open(ALL);
        let lobby = RoomName::lobby();
        let failed = (1..20).find(|n| store.append_and_wait(&lobby, &[said("x", *n)]).is_err());
        let failed = failed.expect("no fsync was made to fail");
        let (_directory, copy) = crash(&place.path());
        let found = open(&copy, ALL).unwrap();
        assert_eq!(kept(&found, &lobby), Vec::from_iter(1..failed));
        let next = store.append_and_wait(&lobby, &[said("cured", 1)]).unwrap();
        assert_eq!(sequence(&next), failed);
        return;
    }
    // The eighth of each thread: opening takes fewer, and the writer takes one for each message.
    let strace = "strace -f -qq -o /dev/null -e trace=fsync,fdatasync";
    let works = format!("{strace} true");
    if Command::new("sh").args(["-c", &works]).status().is_ok_and(|status| status.success()) {
        run_again(
            "recovery::a_message_whose_fsync_failed_does_not_come_back_after_a_crash",
            &format!("exec {strace} -e inject=fsync,fdatasync:error=EIO:when=8 \"$@\""),
        );
    } else {
        println!("there is no strace here to make an fsync fail");
    }
}

#[test]
fn a_smaller_keep_holds_at_once_when_the_file_is_opened_again() {
    let place = Place::in_a_file();
    let mut store = place.open(ALL);
    let lobby = RoomName::lobby();
    fill(&*store, &lobby, 2_000);
    let few = Keep { messages: 10, files: u64::MAX, age: None };
    store = place.reopen(store, few);
    assert_eq!(kept(&*store, &lobby), Vec::from_iter(1991..=2000));
    assert_eq!(store.before(&lobby, 1995, 100).unwrap().len(), 4);
    // These rows are removed bit by bit as more is published, until all are gone that are not kept.
    for n in 0..20 {
        store.append_and_wait(&lobby, &[said("x", n)]).unwrap();
    }
    store = place.reopen(store, ALL);
    assert_eq!(kept(&*store, &lobby), Vec::from_iter(2011..=2020));
    drop(store);
    let file = rusqlite::Connection::open(place.path()).unwrap();
    let rows: i64 = file.query_row("SELECT count(*) FROM messages", (), |row| row.get(0)).unwrap();
    assert_eq!(rows, 10);
}

/// Not in the file, nor in its log, as soon as nobody writes for a moment.
#[test]
fn a_deleted_text_is_nowhere_on_the_disk() {
    let place = Place::in_a_file();
    let store = place.open(ALL);
    let lobby = RoomName::lobby();
    let by_key = |draft: Draft| Draft { claim: Claim::Key(Holder::from_bytes([1; 16])), ..draft };
    let says = |text: &str| {
        let stored = store.append_and_wait(&lobby, &[by_key(said(text, 1))]).unwrap();
        stored[0].stored().unwrap().id
    };
    let holds = |text: &str| {
        let files = [place.path(), log_of(&place.path())];
        files.iter().any(|file| {
            let bytes = fs::read(file).unwrap();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
    };
    let (edited, deleted) = (says("the first secret"), says("the second secret"));
    let file = Upload::new("the third secret", &b"the fourth secret".repeat(1_000));
    let stored = store.append_and_wait(&lobby, &[by_key(Draft { file: Some(file), ..said("", 1) })]).unwrap();
    let with_file = stored[0].stored().unwrap().id;
    says("no secret");
    let secrets = ["the first secret", "the second secret", "the third secret", "the fourth secret"];
    assert!(secrets.iter().all(|secret| holds(secret)));
    let edit = Draft { kind: Kind::Edited, of: Some(edited), ..by_key(said("harmless", 1)) };
    let delete = Draft { kind: Kind::Deleted, of: Some(deleted), ..by_key(said("", 1)) };
    let delete_file = Draft { of: Some(with_file), ..delete.clone() };
    store.append_and_wait(&lobby, &[edit, delete, delete_file]).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while secrets.iter().any(|secret| holds(secret)) {
        assert!(Instant::now() < deadline, "a text is still on the disk");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(holds("no secret") && holds("harmless"));
}

#[test]
fn a_closed_store_leaves_its_log_in_the_file() {
    let place = Place::in_a_file();
    let store = place.open(ALL);
    fill(&*store, &RoomName::lobby(), 100);
    drop(store);
    assert!(!log_of(&place.path()).exists());
}

/// Files that older versions made, as they were put into the repository.
const OLD_FILES: [&[u8]; 2] = [include_bytes!("version-1.db.gz"), include_bytes!("version-2.db.gz")];

/// Puts such a file in place.
fn unpack(file: &[u8]) -> Place {
    let place = Place::in_a_file();
    let mut plain = Vec::new();
    GzDecoder::new(file).read_to_end(&mut plain).unwrap();
    fs::write(place.path(), plain).unwrap();
    place
}

/// Cursors had no marks, and messages neither. Nobody who follows a room over the upgrade loses anything.
#[test]
fn a_file_from_before_there_were_marks_gets_them() {
    for file in OLD_FILES {
        let mut place = unpack(file);
        let mut store = place.open(ALL);
        let lobby = RoomName::lobby();
        let messages = store.after(&lobby, 0, 100).unwrap();
        let latest = store.newest(&lobby, 0).unwrap().latest;
        assert_eq!(latest, messages.last().unwrap().id);
        assert!(messages.iter().all(|message| message.id.mark != Mark::UNKNOWN));
        let old = |sequence| Cursor { sequence, ..Cursor::start(store.epoch()) };
        for (at, message) in messages.iter().enumerate() {
            for cursor in [old(message.id.sequence), message.id] {
                assert!(cursor.is_within(latest));
                let rest = store::since(&*store, &lobby, Some(cursor), 100).unwrap();
                let is_last = at + 1 == messages.len();
                assert!(is_last || !rest.gap && rest.messages[..] == messages[at + 1..], "{cursor}");
                assert!(!store::past(&*store, &lobby, Part::Before(cursor), 100).unwrap().gap);
            }
        }
        let first = old(messages[0].id.sequence - 1);
        assert!(!store::since(&*store, &lobby, Some(first), 100).unwrap().gap);
        // The order goes on where it stood.
        let new = store.append_and_wait(&lobby, &[said("new", 1)]).unwrap();
        assert!(
            new[0].stored().unwrap().follows(latest)
                && new[0].stored().unwrap().follows(old(latest.sequence))
        );

        // The same file, put back and brought to this version again, has the same marks.
        drop(store);
        place = unpack(file);
        store = place.open(ALL);
        assert_eq!(store.after(&lobby, 0, 100).unwrap(), messages);
        drop(store);

        // Another past has other marks from the point where it differs.
        place = unpack(file);
        let other = "UPDATE messages SET text = 'said otherwise' WHERE text = 'number 4'";
        assert_eq!(rusqlite::Connection::open(place.path()).unwrap().execute(other, ()).unwrap(), 1);
        store = place.open(ALL);
        let others = store.after(&lobby, 0, 100).unwrap();
        let is_other = |(a, b): &(&Arc<Message>, &Arc<Message>)| a.id != b.id;
        let changed: Vec<_> = messages.iter().zip(&others).filter(is_other).collect();
        assert_eq!(changed.len(), 1);
        assert_eq!(*changed[0].1.text, *"said otherwise");
        assert!(store::since(&*store, &lobby, Some(changed[0].0.id), 100).unwrap().gap);
    }
}

/// The names in it were nobody's. They are held by whoever comes with a key.
#[test]
fn a_file_from_before_there_were_keys_takes_them() {
    for file in OLD_FILES.into_iter().chain([include_bytes!("version-3.db.gz").as_slice()]) {
        let place = unpack(file);
        let mut store = place.open(ALL);
        let lobby = RoomName::lobby();
        let present = store.newest(&lobby, 0).unwrap().present;
        assert!(!present.is_empty() && present.iter().all(|person| person.holder.is_none()));
        let secret = store.seal().secret();
        assert_ne!(secret, [0; 32]);
        let messages = store.after(&lobby, 0, 100).unwrap();
        assert!(!messages.is_empty() && messages.iter().all(|message| message.holder.is_none()));
        let claim = Claim::Key(Holder::from_bytes([1; 16]));
        let name = Some(present[0].name.clone());
        let comes = Draft { kind: Kind::Joined, name, claim, ..said("", 1) };
        assert_eq!(store.append_and_wait(&lobby, &[comes]), Ok(vec![Appended::Needless]));
        store = place.reopen(store, ALL);
        assert_eq!(store.newest(&lobby, 0).unwrap().present[0].holder, claim.holder());
        assert_eq!(store.seal().secret(), secret);
    }
}

/// A file of the first version, with ids that were sent just before its end.
#[test]
fn a_file_of_the_first_version_is_brought_to_this_one() {
    let place = unpack(OLD_FILES[0]);
    let lobby = RoomName::lobby();
    let mut store = place.open(ALL);
    for _ in 0..2 {
        let tail = store.newest(&lobby, 100).unwrap();
        assert_eq!(kept(&*store, &lobby), Vec::from_iter(1..=8));
        let texts: Vec<&str> = tail.messages.iter().map(|message| &*message.text).collect();
        let expected = ["", "number 1", "number 2", "number 3", "number 4", "number 5", "", "last"];
        assert_eq!(texts, expected);
        assert_eq!(tail.present.len(), 2);
        assert_eq!(listed(&*store).len(), 2);
        store = place.reopen(store, ALL);
    }
    // Its ids are known, and as long as a message is kept its text decides whether the id comes for the same
    // message.
    let sent = store.after(&lobby, 1, 1).unwrap()[0].clone();
    let says = |store: &dyn Store, text: &str| {
        let draft = Draft { name: sent.name.clone(), ..said_as("anna-1", text, sent.at.0 + 1) };
        store.append_and_wait(&lobby, &[draft]).unwrap().remove(0)
    };
    assert_eq!(says(&*store, "number 1"), Appended::Repeated(sent.id));
    assert_eq!(says(&*store, "another"), Appended::Conflict);
    let few = Keep { messages: 1, files: u64::MAX, age: None };
    store = place.reopen(store, few);
    store.append_and_wait(&lobby, &[said("new", sent.at.0 + 1)]).unwrap();
    assert_eq!(says(&*store, "number 1"), Appended::Repeated(sent.id));
    assert_eq!(says(&*store, "another"), Appended::Repeated(sent.id));
}
