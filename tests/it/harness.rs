//! What a test is given to run on.

use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::chat::Chat;
use crate::server::Server;

/// How long anything may take before a test gives up. It is far more than anything needs, so that a busy
/// machine fails no test. And it is less than the longest wait of the wire, so that a test notices an answer
/// that came only because a wait had ended.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Held for reading by tests that run beside others, for writing by tests that run alone.
static MACHINE: RwLock<()> = RwLock::new(());

/// One combination of what the server is built from.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// The value of `--engine`.
    pub engine: &'static str,
    /// The value of `--store`, where `{dir}` stands for a directory of the server's own. `redis:` stands for the
    /// Redis of this test run.
    pub store: &'static str,
}

/// What a test asks for by the type of its argument.
pub trait Stage: Sized {
    /// Whether no other test may run meanwhile.
    const ALONE: bool = false;

    /// What the test gets, unless it needs a process and a server was given from outside.
    fn set(setup: Setup, given: Option<SocketAddr>) -> Option<Self>;
}

/// Runs one test on one setup.
pub fn run<S: Stage>(setup: Setup, test: fn(S)) {
    // A test that failed while it held the lock has left nothing behind: the lock guards no data.
    let _beside = (!S::ALONE).then(|| MACHINE.read().unwrap_or_else(|e| e.into_inner()));
    let _alone = S::ALONE.then(|| MACHINE.write().unwrap_or_else(|e| e.into_inner()));
    match S::set(setup, given_address()) {
        Some(stage) => test(stage),
        None => left_out("it needs a server process of its own"),
    }
}

/// Says that this test, or the rest of it, does not run.
pub fn left_out(why: &str) {
    let name = thread::current().name().unwrap_or("a test").to_owned();
    // The test runner hides what `eprintln!` prints in a test that passes.
    let _ = writeln!(std::io::stderr(), "{name}: left out, {why}");
}

/// A room of its own, on a server of the setup or on the one that was given.
impl Stage for Chat {
    fn set(setup: Setup, given: Option<SocketAddr>) -> Option<Chat> {
        Some(match given {
            Some(address) => Chat::at(address),
            None => Chat::on(Arc::new(Launch::of(setup).start())),
        })
    }
}

/// A server process that the test starts as it likes.
pub struct Launch {
    pub(crate) setup: Setup,
    /// What a shell does before the start.
    pub(crate) before: Vec<String>,
    pub(crate) flags: Vec<String>,
    /// The user of the process, if it is not ours.
    pub(crate) user: Option<u32>,
    /// Variables of its environment.
    pub(crate) variables: Vec<(String, String)>,
    /// A socket that is handed over.
    pub(crate) socket: Option<Arc<OwnedFd>>,
    /// Where it stores what it keeps, if another one goes on with that.
    pub(crate) home: Option<Arc<tempfile::TempDir>>,
}

impl Launch {
    fn of(setup: Setup) -> Launch {
        Launch {
            setup,
            before: Vec::new(),
            flags: Vec::new(),
            user: None,
            variables: Vec::new(),
            socket: None,
            home: None,
        }
    }

    /// The same once more, for a test that starts several.
    pub fn again(&self) -> Launch {
        let Launch { setup, before, flags, user, variables, socket, home } = self;
        Launch {
            setup: *setup,
            before: before.clone(),
            flags: flags.clone(),
            user: *user,
            variables: variables.clone(),
            socket: socket.clone(),
            home: home.clone(),
        }
    }

    /// What it stores is there for the next one that is started [again](Launch::again), unless it is in memory only.
    pub fn with_a_home(mut self) -> Launch {
        self.home = Some(crate::server::a_home());
        self
    }

    /// Gives the process no more than this many file descriptors, by `ulimit -n`.
    pub fn with_open_files(mut self, limit: u32) -> Launch {
        self.before.push(format!("ulimit -n {limit}"));
        self
    }

    /// Gives the process no more address space than this, in KiB, by `ulimit -v`.
    pub fn with_address_space(mut self, limit: u64) -> Launch {
        self.before.push(format!("ulimit -v {limit}"));
        self
    }

    /// Gives the process no more threads than this, by `ulimit -p`; `None` where that can't be done. The
    /// limit counts all processes of a user and does not hold for root. So root runs the process as a user
    /// without others.
    pub fn with_threads(mut self, limit: u32) -> Option<Launch> {
        if !rustix::process::getuid().is_root() {
            left_out("it needs root, to be a user without other processes");
            return None;
        }
        self.user = Some(fastrand::u32(62_000..65_000));
        self.before.push(format!("ulimit -S -p {limit}"));
        Some(self)
    }

