//! A proxy before a Redis server, which loses an answer or cuts the way.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Relays connections to a server.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    is_cut: bool,
    /// The answer to the next request that holds these bytes is lost, and its connection with it.
    doomed: Option<Vec<u8>>,
    /// How many answers were lost.
    lost: usize,
    connections: Vec<TcpStream>,
}

impl Proxy {
    /// A proxy on a port of its own. Its threads end with the test's process.
    pub fn before(server: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::<Mutex<State>>::default();
        let relaying = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut now = relaying.lock().expect("a state");
                let Some(upstream) = (!now.is_cut).then(|| TcpStream::connect(server).ok()).flatten() else {
                    continue;
                };
                let clone = |stream: &TcpStream| stream.try_clone().expect("a connection");
                now.connections.extend([clone(&client), clone(&upstream)]);
                drop(now);
                let (back, to_client) = (clone(&upstream), clone(&client));
                let state = relaying.clone();
                thread::spawn(move || relay_requests(&state, &client, &upstream));
                thread::spawn(move || relay(&back, &to_client));
            }
        });
        Proxy { address, state }
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Lets the next request that holds these bytes reach the server, and loses the answer.
    pub fn lose_answer_to(&self, request: &str) {
        self.state.lock().expect("a state").doomed = Some(request.into());
    }

    /// How many answers were lost.
    pub fn lost(&self) -> usize {
        self.state.lock().expect("a state").lost
    }

    /// Ends all connections, and lets nobody through.
    pub fn cut(&self) {
        let mut state = self.state.lock().expect("a state");
        state.is_cut = true;
        for stream in state.connections.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub fn mend(&self) {
        self.state.lock().expect("a state").is_cut = false;
    }
}

/// Relays requests, and looks for the one whose answer is to be lost.
fn relay_requests(state: &Mutex<State>, mut client: &TcpStream, mut upstream: &TcpStream) {
    let mut seen = Vec::new();
    let mut buffer = [0; 65_536];
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..read]);
        let mut now = state.lock().expect("a state");
        let is_doomed = |wanted: &Vec<u8>| seen.windows(wanted.len()).any(|some| some == *wanted);
        if now.doomed.take_if(|wanted| is_doomed(wanted)).is_some() {
            now.lost += 1;
            // The client sees its connection end before the server has the request, so no answer comes through.
            let _ = client.shutdown(Shutdown::Both);
            drop(now);
            let _ = upstream.write_all(&buffer[..read]);
            // The server carries it out before it sees the end.
            let _ = upstream.shutdown(Shutdown::Write);
            return;
        }
        drop(now);
        if upstream.write_all(&buffer[..read]).is_err() {
            break;
        }
        let kept = seen.len().min(1_000);
        seen.drain(..seen.len() - kept);
    }
    let _ = upstream.shutdown(Shutdown::Both);
}

fn relay(mut from: &TcpStream, mut to: &TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}
