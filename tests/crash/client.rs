//! Clients that do what the design asks of them: they send again under the same id, and resume by cursor. One of
//! several servers asks the next one each time.
#![allow(dead_code, reason = "tests/crash and tests/cluster each use a part of it")]

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::Agent;
use ureq::http::Response;

use crate::checker::Seen;

/// The pause before a client without an answer asks again.
const PAUSE: Duration = Duration::from_millis(10);

/// One client of one room.
pub struct Client {
    agent: Agent,
    /// The room at each server.
    room_urls: Vec<String>,
    /// How many requests it has sent.
    asked: AtomicUsize,
    /// The time at which everything should long be over.
    deadline: Instant,
    /// How long it takes at most to read a reply.
    leisure: Duration,
    /// What it has met, which other clients may share.
    pub traffic: Arc<Traffic>,
}

/// What clients have met.
#[derive(Default)]
pub struct Traffic {
    /// Messages that were answered `ok`.
    pub published: AtomicU64,
    /// Requests that had to be sent again.
    pub retries: AtomicU64,
}

impl Client {
    pub fn new(server_url: &str, room: &str, deadline: Instant) -> Client {
        Client::of(&[server_url.to_owned()], room, deadline)
    }

    /// A client that sends each request to the next server. Begins with the first.
    pub fn of(server_urls: &[String], room: &str, deadline: Instant) -> Client {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            .build();
        Client {
            agent: config.new_agent(),
            room_urls: server_urls.iter().map(|server_url| format!("{server_url}/chat/{room}")).collect(),
            asked: AtomicUsize::new(0),
            deadline,
            leisure: Duration::ZERO,
            traffic: Arc::default(),
        }
    }

    /// Counts what it meets together with other clients.
    pub fn counted_in(self, traffic: &Arc<Traffic>) -> Client {
        Client { traffic: traffic.clone(), ..self }
    }

    /// A client that takes its time, at random, before it asks on.
    pub fn at_leisure(self, leisure: Duration) -> Client {
        Client { leisure, ..self }
    }

    /// Takes the time to read a reply.
    pub fn reads_on(&self) {
        if !self.leisure.is_zero() {
            thread::sleep(self.leisure.mul_f32(fastrand::f32()));
        }
    }

    /// Whether it goes to another server with each request.
    pub fn hops(&self) -> bool {
        self.room_urls.len() > 1
    }

    /// Publishes once, whatever the answer.
    pub fn try_to_publish(&self, text: &str) -> Result<Response<String>, ureq::Error> {
        // An id holds no blanks.
        self.post(&text[..text.len().min(64)].replace(' ', "-"), text)
    }

    /// Publishes under an id, until it is answered.
    pub fn publish_as(&self, id: &str, text: &str) -> Response<String> {
        self.until_answered(|| self.post(id, text))
    }

    fn post(&self, id: &str, text: &str) -> Result<Response<String>, ureq::Error> {
        let form = [("message", text), ("id", id)];
        whole(self.agent.post(self.room_url()).header("Accept", "text/plain").send_form(form)?)
    }

    /// Publishes until the answer is `ok`. Returns the message with its cursor.
    pub fn publish(&self, text: &str) -> Seen {
        let response = self.until_answered(|| self.try_to_publish(text));
        assert_eq!((response.status().as_u16(), response.body().trim()), (200, "ok"));
        self.traffic.published.fetch_add(1, Relaxed);
        Seen { cursor: cursor(&response), text: text.to_owned() }
    }

    /// Reads all that is kept of the room, without waiting for more.
    pub fn read(&self) -> Vec<Seen> {
        let mut kept = Vec::new();
        let mut after = "oldest".to_owned();
        loop {
            let response = self.get("", "application/json", &[("after", &after), ("wait", "0")]);
            if response.status().as_u16() == 204 {
                return kept;
            }
            kept.extend(messages(response.body()));
            after = cursor(&response);
        }
    }

    /// Asks for something below the room, until it is answered.
    pub fn get(&self, below: &str, accept: &str, query: &[(&str, &str)]) -> Response<String> {
        self.until_answered(|| whole(self.request(below, accept, query)?))
    }

    /// Opens a stream.
    pub fn opens(&self, accept: &str, query: &[(&str, &str)]) -> impl Read + use<> {
        let response = self.until_answered(|| self.request("", accept, query));
        assert_eq!(response.status().as_u16(), 200);
        response.into_body().into_reader()
    }

    /// The first lines of a stream that are not empty.
    pub fn first_lines(&self, accept: &str, query: &[(&str, &str)], count: usize) -> Vec<String> {
        let lines = BufReader::new(self.opens(accept, query)).lines().map(Result::unwrap);
        lines.filter(|line| !line.is_empty()).take(count).collect()
    }

    fn request(
        &self,
        below: &str,
        accept: &str,
        query: &[(&str, &str)],
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let get = self.agent.get(format!("{}{below}", self.room_url())).header("Accept", accept);
        get.query_pairs(query.iter().copied()).call()
    }

    /// The room at the server that is asked next.
    fn room_url(&self) -> &str {
        &self.room_urls[self.asked.fetch_add(1, Relaxed) % self.room_urls.len()]
    }

    /// Asks again after a lost connection, after `503`, which promises that nothing was done, and after what a
    /// balancer says if it has lost the server. A message is sent again under the same id.
    fn until_answered<B>(&self, ask: impl Fn() -> Result<Response<B>, ureq::Error>) -> Response<B> {
        loop {
            assert!(Instant::now() < self.deadline, "nobody answers: {:?}", self.room_urls);
            match ask() {
                Ok(response) if !matches!(response.status().as_u16(), 502..=504) => return response,
                _ => {
                    self.traffic.retries.fetch_add(1, Relaxed);
                    thread::sleep(PAUSE);
                }
            }
        }
    }
}

/// Reads the body. It fails if the body is shorter than announced.
fn whole(response: Response<ureq::Body>) -> Result<Response<String>, ureq::Error> {
    let (head, mut body) = response.into_parts();
    Ok(Response::from_parts(head, body.read_to_string()?))
}

pub fn cursor(response: &Response<String>) -> String {
    let cursor = response.headers().get("Chat-Cursor").expect("every answer has a cursor");
    cursor.to_str().unwrap().to_owned()
}

fn messages(body: &str) -> Vec<Seen> {
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["gap"], false, "{body}");
    let field = |message: &Value, name| message[name].as_str().unwrap().to_owned();
    let messages = body["messages"].as_array().unwrap();
    messages.iter().map(|m| Seen { cursor: field(m, "id"), text: field(m, "text") }).collect()
}
