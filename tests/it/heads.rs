//! Heads at random: what is harmless passes, what is not is refused, and both engines agree.
//!
//! Each request is made of parts. A plain model knows what is wrong with each part, and the status is that of
//! the worst. Not tried here is what the README says the blocking engine can't see.

use fastrand::Rng;

use crate::chat::Chat;
use crate::harness::{repeatable, times};

on_every_engine![
    heads_at_random_have_the_status_that_they_should,
    each_request_of_a_connection_is_judged_by_its_own_head,
];

/// What is wrong with a request, the worst last. A server that finds one fault looks no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    /// Nothing. The status is that of the place.
    Nothing(u16),
    /// What is asked for.
    Request(u16),
    /// The site that it comes from.
    Site,
    /// The name that it asks for.
    Host(u16),
    /// Where its body ends.
    Length(u16),
    /// What stands in its head.
    Head(u16),
}

/// A request in the making.
struct Try {
    random: Rng,
    method: &'static str,
    target: String,
    version: &'static str,
    headers: Vec<(String, String)>,
    body: String,
    wrong: Wrong,
}

/// NULs, unknown expectations, repeated lengths, other sites, other hosts, odd targets: two HTTP libraries
/// differ in all of these, and so did the engines.
fn heads_at_random_have_the_status_that_they_should(chat: Chat) {
    let mut seeds = repeatable();
    let quiet = chat.room(&format!("{}-quiet", chat.name()));
    for _ in 0..times(300) {
        let random = Rng::with_seed(seeds.u64(..));
        let (bytes, has_body, wrong) = Try::new(random).put_together(&chat, &quiet);
        let (Wrong::Nothing(status)
        | Wrong::Request(status)
        | Wrong::Host(status)
        | Wrong::Length(status)
        | Wrong::Head(status)) = wrong
        else {
            ask(&chat, &bytes, has_body, 403);
            continue;
        };
        ask(&chat, &bytes, has_body, status);
    }
    // What was refused has left nothing behind.
    assert!(quiet.kinds().iter().all(|kind| kind != "message"));
}

/// A server may keep what it knows of the lines that the last request had.
fn each_request_of_a_connection_is_judged_by_its_own_head(chat: Chat) {
    chat.says("hi");
    let (json, plain) = ("application/json", "text/plain; charset=utf-8");
    // Header lines, and what is answered to one who looks, and to one who looks under a name.
    let heads = [
        ("Host: localhost\r\nAccept: application/json\r\n", (200, json), (200, json)),
        ("Host: localhost\r\nAccept: text/plain\r\n", (200, plain), (200, plain)),
        ("Host: localhost\r\nAccept: text/plain\r\nOrigin: null\r\n", (200, plain), (403, plain)),
        ("Host: localhost.\r\n", (200, plain), (200, plain)),
        ("Host: evil.example\r\n", (421, plain), (421, plain)),
        ("Host: localhost\r\nHost: localhost\r\n", (400, plain), (400, plain)),
    ];
    let mut random = repeatable();
    let mut connection = chat.connect();
    for _ in 0..times(200) {
        let (lines, looks, looks_as_anna) = heads[random.usize(..heads.len())];
        let (name, (status, media_type)) =
            if random.bool() { ("&name=anna", looks_as_anna) } else { ("", looks) };
        let target = chat.path(&format!("?wait=0&after=oldest{name}"));
        connection.send_bytes(format!("GET {target} HTTP/1.1\r\n{lines}\r\n").as_bytes());
        connection.will_answer(true);
        let reply = connection.reply();
        let told = (reply.status, reply.expect_header("Content-Type"));
        assert_eq!(told, (status, media_type), "to {target} with {lines:?}");
        if reply.header("Connection") == Some("close") {
            connection = chat.connect();
        }
    }
}

#[track_caller]
fn ask(chat: &Chat, bytes: &[u8], has_body: bool, status: u16) {
    let mut connection = chat.connect();
    connection.send_bytes(bytes);
    connection.will_answer(has_body);
    let told = String::from_utf8_lossy(bytes);
    let reply = connection.try_reply().unwrap_or_else(|error| panic!("{error}, to\n{told}"));
    assert_eq!(reply.status, status, "{:?}\nto\n{told}", String::from_utf8_lossy(&reply.body));
}

