//! Redis servers for tests: real ones, that can be killed, stopped and started again. Tests include this file
//! by its path.
#![allow(dead_code, reason = "each test uses a part of it")]

pub mod certificates;
pub mod proxy;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(feature = "redis")]
use comet_chat::store::{Keep, RedisSpec, RedisStore};
use tempfile::TempDir;

/// How long a server may take to start. It is far more than it needs, so that a busy machine fails no test.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends with the test's process, however that ends: then its standard input is closed.
const UNDER_A_GUARD: &str = r#""$@" </dev/null >>"$LOG" 2>&1 &
echo $!
read -r _
kill -9 $!
wait"#;

/// A Redis server of a test's own, in a directory of its own, on a port of this machine.
pub struct RedisServer {
    directory: TempDir,
    arguments: Vec<String>,
    port: u16,
    /// A second port, for TLS, if there is one.
    safe_port: Option<u16>,
    /// The shell around the server; `None` while it is dead.
    guard: Option<Child>,
    pid: u32,
}

impl RedisServer {
    /// Starts a server with these arguments, such as `["--appendonly", "yes"]`. It keeps nothing on the disk if
    /// they say nothing of that.
    pub fn start(arguments: &[&str]) -> RedisServer {
        RedisServer::begin(arguments, TempDir::new().expect("a directory for Redis"), || None)
    }

    /// The same with a second port, for TLS. It proves that it is 127.0.0.1 by a certificate of the
    /// [authority](Self::authority) in its directory.
    pub fn start_with_tls(arguments: &[&str]) -> RedisServer {
        let directory = TempDir::new().expect("a directory for Redis");
        certificates::make_authority(directory.path(), "authority");
        certificates::make(directory.path(), "authority", "server", "IP:127.0.0.1");
        let files = [
            "--tls-cert-file",
            "server.pem",
            "--tls-key-file",
            "server.key",
            "--tls-ca-cert-file",
            "authority.pem",
        ];
        let arguments: Vec<&str> = files.into_iter().chain(arguments.iter().copied()).collect();
        RedisServer::begin(&arguments, directory, || Some(free_port()))
    }

    fn begin(arguments: &[&str], directory: TempDir, safe_port: impl Fn() -> Option<u16>) -> RedisServer {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let mut server = RedisServer { directory, arguments, port: 0, safe_port: None, guard: None, pid: 0 };
        loop {
            server.safe_port = safe_port();
            // Another program may take a port meanwhile.
            if server.starts_on(free_port()) {
                return server;
            }
        }
    }

    /// One server for all tests of this process that only need keys of their own, by [`a_prefix`]. It may also be
    /// asked by TLS, and asks nobody for a certificate.
    pub fn shared() -> &'static RedisServer {
        static SHARED: OnceLock<RedisServer> = OnceLock::new();
        SHARED.get_or_init(|| RedisServer::start_with_tls(&["--tls-auth-clients", "no"]))
    }

    /// `redis://127.0.0.1:PORT`: the first database, without a password.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// The same by TLS.
    pub fn safe_url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.safe_port.expect("a server with TLS"))
    }

    /// The certificate of who vouches for it.
    pub fn authority(&self) -> PathBuf {
        self.directory().join("authority.pem")
    }

    /// The same, for another of its 16 databases.
    pub fn url_of(&self, database: u8) -> String {
        format!("{}/{database}", self.url())
    }

    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Asks it by `redis-cli`, and gives what that prints.
    pub fn ask(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(words)
            .output()
            .expect("redis-cli, of Debian's package redis-tools");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// `kill -9`. Its files stay, and its port stays free for it.
    pub fn crash(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            guard.wait().expect("the shell around Redis ends");
        }
    }

    /// Starts again after a crash, at the same address, with the same files.
    pub fn starts_again(&mut self) {
        assert!(self.starts_on(self.port), "its port was taken:\n{}", self.log());
    }

    /// Freezes it: connections stay open, and nothing is answered.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Ends a freeze.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// What it has printed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.pid.to_string()]).status();
        assert!(status.expect("kill").success(), "Redis is not there");
    }

    /// Returns when the server answers, or `false` when it could not have the port.
    fn starts_on(&mut self, port: u16) -> bool {
        let earlier = self.log().len();
        let mut guard = Command::new("sh")
            .args(["-c", UNDER_A_GUARD, "sh", "redis-server"])
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
            .arg("--dir")
            .arg(self.directory.path())
            .args(self.safe_port.iter().flat_map(|port| ["--tls-port".to_owned(), port.to_string()]))
            .args(&self.arguments)
            // The names of the certificates' files are those in its directory.
            .current_dir(self.directory.path())
            .env("LOG", self.directory.path().join("log"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        BufReader::new(guard.stdout.take().expect("a pipe")).read_line(&mut line).expect("a pid");
        self.pid = line.trim().parse().expect("a pid");
        (self.port, self.guard) = (port, Some(guard));
        let start = Instant::now();
        while !self.answers() {
            let log = self.log();
            if log[earlier..].contains("Address already in use") {
                self.crash();
                return false;
            }
            let is_missing = log.contains("redis-server: not found");
            assert!(!is_missing, "redis-server is missing: apt-get install redis-server");
            assert!(start.elapsed() < PATIENCE, "Redis does not start:\n{log}");
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Whether this very server answers: with data, or by an error such as that it wants a password.
    fn answers(&self) -> bool {
        let ask = || {
            let mut stream = TcpStream::connect(self.address())?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(b"INFO server\r\n")?;
            let mut reply = [0; 4096];
            let mut length = 0;
            while !String::from_utf8_lossy(&reply[..length]).contains("\r\nprocess_id:") {
                match stream.read(&mut reply[length..])? {
                    0 => break,
                    read => length += read,
                }
                if reply[0] == b'-' {
                    break;
                }
            }
            std::io::Result::Ok(String::from_utf8_lossy(&reply[..length]).into_owned())
        };
        let Ok(reply) = ask() else { return false };
        let is_ours = reply.contains(&format!("\r\nprocess_id:{}\r\n", self.pid));
        is_ours || reply.starts_with("-NOAUTH") || reply.starts_with("-NOPERM")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.crash();
        if thread::panicking() {
            println!("{}", self.log());
        }
    }
}

/// A prefix that no other test of this process has.
pub fn a_prefix() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Opens a store in Redis. On a busy machine Redis may not answer in time.
#[cfg(feature = "redis")]
pub fn open(spec: &RedisSpec, keep: Keep) -> RedisStore {
    let start = Instant::now();
    loop {
        match RedisStore::open(spec, keep) {
            Err(error) if error.0.contains("did not answer") && start.elapsed() < PATIENCE => {}
            opened => return opened.unwrap(),
        }
    }
}

/// A port that nobody uses. It is below those that the kernel gives to clients: so nobody takes it while the
/// server is dead, and no client that looks for the server is connected with itself.
fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(10_000..30_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
