//! A server process of a test's own: it starts on a free port, is watched from outside and is killed at the
//! end.

#[cfg(feature = "lesson")]
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use comet_chat::config::DRAIN;

use crate::chat::Chat;
use crate::client::Connection;
use crate::harness::{Launch, PATIENCE, wait_until};

/// A running server. Dropping it kills the process.
pub struct Server {
    process: Child,
    address: SocketAddr,
    /// Everything that it printed, for the reader of a failed test.
    printed: Arc<Mutex<String>>,
    /// Its working directory, with what it stores.
    directory: Arc<tempfile::TempDir>,
    user: Option<u32>,
    /// When it was told first to end.
    told: OnceLock<Instant>,
}

/// How many threads a pool may keep for the next clients.
const SPARE_THREADS: usize = 8;

/// How many files a store may keep open for the next readers.
const SPARE_FILES: usize = 16;

/// What a process holds of the machine.
#[derive(Debug, Clone, Copy)]
pub struct Footprint {
    pub threads: usize,
    pub open_files: usize,
}

impl Server {
    /// Starts the binary and waits until it has printed its address.
    pub fn start(launch: Launch) -> Server {
        let directory = launch.home.clone().unwrap_or_else(a_home);
        let user = launch.user;
        let mut process = command(&launch, directory.path()).spawn().expect("the server starts");

        let printed = Arc::new(Mutex::new(String::new()));
        let (found, addresses) = mpsc::channel();
        let stdout = process.stdout.take().expect("stdout is piped");
        let stderr = process.stderr.take().expect("stderr is piped");
        collect(stdout, printed.clone(), move |line| {
            if let Some(address) = address_in(line) {
                // Only the first address is awaited.
                let _ = found.send(address);
            }
        });
        collect(stderr, printed.clone(), |_| ());
        let Ok(address) = addresses.recv_timeout(PATIENCE) else {
            let _ = process.kill();
            let _ = process.wait();
            panic!("no address printed:\n{}", printed.lock().unwrap());
        };
        Server { process, address, printed, directory, user, told: OnceLock::new() }
    }

    /// Starts the binary, which must give up before it has printed an address. Returns its reason.
    pub fn refused(launch: Launch) -> String {
        Server::ended(launch, 1)
    }

    /// Starts the binary, which must not understand its command line. Returns what it says.
    pub fn misused(launch: Launch) -> String {
        Server::ended(launch, 2)
    }

    fn ended(launch: Launch, code: i32) -> String {
        let directory = tempfile::tempdir().expect("a directory for the server");
        let ended = command(&launch, directory.path()).output().expect("the server starts");
        assert_eq!(ended.status.code(), Some(code), "{ended:?}");
        assert!(ended.stdout.is_empty(), "{ended:?}");
        String::from_utf8(ended.stderr).expect("a sentence")
    }

    /// A room of its own on this server.
    pub fn chat(&self) -> Chat {
        Chat::at(self.address)
    }

