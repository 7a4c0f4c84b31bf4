//! The program is swapped for another while clients come: nobody is refused, and nothing is lost.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

on_every_engine![
    the_program_is_swapped_while_clients_come,
    a_program_that_does_not_start_takes_nothing_over,
    the_file_of_a_unix_socket_outlives_a_swap_and_not_the_end,
];

const BINARY: &str = env!("CARGO_BIN_EXE_comet-chat");

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many speak at once, each on a new connection for each message.
const SPEAKERS: usize = 4;

/// How many messages are answered `ok` before each swap.
const BETWEEN: usize = 40;

/// A server whose program is a file of its own.
struct Server {
    place: TempDir,
    process: Child,
    /// What it says after the first line is read by nobody, but must have a place to go.
    _said: BufReader<std::process::ChildStdout>,
    said: String,
}

impl Server {
    fn start(engine: &str, listen: impl Fn(&Path) -> String) -> Server {
        let place = TempDir::new().unwrap();
        let program = place.path().join("comet-chat");
        fs::copy(BINARY, &program).unwrap();
        // Another test's fork may hold the copy open for writing for a moment: "Text file busy".
        let log = File::create(place.path().join("log")).unwrap();
        let mut command = Command::new(&program);
        command
            .args(["--engine", engine, "--listen", &listen(place.path())])
            .args(["--store", &format!("sqlite:{}", place.path().join("chat.db").display())])
            .stdout(Stdio::piped())
            .stderr(log);
        let mut process = until("it starts", || command.spawn().ok());
        let mut reader = BufReader::new(process.stdout.take().unwrap());
        let mut said = String::new();
        reader.read_line(&mut said).unwrap();
        Server { place, process, _said: reader, said }
    }

    fn address(&self) -> SocketAddr {
        let (_, rest) = self.said.split_once("http://").expect("it says where it listens");
        rest.split('/').next().unwrap().parse().unwrap()
    }

