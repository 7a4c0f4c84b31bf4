//! The caller: who sent a request.

use std::net::IpAddr;
use std::sync::Arc;

use super::entry::Edition;
use super::limits::{Limits, Waiting};
use super::proxies::Source;
use crate::message::RoomName;
use crate::wire::refusal::Refusal;
use crate::wire::request::Intent;

/// Who sent a request, as far as its connection and trusted proxies tell.
#[derive(Clone, Default)]
pub struct Caller {
    address: Option<IpAddr>,
    /// What holds for its address; nothing for a caller on this machine, so that no script here is slowed.
    limits: Option<Arc<Limits>>,
    /// Who might enter when the request came.
    edition: Edition,
    /// Whether a trusted proxy passed the request on.
    is_by_proxy: bool,
}

impl Caller {
    /// The caller at this source.
    pub(super) fn at(source: Source, limits: &Arc<Limits>, edition: Edition) -> Caller {
        let Source { address, is_here, is_by_proxy } = source;
        Caller { address, limits: (!is_here).then(|| limits.clone()), edition, is_by_proxy }
    }

    /// Its address. None if it came by a unix socket, and no trusted proxy has said another.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Whether it may no longer be let in: who may enter was read again since.
    pub fn must_ask_again(&self) -> bool {
        self.edition.is_over()
    }

    /// Whether a trusted proxy passed the request on.
    pub(super) fn is_by_proxy(&self) -> bool {
        self.is_by_proxy
    }

    /// Whether it is a program on this machine that came by itself.
    pub(super) fn is_here(&self) -> bool {
        !self.is_by_proxy && self.address.is_some_and(|address| address.is_loopback())
    }

    /// Takes what a request needs of what its address may have, or refuses it.
    pub(super) fn take(
        &self,
        intent: &Intent,
        bytes: usize,
        is_awake: impl Fn(&RoomName) -> bool,
    ) -> Result<(), Refusal> {
        self.limited().map_or(Ok(()), |(address, limits)| limits.take(address, intent, bytes, is_awake))
    }

    /// Counts one more wait of its address, until what is given is dropped.
    pub fn wait(&self) -> Result<Option<Waiting>, Refusal> {
        self.limited().map_or(Ok(None), |(address, limits)| limits.wait(address))
    }

    fn limited(&self) -> Option<(IpAddr, &Limits)> {
        Some((self.address?, self.limits.as_ref()?))
    }
}
