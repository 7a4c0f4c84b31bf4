//! What each request may: who may enter, under which name, and how much of everything.
//!
//! Both engines ask here, before a room or the store is touched.

mod origin;

use std::net::IpAddr;

use self::origin::Hosts;
use crate::wire::refusal::Refusal;
use crate::wire::reply::Reply;
use crate::wire::request::{Head, Intent, parse};

/// What the command line says of it.
#[derive(Debug, Clone, Default)]
pub struct AccessSpec {
    /// Names by which the server may be called, beside its own; `*` is any.
    pub hosts: Vec<String>,
}

/// Decides what each request may.
pub struct Access {
    hosts: Hosts,
}

impl Access {
    /// As the command line says. An error is a sentence that says what to do about it.
    pub fn new(spec: &AccessSpec) -> Result<Access, String> {
        Ok(Access { hosts: Hosts::new(&spec.hosts) })
    }

    /// Says what a request asks for, if it may. The peer is the connection's other end: the client, or a proxy.
    pub fn admit(&self, head: &Head<'_>, body: &[u8], _peer: Option<IpAddr>) -> Result<Intent, Refusal> {
        self.hosts.admit(head)?;
        parse(head, body)
    }

    /// Adds to a reply what every reply has. Without a head, the request had none that could be read.
    pub fn dress(&self, _head: Option<&Head<'_>>, _reply: &mut Reply) {}
}
