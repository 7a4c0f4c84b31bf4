//! `comet-chat export` and `import`: a room as lines, from any store to any other.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use comet_chat::archive::{self, Archived};
use comet_chat::message::{Claim, Draft, Holder, Kind, RoomName, Timestamp, Upload};
use comet_chat::store::{Error, Store};

use crate::place::{ALL, AppendAndWait, Place, comings_and_goings, on_every_store, room, said};

on_every_store![
    a_room_comes_out_and_goes_in_with_its_order_and_times,
    what_was_imported_is_not_imported_twice_and_an_import_goes_on,
    a_room_that_holds_something_else_is_left_alone,
    answers_come_along_and_what_was_deleted_does_not,
];

/// A room with what makes trouble in lines.
fn a_talk() -> Vec<Draft> {
    let by = |name: &str, draft: Draft| Draft { name: Some(name.parse().unwrap()), ..draft };
    vec![
        by("anna", said("hi", 1_000)),
        said("two\nlines and \"quotes\" and \u{2028}", 2_000),
        by("Zoë 🦀", said("\u{1f980} \\ \u{7f}", 2_000)),
        said(&"long ".repeat(10_000), 1_700_000_000_042),
        Draft { file: Some(Upload::new("größe.bin", &[0, 255, 10, 13])), ..said("", 1_700_000_000_042) },
        Draft { file: Some(Upload::new("x", &large())), ..said("see", 1_700_000_000_042) },
    ]
}

/// More than a store moves at once.
fn large() -> Vec<u8> {
    (0..3_000_000_u32).map(|n| (n / 1_000) as u8).collect()
}

fn export(store: &dyn Store, room: &RoomName) -> Vec<u8> {
    let mut lines = Vec::new();
    archive::write(store, room, &mut lines).unwrap();
    lines
}

fn texts(store: &dyn Store, room: &RoomName) -> Vec<(Option<String>, Arc<str>, Timestamp)> {
    let all = store.after(room, 0, usize::MAX).unwrap();
    let said = all.iter().filter(|message| message.kind == Kind::Message);
    said.map(|message| (message.name.as_ref().map(|name| name.to_string()), message.text.clone(), message.at))
        .collect()
}

fn a_room_comes_out_and_goes_in_with_its_order_and_times(place: &Place) {
    let source = place.open(ALL);
    let (from, to) = (room("from"), room("größe"));
    source.append_and_wait(&from, &comings_and_goings(3)).unwrap();
    source.append_and_wait(&from, &a_talk()).unwrap();
    let lines = export(&*source, &from);
    let [Archived { room, said, .. }] = &archive::read(&lines[..]).unwrap()[..] else { panic!("one room") };
    // Whoever brings an archive vouches for the names in it.
    let vouched: Vec<Draft> =
        a_talk().into_iter().map(|draft| Draft { claim: Claim::Operator(None), ..draft }).collect();
    assert_eq!((room, said), (&from, &vouched));
    let moved = Archived { room: to.clone(), said: said.clone(), places: Vec::new(), rules: Vec::new() };
    assert_eq!(archive::put(&*source, &moved), Ok(6));
    assert_eq!(archive::put(&*source, &moved), Ok(0));
    assert_eq!(texts(&*source, &to), texts(&*source, &from));
    assert_eq!(source.file(&to, 5, 0..4).unwrap(), Some(vec![0, 255, 10, 13]));
    assert_eq!(source.file(&to, 6, 0..3_000_000).unwrap(), Some(large()));
    let part = source.file(&to, 6, 1_048_575..2_222_222).unwrap();
    assert!(part.is_some_and(|part| part == large()[1_048_575..2_222_222]));
    assert_eq!(source.file(&to, 4, 0..1).unwrap(), None);
    let tail = source.newest(&to, 9).unwrap();
    assert!(tail.present.is_empty() && tail.latest.sequence == 6);
}

