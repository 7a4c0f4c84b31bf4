//! The caller: who sent a request.

use std::net::IpAddr;

use super::proxies::Source;

/// Who sent a request, as far as its connection and trusted proxies tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct Caller {
    source: Option<Source>,
}

impl Caller {
    /// The caller at this source.
    pub(super) fn at(source: Source) -> Caller {
        Caller { source: Some(source) }
    }

    /// Its address. None if it came by a unix socket, and no trusted proxy has said another.
    pub fn address(&self) -> Option<IpAddr> {
        self.source.and_then(|source| source.address)
    }

    /// The address to which limits by address hold. None if it is on this machine: scripts here are not slowed.
    pub fn limited_address(&self) -> Option<IpAddr> {
        self.source.filter(|source| !source.is_here).and_then(|source| source.address)
    }
}
