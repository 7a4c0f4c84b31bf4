//! People in a room, so that a test reads as a scene.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::client::{Connection, Reply, Request};
use crate::events::{Events, Lines};
use crate::harness::{PATIENCE, wait_until};
use crate::server::Server;

/// A room on a server.
#[derive(Clone)]
pub struct Chat {
    address: SocketAddr,
    room: String,
    /// Keeps the test's own server running as long as the room is used.
    _server: Option<Arc<Server>>,
}

impl Chat {
    /// A new room of the server at an address.
    pub fn at(address: SocketAddr) -> Chat {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // The server may have run for a long time, and other tests may use it too.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let room = format!("test-{:08x}-{count}", fastrand::u32(..));
        Chat { address, room, _server: None }
    }

    /// A new room of a server that ends with it.
    pub fn on(server: Arc<Server>) -> Chat {
        Chat { _server: Some(server.clone()), ..Chat::at(server.address()) }
    }

    /// Another room of the same server.
    pub fn room(&self, name: &str) -> Chat {
        Chat { room: name.to_owned(), ..self.clone() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.room
    }

    /// Its path on the wire, with a query (such as `?wait=1`), the rest of a path (such as `/people`) or nothing.
    pub fn path(&self, query: &str) -> String {
        let room = utf8_percent_encode(&self.room, NON_ALPHANUMERIC);
        format!("/chat/{room}{query}")
    }

    /// A request to wait in it, or to look at a part of it (such as `/people`).
    pub fn get(&self, query: &str) -> Request {
        Request::get(&self.path(query))
    }

    /// A request to publish in it.
    pub fn post(&self) -> Request {
        self.post_to("")
    }

    /// A request to publish with a query, or to do something else in it (such as `/leave`).
    pub fn post_to(&self, query: &str) -> Request {
        Request::post(&self.path(query))
    }

    /// Where its server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new connection to its server.
    #[track_caller]
    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// So many clients start to wait. Some may not be let in.
    pub fn crowd(&self, size: usize) -> Vec<Connection> {
        let get = self.get("?wait=60&after=latest");
        let comes = |_| {
            let mut connection = Connection::try_open(self.address).ok()?;
            connection.try_send(&get).ok()?;
            Some(connection)
        };
        (0..size).filter_map(comes).collect()
    }

    /// Sends one request on a connection of its own.
    #[track_caller]
    pub fn ask(&self, request: &Request) -> Reply {
        self.connect().ask(request)
    }

    /// Publishes a message, and gives the cursor after it.
    #[track_caller]
    pub fn says(&self, text: &str) -> String {
        // A long form takes a test longer to write and to read than all else.
        let request =
            if text.len() > 1_000 { self.post().text(text) } else { self.post().form(&[("message", text)]) };
        let reply = self.ask(&request).is(200);
        assert_eq!(reply.text(), "ok");
        reply.cursor()
    }

    /// Waits until a check of health goes well. A check gives up after 2 s, and on a busy machine the store may be late.
    #[track_caller]
    pub fn is_well(&self) {
        wait_until("all is well", || self.ask(&Request::get("/health")).status == 200);
    }

    /// Waits until a new client is served. When files or threads have run out, some clients may be dropped
    /// before.
    #[track_caller]
    pub fn serves_again(&self) {
        let mut patience = Duration::from_millis(500);
        wait_until("somebody new is served", || {
            let Ok(mut connection) = Connection::try_open(self.address) else { return false };
            // A client that is accepted and not served comes again, as a person would. Each time it waits longer,
            // as the machine may be slow.
            patience *= 2;
            connection.set_patience(patience);
            connection.try_ask(&self.post().text("again")).is_ok_and(|reply| reply.status == 200)
        });
    }

    /// Publishes a message when so many wait. It must be handed to them and to nobody else.
    #[track_caller]
    pub fn says_to(&self, waiters: u64, text: &str) -> String {
        self.wait_until_waiting(waiters);
        let request = self.post().form(&[("message", text)]);
        let reply = self.ask(&request.accept("application/json")).is(200);
        assert_eq!(reply.json()["delivered"], waiters);
        reply.cursor()
    }

    /// Waits until so many wait in it.
    #[track_caller]
    pub fn wait_until_waiting(&self, waiters: u64) {
        wait_until(&format!("{waiters} wait"), || self.waiting() == waiters);
    }

    /// How many wait in it.
    #[track_caller]
    pub fn waiting(&self) -> u64 {
        // The page of the list that must hold it, however many rooms other tests have.
        let (before, _) = self.room.split_at(self.room.char_indices().last().expect("a name").0);
        let path = match before {
            "" | "." | ".." => "/rooms?limit=500".to_owned(),
            _ => format!("/rooms?limit=500&after={}", utf8_percent_encode(before, NON_ALPHANUMERIC)),
        };
        let request = Request::get(&path).accept("application/json");
        let rooms = self.ask(&request).is(200).json();
        let mut rooms = rooms["rooms"].as_array().expect("a list").iter();
        let room = rooms.find(|room| room["room"] == self.room);
        // A room that is not listed has nobody in it.
        room.map_or(0, |room| room["waiting"].as_u64().expect("a count"))
    }

    /// Starts to wait, on a connection of its own.
    #[track_caller]
    pub fn waits(&self, query: &str) -> Connection {
        let mut connection = self.connect();
        connection.send(&self.get(query));
        connection
    }

    /// The room's latest cursor.
    #[track_caller]
    pub fn cursor(&self) -> String {
        self.ask(&self.get("?after=latest&wait=0")).is(204).cursor()
    }

    /// A stream of its events.
    #[track_caller]
    pub fn events(&self, query: &str, headers: &[(&str, &str)]) -> Events {
        let request =
            headers.iter().fold(self.get(query), |request, (name, value)| request.header(name, value));
        Events::open(self.address, &request)
    }

    /// A stream of what happens, as lines of JSON.
    #[track_caller]
    pub fn lines(&self, query: &str) -> Lines {
        Lines::open(self.address, &self.get(query))
    }

    /// A request to say that somebody leaves.
    pub fn leave(&self, name: &str) -> Request {
        self.post_to("/leave").form(&[("name", name)])
    }

    /// A request to say that somebody leaves unless it is seen within so many seconds.
    pub fn leave_in(&self, seconds: u32, name: &str) -> Request {
        self.post_to(&format!("/leave?wait={seconds}")).form(&[("name", name)])
    }

    /// Who is there, by name.
    #[track_caller]
    pub fn people(&self) -> Vec<String> {
        let request = self.get("/people").accept("application/json");
        let people = self.ask(&request).is(200).json();
        let names = people["people"].as_array().expect("people").iter();
        names.map(|person| person["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// The kinds of all that its history holds.
    #[track_caller]
    pub fn kinds(&self) -> Vec<String> {
        let request = self.get("/history?limit=500").accept("application/json");
        let page = self.ask(&request).is(200).json();
        let messages = page["messages"].as_array().expect("messages").iter();
        messages.map(|message| message["kind"].as_str().expect("a kind").to_owned()).collect()
    }

    /// One of the server's figures; 0 if no figure has that name.
    #[track_caller]
    pub fn figure(&self, name: &str) -> f64 {
        let figures = self.ask(&Request::get("/metrics")).is(200);
        let value = figures.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// A person who speaks.
    pub fn join(&self, name: &str) -> Person {
        Person { connection: None, chat: self.clone(), name: name.to_owned() }
    }

    /// A client that reads all that is published from now on.
    #[track_caller]
    pub fn follower(&self) -> Follower {
        self.follower_from(&self.cursor())
    }

    /// A client that reads all that is published after a cursor.
    pub fn follower_from(&self, cursor: &str) -> Follower {
        Follower {
            address: self.address,
            connection: None,
            next: self.path(&format!("?after={cursor}")),
            gap: false,
        }
    }
}

/// A person who speaks, on one connection.
pub struct Person {
    /// Opened when it is needed: the server ends a connection that says nothing for 10 s.
    connection: Option<Connection>,
    chat: Chat,
    name: String,
}

impl Person {
    /// Publishes a message, and gives the cursor after it.
    #[track_caller]
    pub fn says(&mut self, text: &str) -> String {
        let request = match text.len() > 1_000 {
            true => self.chat.post().json(json!({"name": self.name, "message": text})),
            false => self.chat.post().form(&[("name", self.name.as_str()), ("message", text)]),
        };
        let connection = self.connection.get_or_insert_with(|| self.chat.connect());
        let reply = connection.ask(&request).is(200);
        assert_eq!(reply.text(), "ok");
        reply.cursor()
    }
}

/// A client that reads on and on: it asks for what comes after the last thing that it read.
pub struct Follower {
    address: SocketAddr,
    /// Opened when it is needed.
    connection: Option<Connection>,
    next: String,
    /// Whether the last reply announced a gap.
    pub gap: bool,
}

/// What a follower read: a message that somebody spoke.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Said {
    pub id: String,
    pub name: Option<String>,
    pub text: String,
}

/// The JSON of a reply to a wait.
#[derive(serde::Deserialize)]
struct Batch {
    messages: Vec<Entry>,
    next: String,
    gap: bool,
}

#[derive(serde::Deserialize)]
struct Entry {
    id: String,
    kind: String,
    name: Option<String>,
    text: String,
}

impl Follower {
    /// Reads the next message, or several.
    #[track_caller]
    pub fn follow(&mut self) -> Vec<Said> {
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < PATIENCE, "nothing was said");
            let request = Request::get(&self.next).accept("application/json");
            let connection = self.connection.get_or_insert_with(|| Connection::open(self.address));
            let reply = connection.ask(&request);
            self.next = reply.next();
            if reply.status == 204 {
                continue;
            }
            let reply = reply.is(200);
            let batch: Batch = serde_json::from_slice(&reply.body).expect("the JSON of a wait");
            assert_eq!(batch.next, reply.cursor(), "the body and the header name different cursors");
            self.gap = batch.gap;
            assert_eq!(batch.gap, reply.header("Chat-Gap").is_some());
            let spoken = batch.messages.into_iter().filter(|m| m.kind == "message");
            let said: Vec<Said> =
                spoken.map(|entry| Said { id: entry.id, name: entry.name, text: entry.text }).collect();
            if !said.is_empty() {
                return said;
            }
        }
    }

    /// Reads until it has as many messages.
    #[track_caller]
    pub fn follow_until(&mut self, count: usize) -> Vec<Said> {
        let mut said = Vec::with_capacity(count);
        while said.len() < count {
            said.extend(self.follow());
        }
        assert_eq!(said.len(), count, "more than were published");
        said
    }

    /// The texts of the next messages.
    #[track_caller]
    pub fn hears(&mut self, count: usize) -> Vec<String> {
        let said = self.follow_until(count);
        said.into_iter().map(|said| said.text).collect()
    }
}