    /// Gives the process one core, the first that we may have.
    pub fn on_one_core(mut self) -> Launch {
        let first = "taskset -cp $$ | sed 's/.*: //; s/[,-].*//'";
        self.before.push(format!("taskset -cp \"$({first})\" $$ >/dev/null"));
        self
    }

    /// Adds a flag to the command line.
    pub fn with_flag(mut self, flag: &str, value: &str) -> Launch {
        self.flags.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// Sets a variable of its environment.
    pub fn with_variable(mut self, name: &str, value: &str) -> Launch {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Hands over a socket, as systemd does.
    pub fn with_socket(mut self, socket: OwnedFd) -> Launch {
        self.socket = Some(Arc::new(socket));
        self
    }

    /// Starts it, expects it to end at once without having served, and returns its reason.
    pub fn refuses(self) -> String {
        Server::refused(self)
    }

    /// Starts it with a flag that it does not understand, and returns what it says of that.
    pub fn misused(self) -> String {
        Server::misused(self)
    }

    /// Starts it and waits for its address.
    pub fn start(self) -> Server {
        Server::start(self)
    }

    /// Plays a scene in which a signal ends the server. If it fails when the time was over that a stopping server gives
    /// to what is in flight, the machine was too busy, and it is played again with another server.
    #[track_caller]
    pub fn ends_in_time(&self, scene: impl Fn(&mut Server) -> io::Result<()>) {
        wait_until("the server ends in time", || {
            let mut server = self.again().start();
            match scene(&mut server) {
                Ok(()) => true,
                Err(_) if server.has_drained() => false,
                Err(error) => panic!("{error}"),
            }
        });
    }
}

impl Stage for Launch {
    fn set(setup: Setup, given: Option<SocketAddr>) -> Option<Launch> {
        given.is_none().then(|| Launch::of(setup))
    }
}

/// A server process of the test's own while no other test runs: for crowds, and for measures of time.
pub struct Alone(pub Launch);

impl Stage for Alone {
    const ALONE: bool = true;

    fn set(setup: Setup, given: Option<SocketAddr>) -> Option<Alone> {
        Launch::set(setup, given).map(Alone)
    }
}

/// The pause before a test looks again. It grows with the wait: most conditions ask a server, which has others to serve.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until the condition holds, and fails the test if it does not within [`PATIENCE`].
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::sleep(LOOK.max(start.elapsed() / 20));
    }
}

/// Raises this process's own limit of open files, for tests that are a crowd of clients.
#[track_caller]
pub fn make_room_for(connections: u64) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("the limit of open files");
    let limit = maximum.unwrap_or(u64::MAX);
    assert!(
        limit > connections + 100,
        "this test opens {connections} connections and may open {limit} files: raise `ulimit -Hn`"
    );
}

/// A random generator whose seed is printed. `SEED` repeats it.
pub fn repeatable() -> fastrand::Rng {
    fastrand::Rng::with_seed(seed())
}

/// The seed of this run.
pub fn seed() -> u64 {
    let seed = match std::env::var("SEED") {
        Ok(seed) => seed.parse().expect("SEED is a number"),
        Err(_) => fastrand::u64(..),
    };
    println!("repeat this with SEED={seed}");
    seed
}

/// The number of rounds of a random test: this many, or `TIMES` as many.
pub fn times(rounds: usize) -> usize {
    let times = std::env::var("TIMES").map_or(1, |times| times.parse().expect("TIMES is a number"));
    rounds * times
}

/// The server that `COMET_CHAT_URL` names, if it is set.
fn given_address() -> Option<SocketAddr> {
    let url = std::env::var("COMET_CHAT_URL").ok()?;
    let authority = url
        .strip_prefix("http://")
        .unwrap_or_else(|| panic!("COMET_CHAT_URL is {url}, not http://HOST:PORT"))
        .trim_end_matches('/');
    let address =
        authority.to_socket_addrs().unwrap_or_else(|error| panic!("COMET_CHAT_URL is {url}: {error}")).next();
    Some(address.unwrap_or_else(|| panic!("COMET_CHAT_URL is {url}, which has no address")))
}