impl Try {
    fn new(random: Rng) -> Try {
        Try {
            random,
            method: "GET",
            target: String::new(),
            version: "HTTP/1.1",
            headers: Vec::new(),
            body: String::new(),
            wrong: Wrong::Nothing(200),
        }
    }

    fn put_together(mut self, chat: &Chat, quiet: &Chat) -> (Vec<u8>, bool, Wrong) {
        match self.random.u8(..10) {
            0..3 => self.speaks(chat),
            3..7 => self.waits(quiet),
            _ => self.looks(quiet),
        }
        self.comes_to_some_host();
        self.comes_from_some_site();
        self.has_odd_but_harmless_parts();
        self.has_a_length();
        if self.random.u8(..6) == 0 {
            self.has_an_unsound_head();
        }
        self.random.shuffle(&mut self.headers);
        let mut head = format!("{} {} {}\r\n", self.method, self.target, self.version);
        for (name, value) in &self.headers {
            let spaces =
                |random: &mut Rng| random.choice(["", " ", "  ", "\t", " \t "]).expect("one of five");
            let (before, behind) = (spaces(&mut self.random), spaces(&mut self.random));
            head += &format!("{name}:{before}{value}{behind}\r\n");
        }
        head += "\r\n";
        head += &self.body;
        (head.into_bytes(), self.method != "HEAD", self.wrong)
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.random.usize(..all.len())]
    }

    /// Makes it at least as wrong as this.
    fn is(&mut self, wrong: Wrong) {
        self.wrong = self.wrong.max(wrong);
    }

    /// Adds a header, in letters of any case.
    fn with(&mut self, name: &str, value: &str) {
        let case = |random: &mut Rng, c: char| {
            if random.bool() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() }
        };
        let name = name.chars().map(|c| case(&mut self.random, c)).collect();
        self.headers.push((name, value.to_owned()));
    }

    /// Publishes a message.
    fn speaks(&mut self, chat: &Chat) {
        self.method = "POST";
        let (accept, status) = self.one_of(&[
            ("*/*", 200),
            ("application/json", 200),
            ("text/html,*/*;q=0.8", 303),
            ("text/event-stream", 200),
        ]);
        self.with("Accept", accept);
        self.wrong = Wrong::Nothing(status);
        let (content_type, body, status) = self.one_of(&[
            ("text/plain", "hi", 200),
            ("Text/Plain; Charset=UTF8", "\u{feff}hi", 200),
            ("text/plain; charset=\"utf-8\"", "größe", 200),
            ("application/json", "{\"message\":\"hi\",\"more\":[1]}", 200),
            ("application/json; charset=utf-8", "{\"message\":\"hi\",\"name\":\"anna\"}", 200),
            ("application/x-www-form-urlencoded", "message=hi&name=&other=x", 200),
            ("application/x-www-form-urlencoded", "&&message=hi+there&message=%20", 200),
            ("APPLICATION/X-WWW-FORM-URLENCODED", "%6dessage=hi&name=Zo%C3%AB", 200),
            ("text/plain", " \t", 400),
            ("text/plain; charset=latin1", "hi", 415),
            ("image/png", "hi", 415),
            ("application/json", "{\"message\":", 400),
            ("application/json", "{\"message\":\"hi\",\"name\":\"a\u{202e}\"}", 400),
            ("application/x-www-form-urlencoded", "message=100%", 400),
            ("application/x-www-form-urlencoded", "name=anna", 400),
        ]);
        self.with("Content-Type", content_type);
        self.body = body.to_owned();
        if status != 200 {
            self.is(Wrong::Request(status));
        }
        let coding = self.one_of(&["", "", "identity", "identity, gzip"]);
        if !coding.is_empty() {
            self.with("Content-Encoding", coding);
        }
        if coding.contains("gzip") {
            self.is(Wrong::Request(415));
        }
        self.goes_to(&chat.path(""));
    }

    /// Asks for news without waiting.
    fn waits(&mut self, quiet: &Chat) {
        self.method = self.one_of(&["GET", "GET", "HEAD"]);
        let (accept, is_page) = self.one_of(&[
            ("", false),
            ("*/*", false),
            ("Text/Plain;q=0.5, image/png", false),
            ("text/html", true),
            ("text/plain;q=0.1,TEXT/HTML", true),
        ]);
        if !accept.is_empty() {
            self.with("Accept", accept);
        }
        let (after, found) = self.one_of(&[
            ("", 404),
            ("&after=latest", 204),
            ("&%61fter=latest&after=nowhere", 204),
            ("&after=latest&x={a}|^`", 204),
            ("&after=yesterday", 400),
            ("&after=", 400),
        ]);
        let (wait, wrong_wait) = self.one_of(&[
            ("wait=0", false),
            ("&&wait=0.0&wait=9", false),
            ("wait=soon", true),
            ("wait=-1", true),
        ]);
        let (name, wrong_name) = self.one_of(&[
            ("", false),
            ("&name=", false),
            ("&name=anna", false),
            ("&name=a%00b", true),
            ("&name=%zz", true),
        ]);
        let (part, wrong_part) = self.one_of(&[
            ("", false),
            ("&limit=500&limit=0", false),
            ("&kinds=message", false),
            ("&kinds=message%2Cmessage&kinds=", false),
            ("&limit=0", true),
            ("&limit=1e2", true),
            ("&kinds=Left", true),
            ("&last=501", true),
        ]);
        let is_wrong = wrong_name || !is_page && (wrong_wait || wrong_part || found == 400);
        self.wrong = match is_wrong {
            true => Wrong::Request(400),
            false => Wrong::Nothing(if is_page { 200 } else { found }),
        };
        self.goes_to(&quiet.path(&format!("?{wait}{after}{name}{part}")));
    }

    /// Asks for something beside the rooms.
    fn looks(&mut self, quiet: &Chat) {
        let room = quiet.path("");
        let (method, path, status) = self.one_of(&[
            ("GET", "/help", 200),
            ("HEAD", "/health/live", 200),
            ("GET", "/rooms?limit=1", 200),
            ("GET", "/rooms?limit=0", 400),
            ("GET", "/metrics", 200),
            ("GET", "/", 303),
            ("GET", "{room}/history?limit=500", 200),
            ("GET", "{room}/history?limit=501", 400),
            ("HEAD", "{room}/people", 200),
            ("GET", "{room}/leave", 405),
            ("POST", "{room}/people", 405),
            ("OPTIONS", "{room}", 204),
            ("OPTIONS", "*", 204),
            ("DELETE", "{room}", 405),
            ("get", "{room}", 405),
            ("M-SEARCH", "/rooms", 405),
            ("GET", "/chat/a%20b", 400),
            ("GET", "/chat/a%2", 400),
            ("OPTIONS", "/nowhere", 404),
            ("GET", "/chat/../rooms", 404),
            ("GET", "/page/none.js", 404),
            ("GET", "chat", 404),
        ]);
        self.method = method;
        self.wrong = if status < 400 { Wrong::Nothing(status) } else { Wrong::Request(status) };
        match path {
            "*" | "chat" => self.target = path.to_owned(),
            _ => self.goes_to(&path.replace("{room}", &room)),
        }
    }

    /// Sets the target, in one of its forms.
    fn goes_to(&mut self, target: &str) {
        self.target = match self.random.u8(..8) {
            0 => format!("http://localhost{target}"),
            1 => format!("HTTP://127.0.0.1:80{target}"),
            2 => format!("{target}#part?x=1"),
            _ => target.to_owned(),
        };
    }

    fn comes_to_some_host(&mut self) {
        if self.random.u8(..10) == 0 {
            self.version = "HTTP/1.0";
        }
        let ours =
            ["localhost", "LOCALHOST.:8080", "127.0.0.1:1", "[::1]:8080", "192.0.2.7", "a.localhost:80"];
        match self.random.u8(..12) {
            0 => {
                let host =
                    self.one_of(&["evil.example", "127.0.0.1.evil.example:80", "localhost.example", "."]);
                self.with("Host", host);
                self.is(Wrong::Host(421));
            }
            1 => {
                self.with("Host", "localhost");
                self.with("Host", "localhost");
                self.is(Wrong::Host(400));
            }
            2 | 3 => {
                if self.random.bool() {
                    self.with("Host", "");
                }
                if self.version == "HTTP/1.1" {
                    self.is(Wrong::Host(400));
                }
            }
            _ => {
                let host = self.one_of(&ours);
                self.with("Host", host);
            }
        }
    }

    fn comes_from_some_site(&mut self) {
        let (headers, is_other): (&[(&str, &str)], bool) = self.one_of(&[
            (&[], false),
            (&[], false),
            (&[("Sec-Fetch-Site", "same-origin"), ("Origin", "http://anything.example")], false),
            (&[("Sec-Fetch-Site", "None")], false),
            (&[("Sec-Fetch-Site", "cross-site")], true),
            (&[("Sec-Fetch-Site", "same-site")], true),
            (&[("Origin", "null")], true),
            (&[("Origin", "http://evil.example")], true),
        ]);
        for (name, value) in headers {
            self.with(name, value);
        }
        let is_page = self.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("Accept") && value.to_ascii_lowercase().contains("text/html")
        });
        // A name that can't be read is not a name.
        let names_somebody = self.target.contains("&name=") && !self.target.contains("&name=%zz");
        if is_other && (self.method == "POST" || self.method == "GET" && names_somebody && !is_page) {
            self.is(Wrong::Site);
        }
    }

    /// Parts that every server on the way may add.
    fn has_odd_but_harmless_parts(&mut self) {
        for (name, value) in [
            ("X-Forwarded-For", "192.0.2.9, \"quoted\""),
            ("X-Empty", ""),
            ("X-Twice", "one"),
            ("X-Twice", "two"),
            ("Via", "1.1 a\tb"),
            ("Prefer", "WAIT=x, respond-async"),
            ("Connection", "keep-alive"),
            ("Connection", "close"),
            ("Cookie", "a=b; c={}~`^|"),
            ("!#$%&'*+-.^_`|~0", "a name of all that names are made of"),
        ] {
            if self.random.u8(..4) == 0 {
                self.with(name, value);
            }
        }
    }

    fn has_a_length(&mut self) {
        let length = self.body.len().to_string();
        if self.method != "POST" {
            if self.random.u8(..10) == 0 {
                self.with("Content-Length", "0");
            }
            return;
        }
        match self.random.u8(..12) {
            0 | 1 => {
                let chunk = format!("{:X};part=1\r\n{}\r\n0\r\n\r\n", self.body.len(), self.body);
                self.body = if self.body.is_empty() { "0\r\n\r\n".to_owned() } else { chunk };
                self.with("Transfer-Encoding", "Chunked");
                if self.version == "HTTP/1.0" {
                    self.is(Wrong::Length(400));
                }
            }
            2 => {
                self.with("Content-Length", &length);
                self.with("Content-Length", &length);
            }
            3 => {
                let lie = self.one_of(&["-1", "0x2", "two", "", "2 2"]);
                self.with("Content-Length", lie);
                self.is(Wrong::Length(400));
            }
            4 => {
                self.with("Content-Length", "65537");
                self.is(Wrong::Length(413));
            }
            _ => self.with("Content-Length", &length),
        }
    }

    fn has_an_unsound_head(&mut self) {
        let status = match self.random.u8(..5) {
            0 => {
                self.with("X-Value", "a\0b");
                400
            }
            1 => {
                self.headers.push(("X(y)".to_owned(), "z".to_owned()));
                400
            }
            2 => {
                self.with("Expect", "the-unexpected");
                417
            }
            3 => {
                self.method = "G(T";
                400
            }
            _ => {
                self.target.insert_str(self.target.find('?').unwrap_or(self.target.len()), "<b>");
                // Nobody reads what follows a `#`.
                if self.target.find('#').is_some_and(|end| self.target[end..].contains('<')) {
                    return;
                }
                400
            }
        };
        self.is(Wrong::Head(status));
    }
}