    /// Puts another program in the place of this one's, and gives its number.
    fn replace(&self, program: &Path) -> u64 {
        let new = self.place.path().join("new");
        fs::copy(program, &new).unwrap();
        // As above. Nobody has it open for writing once it could be run.
        let is_busy = || Command::new(&new).arg("--version").output().is_err_and(is_busy);
        until("it can be run", || (!is_busy()).then_some(()));
        let number = fs::metadata(&new).unwrap().ino();
        fs::rename(&new, self.place.path().join("comet-chat")).unwrap();
        number
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([format!("-{name}"), self.process.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.place.path().join("log")).unwrap()
    }

    /// Swaps the program for a copy of itself, and waits until that runs.
    fn swap(&self) {
        let number = self.replace(Path::new(BINARY));
        self.signal("USR2");
        let program = format!("/proc/{}/exe", self.process.id());
        until("the new program runs", || {
            fs::metadata(&program).ok().filter(|running| running.ino() == number)
        });
    }

    fn ends(&mut self) {
        self.signal("TERM");
        assert!(self.process.wait().unwrap().success(), "it ended with an error");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

fn is_busy(error: io::Error) -> bool {
    error.kind() == io::ErrorKind::ExecutableFileBusy
}

/// Has the others end too where a thread panics: who waits for them would wait for ever.
struct GivesUp<'a>(&'a AtomicBool);

impl Drop for GivesUp<'_> {
    fn drop(&mut self) {
        self.0.store(thread::panicking(), SeqCst);
    }
}

/// Waits until there is something.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Asks on a new connection, which must not be refused. `None` if no whole answer came.
fn ask(address: SocketAddr, request: &str) -> Option<(u16, String)> {
    let mut connection = TcpStream::connect(address).expect("nobody is refused");
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection.write_all(request.as_bytes()).ok()?;
    answer(&mut connection)
}

fn answer(connection: &mut impl Read) -> Option<(u16, String)> {
    let mut reply = String::new();
    connection.read_to_string(&mut reply).ok()?;
    let status = reply.split(' ').nth(1)?.parse().ok()?;
    let (head, body) = reply.split_once("\r\n\r\n")?;
    let length: usize = head.lines().find_map(|line| line.strip_prefix("Content-Length: "))?.parse().ok()?;
    (body.len() == length).then(|| (status, body.to_owned()))
}

/// Speaks until told to end. Each message is sent until it is answered `ok`.
fn speak(address: SocketAddr, speaker: usize, ends: [&AtomicBool; 2], ok: &Mutex<Vec<String>>) {
    for number in 0.. {
        if ends.iter().any(|ends| ends.load(SeqCst)) {
            return;
        }
        let text = format!("{speaker}-{number}");
        let request = format!(
            "POST /chat/swap HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nIdempotency-Key: {text}\r\n\
             Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        until("a message is answered ok", || ask(address, &request).filter(|(status, _)| *status == 200));
        ok.lock().unwrap().push(text);
    }
}

/// Follows until it has the last words, or the test has failed. Gives all texts.
fn follow(address: SocketAddr, mut next: String, failed: &AtomicBool) -> Vec<String> {
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last| last != "the end") && !failed.load(SeqCst) {
        let request = format!(
            "GET /chat/swap?after={next}&wait=5 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Accept: application/json\r\n\r\n"
        );
        let Some((200, body)) = ask(address, &request) else { continue };
        let reply: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(reply["gap"], false, "{body}");
        next = reply["next"].as_str().unwrap().to_owned();
        let texts = reply["messages"].as_array().unwrap().iter();
        heard.extend(texts.map(|message| message["text"].as_str().unwrap().to_owned()));
    }
    heard
}

fn the_program_is_swapped_while_clients_come(engine: &'static str) {
    let mut server = Server::start(engine, |_| "127.0.0.1:0".into());
    let address = server.address();
    let (ends, failed, ok) = (AtomicBool::new(false), AtomicBool::new(false), Mutex::default());
    thread::scope(|scope| {
        let _gives_up = GivesUp(&failed);
        let follower = scope.spawn(|| follow(address, "oldest".into(), &failed));
        let speakers: Vec<_> = (0..SPEAKERS)
            .map(|speaker| {
                scope.spawn({
                    let (ends, ok) = ([&ends, &failed], &ok);
                    move || speak(address, speaker, ends, ok)
                })
            })
            .collect();
        for swaps in 1..=3 {
            until("they speak", || (ok.lock().unwrap().len() >= swaps * BETWEEN).then_some(()));
            server.swap();
        }
        let before = ok.lock().unwrap().len();
        until("they speak", || (ok.lock().unwrap().len() >= before + BETWEEN).then_some(()));
        ends.store(true, SeqCst);
        speakers.into_iter().for_each(|speaker| speaker.join().unwrap());
        let end = "POST /chat/swap HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                   Content-Type: text/plain\r\nContent-Length: 7\r\n\r\nthe end";
        assert_eq!(ask(address, end).expect("an answer").0, 200);
        let heard = follower.join().unwrap();
        let once: HashSet<&String> = heard.iter().collect();
        assert_eq!(once.len(), heard.len(), "something was heard twice");
        let ok = ok.lock().unwrap();
        assert!(ok.iter().all(|text| once.contains(text)), "what was answered ok was heard");
        assert_eq!(ok.len() + 1, heard.len(), "what was heard was answered ok");
    });
    server.ends();
    TcpStream::connect(address).expect_err("at the end nobody listens");
}

fn a_program_that_does_not_start_takes_nothing_over(engine: &'static str) {
    let mut server = Server::start(engine, |_| "127.0.0.1:0".into());
    let text = server.place.path().join("text");
    fs::write(&text, "this is no program").unwrap();
    server.replace(&text);
    server.signal("USR2");
    until("it says so", || server.log().contains("no upgrade").then_some(()));
    let request = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(ask(server.address(), request).expect("it goes on").0, 200);
    server.ends();
}

fn the_file_of_a_unix_socket_outlives_a_swap_and_not_the_end(engine: &'static str) {
    let mut server = Server::start(engine, |place| format!("unix:{}", place.join("chat.sock").display()));
    let path = server.place.path().join("chat.sock");
    server.swap();
    let alive = || {
        let mut connection = UnixStream::connect(&path).expect("nobody is refused");
        let request = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        connection.write_all(request.as_bytes()).ok()?;
        answer(&mut connection).filter(|(status, _)| *status == 200)
    };
    until("it answers by the socket", alive);
    server.ends();
    assert!(!path.exists(), "the file is gone");
}
