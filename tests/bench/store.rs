//! What the durable store costs: `cargo bench --bench store [DIRECTORY]`, about a minute.
//!
//! First it measures durable messages a second from 1, 8 and 64 publishers beside the bare fsync rate of the
//! same disk; then how long it takes to open, read and write a room of 10,000 and of 1,000,000 messages. The
//! rounds alternate, so that a noisy machine disturbs all alike. It shows medians.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use comet_chat::message::{Claim, Cursor, Draft, Kind, RoomName, SentAs, Timestamp};
use comet_chat::store::{Appended, Done, Error, Keep, SqliteStore, Store};

const PUBLISHERS: [usize; 3] = [1, 8, 64];
const SIZES: [usize; 2] = [10_000, 1_000_000];
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);
const KEEP: Keep = Keep { messages: usize::MAX, files: u64::MAX, age: None };

fn main() {
    let mut arguments = std::env::args().skip(1);
    // `cargo test --all-targets` runs this too, and needs no figures.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let place = arguments.find(|argument| !argument.starts_with("--"));
    let place = PathBuf::from(place.unwrap_or(env!("CARGO_TARGET_TMPDIR").into()));
    let place = tempfile::tempdir_in(place).expect("the directory can be written to");
    println!(
        "comet-chat {}, {} cores, in {}\n",
        env!("CARGO_PKG_VERSION"),
        thread::available_parallelism().map_or(0, usize::from),
        place.path().display()
    );
    publishing(place.path());
    println!();
    reading(place.path());
}

fn publishing(place: &Path) {
    let mut fsyncs = Vec::new();
    let mut rows = PUBLISHERS.map(|_| Vec::new());
    for round in 0..ROUNDS {
        fsyncs.push(fsyncs_a_second(&place.join("bare")));
        for (row, publishers) in rows.iter_mut().zip(PUBLISHERS) {
            row.push(publish(&place.join(format!("{round}-{publishers}")), publishers));
        }
    }
    let bare = median(fsyncs);
    println!("one thread, write 4 KiB and fsync: {bare:.0} a second\n");
    println!("publishers  durable/s  x fsync  messages a commit  p50 ms  p99 ms");
    for (row, publishers) in rows.iter().zip(PUBLISHERS) {
        let of = |figure: fn(&Published) -> f64| median(row.iter().map(figure).collect());
        let rate = of(|published| published.rate);
        println!(
            "{publishers:>10}  {rate:>9.0}  {:>7.1}  {:>17.1}  {:>6.2}  {:>6.2}",
            rate / bare,
            of(|published| published.a_commit),
            of(|published| published.p50),
            of(|published| published.p99),
        );
    }
}

struct Published {
    /// Messages a second that were on the disk when the call returned.
    rate: f64,
    a_commit: f64,
    /// In milliseconds.
    p50: f64,
    p99: f64,
}