fn what_was_imported_is_not_imported_twice_and_an_import_goes_on(place: &Place) {
    let store = place.open(ALL);
    let lobby = RoomName::lobby();
    let many: Vec<Draft> = (0..1_234).map(|n| said(&format!("number {n}"), n / 3)).collect();
    let archived = Archived { room: lobby.clone(), said: many, places: Vec::new(), rules: Vec::new() };
    // As if it was broken off.
    store.append_and_wait(&lobby, &archived.said[..700]).unwrap();
    assert_eq!(archive::put(&*store, &archived), Ok(534));
    assert_eq!(archive::put(&*store, &archived), Ok(0));
    store.append_and_wait(&lobby, &comings_and_goings(1)).unwrap();
    store.append_and_wait(&lobby, &[said("and it goes on", 5_000)]).unwrap();
    assert_eq!(archive::put(&*store, &archived), Ok(0));
    assert_eq!(texts(&*store, &lobby).len(), 1_235);
}

fn answers_come_along_and_what_was_deleted_does_not(place: &Place) {
    let store = place.open(ALL);
    let (from, to) = (room("from"), room("to"));
    let by_key =
        |text: &str, of| Draft { claim: Claim::Key(Holder::from_bytes([1; 16])), of, ..said(text, 1) };
    let says = |draft: Draft| {
        let stored = store.append_and_wait(&from, &[draft]).unwrap();
        stored[0].stored().expect("it is stored").id
    };
    let question = says(by_key("who?", None));
    let secret = says(by_key("secret", None));
    let answer = says(by_key("me", Some(question)));
    says(by_key("and me", Some(answer)));
    says(by_key("what secret?", Some(secret)));
    says(Draft { kind: Kind::Edited, ..by_key("who is it?", Some(question)) });
    says(Draft { kind: Kind::Deleted, ..by_key("", Some(secret)) });

    let rule = |kind, name: &str, text: &str| {
        let name = (!name.is_empty()).then(|| name.parse().unwrap());
        Draft { kind, name, claim: Claim::Operator(None), ..said(text, 2) }
    };
    says(rule(Kind::Locked, "", "we are closed"));
    says(rule(Kind::Muted, "bob", "600"));
    says(rule(Kind::Slowed, "", "30"));
    says(rule(Kind::Topic, "anna", "tea"));

    let archived = archive::read(&export(&*store, &from)[..]).unwrap().remove(0);
    let archived = Archived { room: to.clone(), ..archived };
    // As if it was broken off after the first.
    let first = Archived { said: archived.said[..1].to_vec(), rules: Vec::new(), ..archived.clone() };
    assert_eq!(archive::put(&*store, &first), Ok(1));
    assert_eq!(archive::put(&*store, &archived), Ok(3));
    assert_eq!(archive::put(&*store, &archived), Ok(0));
    let in_force = |room: &RoomName| {
        let rules = store.newest(room, 0).unwrap().rules;
        let mut rules: Vec<_> = rules
            .entries()
            .map(|entry| (entry.kind.as_str(), entry.text.clone(), entry.name.clone()))
            .collect();
        rules.sort();
        rules
    };
    assert_eq!((in_force(&to), in_force(&to).len()), (in_force(&from), 4));
    let moved = store.after(&to, 0, 4).unwrap();
    let told: Vec<_> = moved.iter().map(|message| (&*message.text, message.of)).collect();
    let (question, answer) = (Some(moved[0].id), Some(moved[1].id));
    assert_eq!(told, [("who is it?", None), ("me", question), ("and me", answer), ("what secret?", None)]);
}

fn a_room_that_holds_something_else_is_left_alone(place: &Place) {
    let store = place.open(ALL);
    let lobby = RoomName::lobby();
    store.append_and_wait(&lobby, &[said("mine", 1)]).unwrap();
    let Err(Error(sentence)) = archive::put(
        &*store,
        &Archived { room: lobby.clone(), said: a_talk(), places: Vec::new(), rules: Vec::new() },
    ) else {
        panic!("it was imported")
    };
    assert!(sentence.contains("lobby") && sentence.contains("--room"), "{sentence}");
    assert_eq!(texts(&*store, &lobby).len(), 1);
}

