//! The description of the wire, `/openapi.json`, against what really goes over it.
//!
//! Every exchange of this suite is compared with the description: a parameter, a status, a header or a media type
//! that it does not have fails the test that met it. An address, a method or a body that it does not have must be
//! refused. A request that breaks the rules on purpose says so ([`Request::breaking_the_rules`]).
//!
//! With `COMET_CHAT_MET=DIR` the suite writes into this directory which parts of the description it met. The test
//! [`crate::description::all_that_is_described_was_met`] reads that.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::sync::{LazyLock, Mutex};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::client::{Reply, Request};
use crate::schema::conforms;

/// The description as it is served.
pub const TEXT: &str = include_str!("../../src/wire/openapi.json");

/// The description.
pub static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).expect("JSON"));

/// Headers of the connection, and not of the reply.
const OF_THE_CONNECTION: [&str; 6] =
    ["connection", "content-length", "content-type", "date", "server", "transfer-encoding"];

/// An operation that the description has: its name, and what it says.
struct Operation {
    name: String,
    text: &'static Value,
}

/// Fails the test if the description does not have this exchange.
#[track_caller]
pub fn check(request: &Request, reply: &Reply) {
    if request.breaks_the_rules {
        return;
    }
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let is_refused = reply.status >= 400;
    let Some((template, item)) = item(path) else {
        return assert!(is_refused, "{path} is not described, and not refused");
    };
    if request.method == "OPTIONS" && !is_refused {
        assert_eq!((reply.status, reply.header("Allow").is_some()), (204, true), "OPTIONS {path}");
        return met(format!("OPTIONS {template}"));
    }
    let method = if request.method == "HEAD" { "GET" } else { &request.method };
    let Some(text) = item.get(method.to_ascii_lowercase()) else {
        return assert!(is_refused, "{method} {template} is not described, and not refused");
    };
    met(format!("{} {template}", request.method));
    let operation = Operation { name: format!("{method} {template}"), text };
    operation.has_parameters(request, query);
    if !operation.has_body(request) {
        return assert!(
            is_refused,
            "{} has no such body, and does not refuse it: {request:?}",
            operation.name
        );
    }
    operation.has_reply(reply, request.method != "HEAD");
}

impl Operation {
    fn parameters(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        let parameters = self.text["parameters"].as_array().into_iter().flatten();
        parameters.map(|parameter| {
            let (_, parameter) = resolved(parameter);
            (text(&parameter["in"]), text(&parameter["name"]))
        })
    }

    #[track_caller]
    fn has_parameters(&self, request: &Request, query: &str) {
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split_once('=').map_or(pair, |(name, _)| name);
            let name = percent_decode_str(name).decode_utf8_lossy();
            let is_known = self.parameters().any(|known| known == ("query", &name));
            assert!(is_known, "{} has no parameter {name}", self.name);
            met(format!("{} query {name}", self.name));
        }
        // Any client may send other headers.
        for (kind, name) in self.parameters() {
            if kind == "header" && request.headers.iter().any(|(sent, _)| sent.eq_ignore_ascii_case(name)) {
                met(format!("{} header {name}", self.name));
            }
        }
    }

    /// Whether it takes a body of this type.
    fn has_body(&self, request: &Request) -> bool {
        let Some((_, content_type)) = request.headers.iter().find(|(name, _)| name == "Content-Type") else {
            return true;
        };
        let media_type = media_type(content_type);
        if self.text["requestBody"]["content"].get(media_type).is_none() {
            return false;
        }
        met(format!("{} body {media_type}", self.name));
        true
    }

    #[track_caller]
    fn has_reply(&self, reply: &Reply, has_body: bool) {
        let status = reply.status.to_string();
        let described = self.text["responses"].get(&status);
        if described.is_none() && matches!(reply.status, 408 | 417 | 429 | 431) {
            // This may be on every address.
            return;
        }
        let described = described.unwrap_or_else(|| panic!("{} has no {status}", self.name));
        // What several operations share must be met in only one of them.
        let (shared, described) = resolved(described);
        let name = shared.map_or_else(|| format!("{} {status}", self.name), str::to_owned);
        met(name.clone());
        for (header, _) in &reply.headers {
            let is = |known: &str| known.eq_ignore_ascii_case(header);
            if OF_THE_CONNECTION.into_iter().any(is) {
                continue;
            }
            let mut known = keys(&described["headers"]).chain(keys(&DESCRIPTION["x-every-reply"]["headers"]));
            let known = known.find(|known| is(known));
            let known = known.unwrap_or_else(|| panic!("{name} has no header {header}"));
            met(format!("{name} header {known}"));
        }
        let Some(content_type) = reply.header("Content-Type") else {
            assert_eq!(described.get("content"), None, "{name} has a body");
            return;
        };
        let media_type = media_type(content_type);
        let form = described["content"].get(media_type);
        if form.is_none() && media_type == "text/html" && reply.status >= 400 {
            // Said once, for all that is refused.
            return;
        }
        let form = form.unwrap_or_else(|| panic!("{name} is not {media_type}"));
        met(format!("{name} {media_type}"));
        let is_json = media_type == "application/json" || media_type == "application/problem+json";
        if has_body && is_json && reply.header("Content-Encoding").is_none() {
            conforms(&form["schema"], &reply.json())
                .unwrap_or_else(|error| panic!("{name}: {error}: {}", reply.text()));
        }
    }
}