    /// A new connection to it.
    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All addresses at which it says that it listens.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        wait_until("the greeting is whole", || self.lines_with("Try it") == 1);
        let printed = self.printed.lock().unwrap();
        printed.lines().take_while(|line| !line.contains("Try it")).filter_map(address_in).collect()
    }

    /// The IPv4 addresses at which it listens, as the kernel says.
    pub fn listens_at(&self) -> Vec<SocketAddr> {
        let of = |name: &str| format!("/proc/{}/{name}", self.process.id());
        let files = fs::read_dir(of("fd")).expect("the server's files").flatten();
        let own: Vec<String> = files
            .filter_map(|file| fs::read_link(file.path()).ok())
            .filter_map(|name| Some(name.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
            .collect();
        let table = fs::read_to_string(of("net/tcp")).expect("the kernel's table");
        let listening = table.lines().skip(1).filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // 0A is LISTEN.
            (fields[3] == "0A" && own.iter().any(|inode| inode == fields[9])).then(|| fields[1].to_owned())
        });
        let address = |text: String| {
            let (ip, port) = text.split_once(':').expect("an address and a port");
            let ip = u32::from_str_radix(ip, 16).expect("an address").to_ne_bytes();
            SocketAddr::from((ip, u16::from_str_radix(port, 16).expect("a port")))
        };
        listening.map(address).collect()
    }

    /// How many of its printed lines hold these words.
    pub fn lines_with(&self, words: &str) -> usize {
        self.printed.lock().unwrap().lines().filter(|line| line.contains(words)).count()
    }

    /// Lowers the process's limit of open files below its count, or sets another limit.
    #[cfg(feature = "async")]
    pub fn limit_open_files(&self, limit: u64) {
        self.limit("nofile", limit);
    }

    /// Lowers the process's limit of threads below its count, or sets another limit.
    pub fn limit_threads(&self, limit: u64) {
        self.limit("nproc", limit);
    }

    fn limit(&self, what: &str, limit: u64) {
        let mut command = Command::new("prlimit");
        command.arg(format!("--pid={}", self.process.id())).arg(format!("--{what}={limit}:"));
        // To limit another user's process takes a capability that root may not have.
        if let Some(user) = self.user {
            command.uid(user);
        }
        assert!(command.status().expect("prlimit runs").success(), "prlimit failed");
    }

    /// Sends it a signal: `TERM`, `INT`.
    pub fn signal(&self, name: &str) {
        if name != "HUP" {
            self.told.get_or_init(Instant::now);
        }
        let status = Command::new("kill")
            .args([format!("-{name}"), self.process.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success(), "kill -{name} failed");
    }

    /// Whether it may have given up what was in flight when a signal ended it.
    pub fn has_drained(&self) -> bool {
        self.told.get().is_some_and(|told| told.elapsed() >= DRAIN)
    }

    /// Waits until the process has ended by itself.
    pub fn exits(&mut self) -> ExitStatus {
        let mut ended = None;
        wait_until("the server ends", || {
            ended = self.process.try_wait().expect("the server's status");
            ended.is_some()
        });
        ended.expect("it has ended")
    }

    /// The names of the files in its working directory.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).expect("the server's directory");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    /// What the process holds now.
    pub fn footprint(&self) -> Footprint {
        Footprint { threads: self.entries("task"), open_files: self.entries("fd") }
    }

    /// What the process holds when the room has been used and there is nothing left to do.
    pub fn footprint_at_rest(&self, chat: &Chat) -> Footprint {
        chat.says("anybody here?");
        chat.cursor();
        self.comes_to_rest();
        self.footprint()
    }

    /// Waits until it holds no more than before, or little more, since pools keep some threads and files for
    /// the next clients. If each client left something behind, that would be more: send fifty, or more.
    #[track_caller]
    pub fn shrinks_to(&self, before: Footprint) {
        wait_until(&format!("the server holds no more than {before:?}"), || {
            let now = self.footprint();
            now.threads <= before.threads + SPARE_THREADS && now.open_files <= before.open_files + SPARE_FILES
        });
    }

    /// Waits until the process has used next to no processor time for a while.
    pub fn comes_to_rest(&self) {
        let window = Duration::from_millis(200);
        let mut since = Instant::now();
        let mut ticks = self.processor_ticks();
        wait_until("the server has nothing left to do", || {
            if since.elapsed() < window {
                return false;
            }
            let now = self.processor_ticks();
            let rests = now - ticks <= 1;
            (since, ticks) = (Instant::now(), now);
            rests
        });
    }

    /// The memory that the process has in use, in KiB.
    pub fn resident_kib(&self) -> u64 {
        self.status_kib("VmRSS:")
    }

    /// The most memory that the process ever had in use, in KiB.
    pub fn peak_kib(&self) -> u64 {
        self.status_kib("VmHWM:")
    }

    fn status_kib(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(&path).expect("the server's /proc entry");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        number.expect("a size in kB").parse().expect("a number")
    }

    fn entries(&self, directory: &str) -> usize {
        let path = format!("/proc/{}/{directory}", self.process.id());
        // If there is nothing to read, the process has ended and holds nothing.
        fs::read_dir(path).map_or(0, Iterator::count)
    }

    /// Processor time so far, of user and system, in ticks of 10 ms.
    fn processor_ticks(&self) -> u64 {
        let path = format!("/proc/{}/stat", self.process.id());
        let stat = fs::read_to_string(&path).expect("the server's /proc entry");
        // The name stands in brackets and may hold spaces; utime and stime are fields 14 and 15.
        let after_name = stat.rsplit_once(") ").expect("a name in brackets").1;
        let fields: Vec<&str> = after_name.split(' ').collect();
        let number = |index: usize| fields[index].parse::<u64>().expect("a number of ticks");
        number(11) + number(12)
    }
}

