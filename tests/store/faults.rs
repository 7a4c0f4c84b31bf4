//! A file that can't be used: a sentence at the opening, an error at run time with nothing stored, and normal
//! work when it is cured.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;

use comet_chat::message::RoomName;
use comet_chat::store::{Appended, Error, SqliteStore, Store};
use rusqlite::Connection;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

use crate::place::{ALL, AppendAndWait, Place, fill, kept, open, said, sequence};
use crate::rerun::{is_inside, run_again, run_again_with_mounts};

fn why_not(path: &Path) -> String {
    the_reason(path, open(path, ALL))
}

/// Why a file can't be used whose server lives.
fn why_not_both(path: &Path) -> String {
    the_reason(path, SqliteStore::open(path, ALL))
}

fn the_reason(path: &Path, opened: Result<SqliteStore, Error>) -> String {
    match opened {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(Error(sentence)) => {
            println!("{sentence}");
            assert!(sentence.contains(path.to_str().unwrap()));
            sentence
        }
    }
}

#[test]
fn two_servers_cannot_use_one_file() {
    let place = Place::in_a_file();
    let first = place.open(ALL);
    assert!(why_not_both(&place.path()).contains("another comet-chat uses"));
    drop(first);
    place.open(ALL);
}

/// The lock was on a file beside the database, named after its path. Through a link, or with the lock file
/// deleted, two servers wrote to one database, and each lost sight of the other's messages.
#[test]
fn two_servers_cannot_use_one_file_by_two_names() {
    let place = Place::in_a_file();
    let first = place.open(ALL);
    let symbolic = place.path().with_file_name("symbolic.db");
    std::os::unix::fs::symlink(place.path(), &symbolic).unwrap();
    assert!(why_not_both(&symbolic).contains("another comet-chat uses"));
    let hard = place.path().with_file_name("hard.db");
    fs::hard_link(place.path(), &hard).unwrap();
    assert!(why_not_both(&hard).contains("another comet-chat uses"));
    drop(first);
}

/// A server whose file was removed, renamed or replaced still answered `ok`. After its end all of these
/// messages were gone.
#[test]
fn nothing_is_stored_where_nobody_finds_it() {
    let lobby = RoomName::lobby();
    let remove = |path: &Path| fs::remove_file(path).unwrap();
    let replace = |path: &Path| {
        fs::rename(path, path.with_extension("away")).unwrap();
        fs::write(path, "").unwrap();
    };
    let remove_log = |path: &Path| fs::remove_file(format!("{}-wal", path.display())).unwrap();
    for lose in [&remove as &dyn Fn(&Path), &replace, &remove_log] {
        let place = Place::in_a_file();
        let store = place.open(ALL);
        store.append_and_wait(&lobby, &[said("found", 1)]).unwrap();
        lose(&place.path());
        let Error(sentence) = store.append_and_wait(&lobby, &[said("lost", 2)]).unwrap_err();
        assert!(sentence.contains("was removed or replaced"), "{sentence}");
    }
}

/// If the file is put back, the server works as before.
#[test]
fn a_file_that_is_put_back_is_used_again() {
    let lobby = RoomName::lobby();
    let place = Place::in_a_file();
    let store = place.open(ALL);
    store.append_and_wait(&lobby, &[said("one", 1)]).unwrap();
    let away = place.path().with_extension("away");
    fs::rename(place.path(), &away).unwrap();
    store.append_and_wait(&lobby, &[said("lost", 2)]).unwrap_err();
    fs::rename(&away, place.path()).unwrap();
    store.append_and_wait(&lobby, &[said("two", 3)]).unwrap();
    assert_eq!(kept(&*place.reopen(store, ALL), &lobby), [1, 2]);
}

#[test]
fn a_missing_directory_is_named() {
    let directory = TempDir::new().unwrap();
    let missing = directory.path().join("missing");
    assert!(why_not(&missing.join("a.db")).contains(&format!("no directory {}", missing.display())));
}

#[test]
fn a_directory_is_no_file() {
    let directory = TempDir::new().unwrap();
    assert!(why_not(directory.path()).contains("cannot open"));
}

#[test]
fn what_is_not_a_database_is_left_alone() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("letter.txt");
    let text = "Dear Ann, ".repeat(1_000);
    fs::write(&path, &text).unwrap();
    assert!(why_not(&path).contains("is not a SQLite database"));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn another_programs_database_is_left_alone() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("mail.db");
    let mail = "CREATE TABLE mail (text); INSERT INTO mail VALUES ('hi');";
    Connection::open(&path).unwrap().execute_batch(mail).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(why_not(&path).contains("another program"));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_versions_file_is_left_alone() {
    let place = Place::in_a_file();
    drop(place.open(ALL));
    let file = Connection::open(place.path()).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    assert!(why_not(&place.path()).contains("schema 99"));
}

