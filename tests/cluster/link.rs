//! The network between one instance and Redis, which a test cuts, mends and leads elsewhere.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// Passes bytes on, both ways. Its threads end with their connections, or with the test's process.
pub struct Link {
    address: SocketAddr,
    line: Arc<Line>,
}

struct Line {
    state: Mutex<State>,
    mended: Condvar,
}

struct State {
    /// The address of Redis.
    upstream: SocketAddr,
    /// Nothing passes, and nobody is told so. What was on its way arrives when the line is mended.
    is_cut: bool,
    /// Notices vanish.
    is_deaf: bool,
    /// How many pieces of notices have vanished.
    swallowed: usize,
    /// Both ends of every connection.
    ends: Vec<TcpStream>,
}

impl Link {
    pub fn to(upstream: SocketAddr) -> Link {
        let state = State { upstream, is_cut: false, is_deaf: false, swallowed: 0, ends: Vec::new() };
        let line = Arc::new(Line { state: Mutex::new(state), mended: Condvar::new() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let listening = line.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (line, client) = (listening.clone(), client.unwrap());
                thread::spawn(move || line.connects(client));
            }
        });
        Link { address, line }
    }

    /// What an instance is given as its store.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Cuts it as a network is cut: connections stay, and nothing passes.
    pub fn cut(&self) {
        self.line.state().is_cut = true;
    }

    /// Ends a cut.
    pub fn mend(&self) {
        self.line.state().is_cut = false;
        self.line.mended.notify_all();
    }

    /// Closes all connections. New ones may come.
    pub fn reset(&self) {
        for end in self.line.state().ends.drain(..) {
            // It may be closed already.
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Leads new connections to another server.
    pub fn lead_to(&self, upstream: SocketAddr) {
        self.line.state().upstream = upstream;
    }

    /// Swallows all notices from now on.
    pub fn swallow_notices(&self) {
        self.line.state().is_deaf = true;
    }

    /// How many notices have vanished.
    pub fn swallowed(&self) -> usize {
        self.line.state().swallowed
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Waits until the line is whole.
    fn whole(&self) -> MutexGuard<'_, State> {
        self.mended.wait_while(self.state(), |state| state.is_cut).unwrap()
    }

    fn connects(self: Arc<Line>, client: TcpStream) {
        let upstream = self.whole().upstream;
        // A client whose server is away is closed.
        let Ok(server) = TcpStream::connect(upstream) else { return };
        let copy = |stream: &TcpStream| stream.try_clone().unwrap();
        {
            let mut state = self.state();
            state.ends.retain(|end| end.peer_addr().is_ok());
            state.ends.extend([copy(&client), copy(&server)]);
        }
        let (line, from, to) = (self.clone(), copy(&client), copy(&server));
        let subscribed = Arc::new(Mutex::new(false));
        let subscribing = subscribed.clone();
        let requests = thread::spawn(move || {
            line.pass(&from, &to, |bytes| {
                let is_short = bytes.len() < 512;
                *subscribing.lock().unwrap() |= is_short && has(&bytes.to_ascii_uppercase(), b"SUBSCRIBE");
                true
            });
        });
        let line = self.clone();
        self.pass(&server, &client, |bytes| {
            let is_notice = *subscribed.lock().unwrap() && has(bytes, b"\r\nmessage\r\n");
            let mut state = line.state();
            let vanishes = is_notice && state.is_deaf;
            state.swallowed += usize::from(vanishes);
            !vanishes
        });
        requests.join().unwrap();
    }

    /// Passes on what the test lets pass, until one end is closed. Then it closes the other.
    fn pass(&self, mut from: &TcpStream, mut to: &TcpStream, mut passes: impl FnMut(&[u8]) -> bool) {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            drop(self.whole());
            if passes(&bytes[..length]) && to.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        for end in [from, to] {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