/// What a lesson changes, as the kernel says.
#[cfg(feature = "lesson")]
impl Server {
    fn of_threads<T>(&self, read: impl Fn(&Path) -> Option<T>) -> Vec<T> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("the server's threads");
        tasks.filter_map(|task| read(&task.ok()?.path())).collect()
    }

    /// How many of its threads have names that begin with this word.
    pub fn threads_named(&self, word: &str) -> usize {
        let names = self.of_threads(|thread| fs::read_to_string(thread.join("comm")).ok());
        names.iter().filter(|name| name.starts_with(word)).count()
    }

    /// On which processors its threads may run: each answer once.
    pub fn cores(&self) -> BTreeSet<String> {
        let allowed = |thread: &Path| {
            let status = fs::read_to_string(thread.join("status")).ok()?;
            // The thread that starts the crowd leaves it where it is.
            let is_pinned = !status.starts_with("Name:\tstagehand");
            let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:\t"));
            list.filter(|_| is_pinned).map(str::to_owned)
        };
        self.of_threads(allowed).into_iter().collect()
    }

    /// Its limit of open files.
    pub fn limits(&self) -> String {
        let limits = fs::read_to_string(format!("/proc/{}/limits", self.process.id())).expect("its limits");
        limits.lines().find(|line| line.starts_with("Max open files")).expect("the limit").to_owned()
    }

    /// The processes that it has started.
    pub fn children(&self) -> Vec<u32> {
        let children = self.of_threads(|thread| fs::read_to_string(thread.join("children")).ok());
        children.iter().flat_map(|line| line.split_whitespace()).filter_map(|id| id.parse().ok()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let footprint = self.footprint();
        // It fails only if the process has ended already.
        let _ = self.process.kill();
        let ended = self.process.wait();
        if thread::panicking()
            && let Ok(printed) = self.printed.lock()
        {
            let lines: Vec<&str> = printed.lines().collect();
            let last = lines[lines.len().saturating_sub(50)..].join("\n");
            eprintln!("The server held {footprint:?}, ended with {ended:?} and printed at last:\n{last}");
        }
    }
}

const BINARY: &str = env!("CARGO_BIN_EXE_comet-chat");

/// A copy of the binary in a directory of this user's, who may not read ours.
fn own_binary(directory: &Path, user: u32) -> PathBuf {
    let copy = directory.join("comet-chat");
    // By another process: a file that this one has open for writing stands open in what other tests start, for a
    // moment, and can't be executed then.
    let copied = Command::new("cp").arg(BINARY).arg(&copy).status().expect("cp runs");
    assert!(copied.success(), "the binary is not copied");
    chown(directory, Some(user), None).expect("root gives a directory away");
    chown(&copy, Some(user), None).expect("root gives a file away");
    copy
}

/// The command that starts the binary in this directory.
fn command(launch: &Launch, directory: &Path) -> Command {
    let binary = &match launch.user {
        Some(user) => own_binary(directory, user),
        None => BINARY.into(),
    };
    let mut command = if launch.before.is_empty() && launch.socket.is_none() {
        Command::new(binary)
    } else {
        let mut shell = Command::new("sh");
        let mut before: String = launch.before.iter().map(|command| format!("{command}; ")).collect();
        if launch.socket.is_some() {
            // It comes as standard input. systemd begins with the descriptor 3.
            before += "exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; ";
        }
        // `exec` keeps the process id, so the test watches and kills the server itself.
        shell.args(["-c", &format!("{before}exec \"$0\" \"$@\"")]).arg(binary);
        shell
    };
    if let Some(user) = launch.user {
        command.uid(user);
    }
    command
        .args(["--listen", "127.0.0.1:0"])
        .args(["--engine", launch.setup.engine])
        .args(store(launch.setup.store, directory))
        .args(&launch.flags)
        .envs(launch.variables.iter().map(|(name, value)| (name, value)))
        .current_dir(directory)
        .stdin(
            launch
                .socket
                .as_ref()
                .map_or_else(Stdio::null, |socket| socket.try_clone().expect("a copy of the socket").into()),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A directory of its own for a server.
pub fn a_home() -> Arc<tempfile::TempDir> {
    Arc::new(tempfile::tempdir().expect("a directory for the server"))
}

/// The flags that name the store. The keys in Redis have the name of the directory.
fn store(store: &str, directory: &Path) -> Vec<String> {
    #[cfg(feature = "redis")]
    if store == "redis:" {
        let url = crate::redis::RedisServer::shared().url();
        let prefix = directory.file_name().expect("a name").to_string_lossy().into_owned();
        return vec!["--store".into(), url, "--redis-prefix".into(), format!("test{prefix}")];
    }
    vec!["--store".into(), store.replace("{dir}", &directory.to_string_lossy())]
}

/// Reads lines as long as the process lives, so that the process never blocks on a full pipe.
fn collect(
    pipe: impl Read + Send + 'static,
    printed: Arc<Mutex<String>>,
    mut seen: impl FnMut(&str) + Send + 'static,
) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            seen(&line);
            let mut printed = printed.lock().unwrap();
            printed.push_str(&line);
            printed.push('\n');
        }
    });
}

/// The `ADDR:PORT` of the first `http://ADDR:PORT` in a line. A server that only has a path has no address.
fn address_in(line: &str) -> Option<SocketAddr> {
    if line.starts_with("comet-chat: open unix:") {
        return Some((Ipv4Addr::UNSPECIFIED, 0).into());
    }
    let (_, url) = line.split_once("http://")?;
    url.split('/').next()?.trim().parse().ok()
}