/// Each publisher has a room of its own, and publishes the next message when the last one is durable.
fn publish(path: &Path, publishers: usize) -> Published {
    let store = SqliteStore::open(path, KEEP).expect("a new file");
    let is_over = AtomicBool::new(false);
    let publisher = |number: usize| {
        let room: RoomName = format!("room-{number}").parse().expect("a room's name");
        let mut took = Vec::new();
        while !is_over.load(Relaxed) {
            let began = Instant::now();
            store.append_and_wait(&room, &[said(took.len())]).expect("stored");
            took.push(began.elapsed().as_secs_f64() * 1e3);
        }
        took
    };
    let began = Instant::now();
    let mut took: Vec<f64> = thread::scope(|scope| {
        let publisher = &publisher;
        let threads: Vec<_> = (0..publishers).map(|number| scope.spawn(move || publisher(number))).collect();
        thread::sleep(ROUND);
        is_over.store(true, Relaxed);
        let ended = threads.into_iter().map(|thread| thread.join());
        ended.flat_map(|took| took.expect("no panic")).collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    let stats = store.stats();
    assert_eq!(stats.messages, took.len() as u64);
    took.sort_by(f64::total_cmp);
    Published {
        rate: took.len() as f64 / seconds,
        a_commit: stats.messages as f64 / stats.commits as f64,
        p50: took[took.len() / 2],
        p99: took[took.len() * 99 / 100],
    }
}

fn fsyncs_a_second(path: &Path) -> f64 {
    let file = File::create(path).expect("a new file");
    let began = Instant::now();
    let mut count = 0;
    while began.elapsed() < ROUND {
        file.write_all_at(&[1; 4096], count * 4096).expect("written");
        file.sync_all().expect("synced");
        count += 1;
    }
    count as f64 / began.elapsed().as_secs_f64()
}

fn reading(place: &Path) {
    let paths = SIZES.map(|size| place.join(size.to_string()));
    for (path, size) in paths.iter().zip(SIZES) {
        let store = SqliteStore::open(path, KEEP).expect("a new file");
        let room = RoomName::lobby();
        for first in (0..size).step_by(1_000) {
            let batch: Vec<Draft> = (first..first + 1_000).map(said).collect();
            store.append_and_wait(&room, &batch).expect("stored");
        }
    }
    let mut columns = [[const { Vec::new() }; 5], [const { Vec::new() }; 5]];
    for _ in 0..ROUNDS * 4 {
        for ((column, path), size) in columns.iter_mut().zip(&paths).zip(SIZES) {
            for (figures, figure) in column.iter_mut().zip(visit(path, size)) {
                figures.push(figure);
            }
        }
    }
    println!("median ms, messages in the room   {:>9}  {:>9}", SIZES[0], SIZES[1]);
    let names = [
        "start (open the file)",
        "newest 50, the first read",
        "history page of 50 in the middle",
        "resume, 50 behind the end",
        "append 1, durable, trimmed to size",
    ];
    for (row, name) in names.iter().enumerate() {
        let cell = |column: usize| median(columns[column][row].clone());
        println!("{name:<34}  {:>8.3}   {:>8.3}", cell(0), cell(1));
    }
}

/// The time of one visit of a fresh process in milliseconds: the store's own caches are empty.
fn visit(path: &Path, size: usize) -> [f64; 5] {
    let room = RoomName::lobby();
    let keep = Keep { messages: size, ..KEEP };
    let (opened, store) = timed(|| SqliteStore::open(path, keep).expect("our file"));
    let (newest, tail) = timed(|| store.newest(&room, 50).expect("read"));
    let latest = tail.latest.sequence;
    let middle = latest - size as u64 / 2;
    let (page, messages) = timed(|| store.before(&room, middle, 50).expect("read"));
    assert_eq!(messages.len(), 50);
    let (resume, messages) = timed(|| store.after(&room, latest - 50, 1_000).expect("read"));
    assert_eq!(messages, tail.messages);
    let say = || store.append_and_wait(&room, &[Draft { sent_as: None, ..said(0) }]).expect("stored");
    // The first message after opening makes the log anew, which is not measured here.
    say();
    let (append, appended) = timed(say);
    assert!(appended[0].stored().is_some());
    [opened, newest, page, resume, append]
}

/// An append for callers that have nothing else to do meanwhile.
trait AppendAndWait {
    fn append_and_wait(&self, room: &RoomName, drafts: &[Draft]) -> Result<Vec<Appended>, Error>;
}

impl AppendAndWait for SqliteStore {
    fn append_and_wait(&self, room: &RoomName, drafts: &[Draft]) -> Result<Vec<Appended>, Error> {
        let (done, outcome) = std::sync::mpsc::channel();
        let tell = move |outcome| done.send(outcome).expect("somebody waits");
        self.append(room, Cursor::start(self.epoch()), drafts.to_vec(), Done::new(tell));
        outcome.recv().expect("an outcome").map(|arrived| arrived.outcomes)
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let began = Instant::now();
    let result = work();
    (began.elapsed().as_secs_f64() * 1e3, result)
}

fn said(number: usize) -> Draft {
    Draft {
        kind: Kind::Message,
        name: Some("anna".parse().expect("a name")),
        claim: Claim::Nothing,
        text: format!("{number}: a line as long as people write them in a chat").into(),
        of: None,
        file: None,
        sent_as: Some(SentAs::now(format!("id-{number}").parse().expect("an id"))),
        at: Timestamp::now(),
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
