//! The bot of `scripts/bot.sh` in two rooms, while the server is killed twice and the bot once.

use std::collections::HashMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use crate::client::{Client, Traffic};
use crate::server::Server;

const ROOMS: [&str; 2] = ["lobby", "kitchen"];
const QUESTIONS_A_ROOM: u64 = 40;
const QUESTIONS: u64 = QUESTIONS_A_ROOM * ROOMS.len() as u64;
const PATIENCE: Duration = Duration::from_secs(180);

on_every_engine![the_bot_answers_every_question_once];

fn the_bot_answers_every_question_once(engine: &'static str) {
    for program in ["curl", "jq"] {
        let version = Command::new(program).arg("--version").output();
        assert!(version.is_ok(), "the bot needs {program}");
    }
    let mut server = Server::start(engine);
    let deadline = Instant::now() + PATIENCE;
    let url = server.url();
    let mut bot = Bot::start(&url, TempDir::new().unwrap());
    let traffic = Arc::new(Traffic::default());
    wait_until(deadline, "the bot follows", || bot.note().exists());

    thread::scope(|scope| {
        for room in ROOMS {
            let client = Client::new(&url, room, deadline).counted_in(&traffic);
            scope.spawn(move || {
                for number in 0..QUESTIONS_A_ROOM {
                    client.publish(&format!("bot: ping {number}"));
                }
                client.publish("bot: ping end");
            });
        }
        let asked = |count| {
            wait_until(deadline, "more questions", || traffic.published.load(Relaxed) >= count);
        };
        asked(QUESTIONS / 4);
        server.crash();
        asked(QUESTIONS / 2);
        bot.restart();
        asked(QUESTIONS * 3 / 4);
        server.crash();
    });

    // The bot goes by each room's order, so it has answered everything when it has answered the last question.
    for room in ROOMS {
        let client = Client::new(&url, room, deadline);
        let texts = || client.read().into_iter().map(|seen| seen.text);
        wait_until(deadline, "the last answer", || texts().any(|text| text == "you: pong end"));
        let mut answers: HashMap<String, usize> = HashMap::new();
        for text in texts().filter(|text| text.starts_with("you: ")) {
            *answers.entry(text).or_default() += 1;
        }
        for number in 0..QUESTIONS_A_ROOM {
            assert_eq!(answers.remove(&format!("you: pong {number}")), Some(1), "{number} in {room}");
        }
        assert_eq!(answers.into_iter().collect::<Vec<_>>(), [("you: pong end".to_owned(), 1)]);
    }
}

/// The script with the programs that it starts. Dropping it kills them all.
struct Bot {
    url: String,
    place: TempDir,
    process: Child,
}

impl Bot {
    fn start(url: &str, place: TempDir) -> Bot {
        let process = run(url, note(&place));
        Bot { url: url.to_owned(), place, process }
    }

    /// The file in which it keeps its cursor.
    fn note(&self) -> PathBuf {
        note(&self.place)
    }

    /// `kill -9`, and a new life.
    fn restart(&mut self) {
        self.end();
        self.process = run(&self.url, self.note());
    }

    fn end(&mut self) {
        let group = Pid::from_child(&self.process);
        kill_process_group(group, Signal::KILL).ok();
        self.process.wait().ok();
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.end();
        if thread::panicking() {
            println!("The bot's note: {:?}", fs::read_to_string(self.note()));
        }
    }
}

fn note(place: &TempDir) -> PathBuf {
    place.path().join("cursor")
}

fn run(url: &str, note: PathBuf) -> Child {
    Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/bot.sh"))
        .arg(url)
        .env("ROOM", ROOMS.join(","))
        .env("NOTE", note)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap()
}

fn wait_until(deadline: Instant, what: &str, holds: impl Fn() -> bool) {
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
