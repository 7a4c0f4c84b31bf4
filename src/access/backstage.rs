//! The backstage: who may look at it. It is there only for a lesson, and only for somebody on this machine.

use super::caller::Caller;
use super::origin::{is_at, name_in};
use super::sites::add_to_vary;
use crate::config::PREFLIGHT_KEPT;
use crate::wire::path::BACKSTAGE;
use crate::wire::refusal::Refusal;
use crate::wire::reply::Reply;
use crate::wire::request::Head;

/// Whether there is one.
pub struct Backstage(bool);

/// What a proxy adds to a request that it passes on. Behind one, a stranger comes from this machine too.
const PROXIED: [&str; 4] = ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"];

impl Backstage {
    /// As the command line says.
    pub fn new(is_open: bool) -> Backstage {
        Backstage(is_open)
    }

    /// Whether this is an address of it.
    pub fn is_at(&self, target: &str) -> bool {
        let Backstage(is_open) = *self;
        is_open
            && target
                .strip_prefix(BACKSTAGE)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    }

    /// Whether the caller is on this machine, and no proxy passed the request on.
    pub fn is_for(&self, head: &Head<'_>, caller: &Caller) -> bool {
        caller.is_here() && PROXIED.iter().all(|name| head.header(name).is_none())
    }

    /// Refuses what a page of another site sent. A page of another port of this machine may: it shows two servers.
    pub fn admit(&self, head: &Head<'_>, host: &str) -> Result<(), Refusal> {
        let is_own = |origin: &str| origin.starts_with("http://") && is_at(origin, host);
        let is_ours = |origin| is_own(origin) || is_of_this_machine(origin);
        if head.header_values("Origin").all(is_ours) { Ok(()) } else { Err(Refusal::OtherSite) }
    }

    /// Adds to a reply what lets such a page read it, or send what it asks to send.
    pub fn share(&self, head: &Head<'_>, reply: &mut Reply) {
        add_to_vary(reply, "Origin");
        let mut origins = head.header_values("Origin");
        let (Some(origin), None) = (origins.next(), origins.next()) else { return };
        if !is_of_this_machine(origin) {
            return;
        }
        reply.headers.push(("Access-Control-Allow-Origin", origin.to_owned().into()));
        if head.method == "OPTIONS" {
            reply.headers.push(("Access-Control-Allow-Methods", "GET, HEAD, POST".into()));
            reply.headers.push(("Access-Control-Allow-Headers", "Content-Type".into()));
            reply.headers.push(("Access-Control-Max-Age", PREFLIGHT_KEPT.as_secs().to_string().into()));
        }
    }
}

/// Whether an origin is a server on this machine, at any port.
fn is_of_this_machine(origin: &str) -> bool {
    origin
        .strip_prefix("http://")
        .is_some_and(|host| matches!(&*name_in(host), "127.0.0.1" | "localhost" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_servers_on_this_machine_are_of_this_machine() {
        for origin in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1", "http://LOCALHOST:80"] {
            assert!(is_of_this_machine(origin), "{origin}");
        }
        for origin in [
            "null",
            "https://127.0.0.1",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example:80",
            "http://evil.example:127.0.0.1",
            "http://user@localhost",
            "http://[::1].evil.example",
            "http://10.0.0.1",
        ] {
            assert!(!is_of_this_machine(origin), "{origin}");
        }
    }

    #[test]
    fn its_addresses_begin_with_its_name_and_are_there_for_a_lesson_only() {
        for target in ["/backstage", "/backstage?beside=http://127.0.0.1:1", "/backstage/events"] {
            assert!(Backstage(true).is_at(target) && !Backstage(false).is_at(target), "{target}");
        }
        for target in ["/", "/backstages", "/chat/backstage", "/Backstage"] {
            assert!(!Backstage(true).is_at(target), "{target}");
        }
    }
}
