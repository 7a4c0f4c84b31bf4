//! What each request may: who may enter, under which name, and how much of everything.
//!
//! Both engines ask here, before a room or the store is touched.

mod caller;
mod origin;
mod proxies;

use std::net::IpAddr;

use self::origin::Hosts;
use self::proxies::Proxies;
use crate::wire::refusal::Refusal;
use crate::wire::reply::Reply;
use crate::wire::request::{Head, Intent, parse};

pub use self::caller::Caller;

/// What the command line says of it.
#[derive(Debug, Clone, Default)]
pub struct AccessSpec {
    /// Names by which the server may be called, beside its own; `*` is any.
    pub hosts: Vec<String>,
    /// The proxies whose word for the address of a client is believed: addresses, networks, or `unix`.
    pub proxies: Vec<String>,
}

/// Decides what each request may.
pub struct Access {
    hosts: Hosts,
    proxies: Proxies,
}

impl Access {
    /// As the command line says. An error is a sentence that says what to do about it.
    pub fn new(spec: &AccessSpec) -> Result<Access, String> {
        Ok(Access { hosts: Hosts::new(&spec.hosts), proxies: Proxies::new(&spec.proxies)? })
    }

    /// Says who sent a request. The peer is the connection's other end: the client, or a proxy.
    pub fn caller(&self, head: &Head<'_>, peer: Option<IpAddr>) -> Caller {
        Caller::at(self.proxies.source(peer, head.header_values("X-Forwarded-For")))
    }

    /// Says what a request asks for, if its caller may.
    pub fn admit(&self, head: &Head<'_>, body: &[u8], _caller: &Caller) -> Result<Intent, Refusal> {
        self.hosts.admit(head)?;
        parse(head, body)
    }

    /// Adds to a reply what every reply has. Without a head, the request had none that could be read.
    pub fn dress(&self, _head: Option<&Head<'_>>, _reply: &mut Reply) {}
}