#[test]
fn a_damaged_file_is_an_error_and_never_a_wrong_message() {
    let place = Place::in_a_file();
    let lobby = RoomName::lobby();
    let store = place.open(ALL);
    fill(&*store, &lobby, 5_000);
    drop(store);
    let mut bytes = fs::read(place.path()).unwrap();
    // All but the first page, which says that the file is ours.
    bytes[4096..].fill(0xa5);
    fs::write(place.path(), bytes).unwrap();
    let Err(Error(sentence)) = open(&place.path(), ALL) else {
        panic!("it was opened");
    };
    assert!(sentence.contains("is damaged"), "{sentence}");
}

#[test]
fn a_file_that_is_damaged_in_a_room_answers_for_the_others() {
    let place = Place::in_a_file();
    let (lobby, other) = (RoomName::lobby(), crate::place::room("other"));
    let store = place.open(ALL);
    store.append_and_wait(&other, &[said("x", 1)]).unwrap();
    fill(&*store, &lobby, 5_000);
    drop(store);
    // The last used page holds the newest messages of the lobby.
    let mut bytes = fs::read(place.path()).unwrap();
    let newest = find_last(&bytes, b"5000");
    bytes[newest / 4096 * 4096..][..4096].fill(0xa5);
    fs::write(place.path(), bytes).unwrap();

    let store = place.open(ALL);
    let Error(sentence) = store.newest(&lobby, 10).unwrap_err();
    assert!(sentence.contains("is damaged"), "{sentence}");
    assert!(store.append_and_wait(&lobby, &[said("x", 1)]).is_err());
    assert_eq!(kept(&*store, &other), [1]);
    assert_eq!(sequence(&store.append_and_wait(&other, &[said("y", 1)]).unwrap()), 2);
}

/// A room with an unreadable row made every other room's message in the same commit fail.
#[test]
fn a_room_that_fails_takes_no_other_with_it() {
    // A commit waits 2 s for the file: if the machine stood still for so long, it is played again.
    let is_played = (0..10).any(|_| a_bad_and_a_good_room_share_a_commit());
    assert!(is_played, "the file was never free in time");
}