/// Fails the test if an object of a stream is not of this schema.
#[track_caller]
pub fn is_a(schema: &str, value: &Value) {
    conforms(&DESCRIPTION["components"]["schemas"][schema], value)
        .unwrap_or_else(|error| panic!("{error}: {value} is no {schema}"));
}

/// The path in the description that an address belongs to.
fn item(path: &str) -> Option<(&'static str, &'static Value)> {
    let paths = DESCRIPTION["paths"].as_object().expect("paths");
    let is_like = |template: &str| {
        let (mut parts, mut templates) = (path.split('/'), template.split('/'));
        loop {
            match (parts.next(), templates.next()) {
                (None, None) => return true,
                (Some(part), Some(template)) if part == template => {}
                (Some(part), Some(template)) if template.starts_with('{') && !part.is_empty() => {}
                _ => return false,
            }
        }
    };
    // `/health/live` is itself, and no file or room.
    let exact = paths.get_key_value(path);
    let found = exact.or_else(|| paths.iter().find(|(template, _)| is_like(template)));
    found.map(|(template, item)| (template.as_str(), item))
}

/// A part of the description, or the one that it refers to with its name.
pub fn resolved(part: &'static Value) -> (Option<&'static str>, &'static Value) {
    let Some(reference) = part["$ref"].as_str() else { return (None, part) };
    let (_, name) = reference.split_once("#/components/").expect("a component");
    let found = DESCRIPTION.pointer(&reference[1..]);
    (Some(name), found.unwrap_or_else(|| panic!("{reference} is not there")))
}

fn keys(object: &'static Value) -> impl Iterator<Item = &'static str> {
    object.as_object().into_iter().flat_map(|object| object.keys().map(String::as_str))
}

pub fn text(value: &'static Value) -> &'static str {
    value.as_str().expect("a text")
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Writes that this part of the description was met, the first time.
fn met(part: String) {
    static MET: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let Some(directory) = std::env::var_os("COMET_CHAT_MET") else { return };
    // A test that failed while it held the lock has left the set whole.
    let mut all = MET.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if all.insert(part.clone()) {
        fs::create_dir_all(&directory).expect("a directory for what was met");
        let file = std::path::Path::new(&directory).join(std::process::id().to_string());
        let file = OpenOptions::new().create(true).append(true).open(file);
        file.and_then(|mut file| writeln!(file, "{part}")).expect("what was met is written");
    }
}

/// All parts of the description, in the words of [`met`].
pub fn parts() -> BTreeSet<String> {
    let mut parts = BTreeSet::new();
    for (template, item) in DESCRIPTION["paths"].as_object().expect("paths") {
        parts.insert(format!("OPTIONS {template}"));
        for (method, text) in item.as_object().expect("operations") {
            let method = method.to_ascii_uppercase();
            parts.extend((method == "GET").then(|| format!("HEAD {template}")));
            let operation = Operation { name: format!("{method} {template}"), text };
            let name = &operation.name;
            parts.insert(name.clone());
            let described = operation.parameters().filter(|(kind, _)| *kind != "path");
            parts.extend(described.map(|(kind, parameter)| format!("{name} {kind} {parameter}")));
            parts.extend(keys(&text["requestBody"]["content"]).map(|form| format!("{name} body {form}")));
            for (status, response) in text["responses"].as_object().expect("responses") {
                let (shared, response) = resolved(response);
                let name = shared.map_or_else(|| format!("{name} {status}"), str::to_owned);
                parts.extend(keys(&response["headers"]).map(|header| format!("{name} header {header}")));
                parts.extend(keys(&response["content"]).map(|form| format!("{name} {form}")));
                parts.insert(name);
            }
        }
    }
    parts
}