const HEAD: &str = r#"{"comet-chat":"room","version":1,"room":"lobby"}"#;
const HI: &str = r#"{"kind":"message","name":null,"text":"hi","at":"2026-11-26T12:00:00.000Z"}"#;
const END: &str = r#"{"end":"lobby","entries":1}"#;

#[test]
fn what_is_not_whole_is_refused_with_its_line() {
    let read = |lines: &[&str]| archive::read(lines.join("\n").as_bytes());
    assert_eq!(read(&[HEAD, HI, END, ""]).unwrap()[0].said.len(), 1);
    let with_file = |content: &str| {
        HI.replace(
            "\"hi\"",
            &format!("\"\",\"file\":{{\"facts\":\"text 5 - a.txt\",\"content\":\"{content}\"}}"),
        )
    };
    assert!(read(&[HEAD, &with_file("aGVsbG8="), END]).unwrap()[0].said[0].file.is_some());
    for (lines, word) in [
        (&[][..], "nothing"),
        (&[HEAD, HI], "line 2"),
        (&[HI], "line 1"),
        (&[HEAD, "{", END], "line 2"),
        (&[HEAD, "[]", END], "line 2"),
        (&[HEAD, HI, HI, END], "line 4"),
        (&[HEAD, HI, END, HEAD, HI, END], "line 4"),
        (&[HEAD, HEAD, HI, END], "line 2"),
        (&[HEAD, &HI.replace("message", "spoke"), END], "line 2"),
        (&[HEAD, &HI.replace("hi", " "), END], "line 2"),
        (&[HEAD, &HI.replace("null", "\"a\\nb\""), END], "line 2"),
        (&[HEAD, &HI.replace("2026-11-26", "yesterday"), END], "line 2"),
        (&[HEAD, &HI.replace("2026", "1826"), END], "line 2"),
        (&[&HEAD.replace("1", "3"), HI, END], "version 3"),
        (&[HEAD, &HI.replace("\"hi\"", "\"\",\"file\":{\"facts\":\"x\"}"), END], "line 2"),
        (&[HEAD, &with_file("aGVsbG9v"), END], "line 2"),
        (&[HEAD, &with_file("*"), END], "line 2"),
        (&[&HEAD.replace("lobby", "~health"), HI, END], "line 1"),
        (&[HEAD, HI, &END.replace("lobby", "other")], "line 3"),
    ] {
        let Err(Error(sentence)) = read(lines) else { panic!("{lines:?} was read") };
        assert!(sentence.contains(word), "{lines:?}: {sentence}");
    }
}

/// Starts the program, and gives it this to read.
fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_comet-chat"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended by then.
    let _ = process.stdin.take().unwrap().write_all(input);
    process.wait_with_output().unwrap()
}

#[test]
fn a_chat_moves_from_a_file_that_is_in_use_to_another() {
    let (here, there) = (Place::in_a_file(), Place::in_a_file());
    let from = format!("sqlite:{}", here.path().display());
    let to = format!("sqlite:{}", there.path().display());
    let served = here.open(ALL);
    let rooms = [room("a"), room("b")];
    for name in &rooms {
        served.append_and_wait(name, &a_talk()).unwrap();
    }
    let exported = run(&["export", "--store", &from], b"");
    assert!(exported.status.success(), "{exported:?}");
    let refused = run(&["import", "--store", &from], &exported.stdout);
    let why = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && why.contains("another comet-chat uses"), "{why}");
    let cut_off = &exported.stdout[..exported.stdout.len() - 20];
    assert_eq!(run(&["import", "--store", &to], cut_off).status.code(), Some(1));
    assert!(!there.path().exists(), "something was imported of what is not whole");
    for _ in 0..2 {
        let imported = run(&["import", "--store", &to], &exported.stdout);
        assert!(imported.status.success(), "{imported:?}");
    }
    let one = run(&["export", "--store", &from, "--room", "b"], b"");
    assert!(run(&["import", "--store", &to, "--room", "c"], &one.stdout).status.success());
    let moved = there.open(ALL);
    for name in rooms.iter().chain([&room("c")]) {
        assert_eq!(texts(&*moved, name), texts(&*served, &rooms[0]), "{name}");
    }
}