/// Says whether the commit could begin in time.
fn a_bad_and_a_good_room_share_a_commit() -> bool {
    let place = Place::in_a_file();
    let (bad, good) = (crate::place::room("bad"), crate::place::room("good"));
    let store = place.open(ALL);
    for name in [&bad, &good] {
        store.append_and_wait(name, &[said("x", 1)]).unwrap();
    }
    let other = Connection::open(place.path()).unwrap();
    other.execute("UPDATE rooms SET latest = -5 WHERE name = 'bad'", ()).unwrap();
    // While another program holds the file all letters wait, and then share a commit.
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writers = 20;
    let all_there = Barrier::new(writers + 1);
    let outcomes: Vec<Result<Vec<Appended>, Error>> = thread::scope(|scope| {
        let append = |n| {
            let (store, all_there) = (&store, &all_there);
            let name = if n % 2 == 0 { &bad } else { &good };
            scope.spawn(move || {
                all_there.wait();
                store.append_and_wait(name, &[said("y", 2), said("z", 2)])
            })
        };
        let threads: Vec<_> = (0..writers).map(append).collect();
        all_there.wait();
        other.execute_batch("ROLLBACK").unwrap();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    if outcomes.iter().any(|outcome| outcome.as_ref().is_err_and(|error| error.0.contains("locked"))) {
        return false;
    }
    for (n, appended) in outcomes.iter().enumerate() {
        assert_eq!(appended.is_ok(), n % 2 == 1, "{appended:?}");
    }
    assert_eq!(kept(&*store, &good), Vec::from_iter(1..=writers as u64 + 1));
    assert_eq!(store.stats().failures, writers as u64 / 2);
    other.execute("UPDATE rooms SET latest = 1 WHERE name = 'bad'", ()).unwrap();
    assert_eq!(kept(&*store, &bad), [1], "nothing of the failed batch is stored");
    assert_eq!(sequence(&store.append_and_wait(&bad, &[said("y", 3)]).unwrap()), 2);
    true
}

/// A letter that shares its commit with no other is undone with the whole transaction.
#[test]
fn a_batch_that_fails_alone_is_undone_whole() {
    let place = Place::in_a_file();
    let room = crate::place::room("bad");
    let store = place.open(ALL);
    store.append_and_wait(&room, &[said("x", 1)]).unwrap();
    let other = Connection::open(place.path()).unwrap();
    let columns = "kind, name, text, at, came, mark, previous";
    let in_the_way =
        format!("INSERT INTO messages (room, sequence, {columns}) SELECT room, 3, {columns} FROM messages");
    other.execute(&in_the_way, ()).unwrap();
    let appended = store.append_and_wait(&room, &[said("y", 2), said("z", 2)]);
    assert!(appended.is_err(), "{appended:?}");
    other.execute("DELETE FROM messages WHERE sequence = 3", ()).unwrap();
    assert_eq!(kept(&*store, &room), [1], "nothing of the failed batch is stored");
    assert_eq!(sequence(&store.append_and_wait(&room, &[said("y", 3)]).unwrap()), 2);
    assert_eq!(store.stats().failures, 1);
}

fn find_last(bytes: &[u8], needle: &[u8]) -> usize {
    let mut windows = bytes.windows(needle.len());
    windows.rposition(|window| window == needle).unwrap()
}

#[test]
fn a_file_that_another_program_locks_is_an_error_until_it_lets_go() {
    let place = Place::in_a_file();
    let lobby = RoomName::lobby();
    let store = place.open(ALL);
    store.append_and_wait(&lobby, &[said("x", 1)]).unwrap();

    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let Error(sentence) = store.append_and_wait(&lobby, &[said("y", 2)]).unwrap_err();
    assert!(sentence.contains("locked by another program"), "{sentence}");
    assert_eq!(kept(&*store, &lobby), [1], "reading goes on meanwhile");
    other.execute_batch("ROLLBACK").unwrap();

    assert_eq!(sequence(&store.append_and_wait(&lobby, &[said("z", 3)]).unwrap()), 2);
    assert_eq!(store.stats().failures, 1);
}

#[test]
fn a_read_only_file_is_refused_in_a_sentence() {
    if is_inside() {
        let path = PathBuf::from(std::env::var_os("READ_ONLY_FILE").unwrap());
        assert!(why_not(&path).contains("read-only"));
        return;
    }
    let place = Place::in_a_file();
    drop(place.open(ALL));
    let path = place.path();
    // The superuser may write whatever its permissions say, but not on a read-only mount.
    let mounted = run_again_with_mounts(
        "faults::a_read_only_file_is_refused_in_a_sentence",
        &format!(
            "mount --bind {0} {0}; mount -o remount,bind,ro {0}; READ_ONLY_FILE={0} exec \"$@\"",
            path.display()
        ),
    );
    if !mounted {
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
        assert!(why_not(&path).contains("read-only"));
    }
}

/// A disk of one megabyte is filled, first by messages, then to the last byte by another file.
#[test]
fn on_a_full_disk_nothing_is_stored_until_there_is_room() {
    const DISK: &str = "/mnt";
    if is_inside() {
        let disk = Path::new(DISK);
        let ballast = disk.join("ballast");
        fs::write(&ballast, vec![1; 400_000]).unwrap();
        fills_fails_and_recovers(&disk.join("chat.db"), &|| fs::remove_file(&ballast).unwrap());
        return;
    }
    let mounted = run_again_with_mounts(
        "faults::on_a_full_disk_nothing_is_stored_until_there_is_room",
        &format!("mount -t tmpfs -o size=1m tmpfs {DISK}; exec \"$@\""),
    );
    if !mounted {
        println!("no disk can be mounted here; the limit of a file's size stands for it below");
    }
}

/// The same by a means that every user has: a limit of the process on the size of its files.
#[test]
fn at_the_limit_of_its_size_nothing_is_stored_until_it_may_grow() {
    if is_inside() {
        let place = Place::in_a_file();
        let raise = || {
            let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
            setrlimit(Resource::Fsize, Rlimit { current: maximum, maximum }).unwrap();
        };
        fills_fails_and_recovers(&place.path(), &raise);
        return;
    }
    // The signal is ignored, so that the write fails as it does on a full disk.
    run_again(
        "faults::at_the_limit_of_its_size_nothing_is_stored_until_it_may_grow",
        "trap '' XFSZ; ulimit -S -f 600; exec \"$@\"",
    );
}

fn fills_fails_and_recovers(path: &Path, cure: &dyn Fn()) {
    let lobby = RoomName::lobby();
    let store = open(path, ALL).unwrap();
    let text = "x".repeat(3_000);
    let mut stored = 0;
    let mut failed = 0;
    // Small and large in turn, so that it fails at different places, and more than once.
    for n in 0..2_000 {
        let batch = vec![said(&text, n); 1 + n as usize % 20];
        match store.append_and_wait(&lobby, &batch) {
            Ok(_) => stored += batch.len() as u64,
            Err(Error(sentence)) => {
                assert!(sentence.contains("disk"), "{sentence}");
                failed += 1;
            }
        }
        if failed == 50 {
            break;
        }
    }
    assert_eq!(failed, 50, "it never filled up");
    assert!(stored > 20, "it was full from the start");
    assert_eq!(kept(&store, &lobby), Vec::from_iter(1..=stored));
    assert_eq!(store.stats().failures, 50);
    cure();
    for n in 1..=20 {
        let appended = store.append_and_wait(&lobby, &[said("cured", n)]).unwrap();
        assert_eq!(sequence(&appended), stored + n);
    }
    let epoch = store.epoch();
    drop(store);
    let store = open(path, ALL).unwrap();
    assert_eq!(store.epoch(), epoch);
    assert_eq!(kept(&store, &lobby), Vec::from_iter(1..=stored + 20));
}
