//! What each request may: who may enter, under which name, and how much of everything.
//!
//! Both engines ask here, before a room or the store is touched.

mod backstage;
mod caller;
mod entry;
mod limits;
mod names;
mod origin;
mod protection;
mod proxies;
mod sites;
mod told;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use self::backstage::Backstage;
use self::entry::Entry;
use self::limits::Limits;
use self::names::Names;
use self::origin::Hosts;
use self::protection::protect;
use self::proxies::Proxies;
use self::sites::Sites;
use self::told::Told;
use crate::address::PublicUrl;
use crate::message::{RoomName, Seal};
use crate::wire::path::BACKSTAGE;
use crate::wire::refusal::{By, Refusal};
use crate::wire::reply::Reply;
use crate::wire::request::{Head, Intent, Publish};

pub use self::caller::Caller;
pub use self::entry::EntrySpec;
pub use self::limits::{LimitsSpec, Waiting};

/// What the command line says of it.
#[derive(Debug, Clone, Default)]
pub struct AccessSpec {
    /// Names by which the server may be called, beside its own; `*` is any.
    pub hosts: Vec<String>,
    /// The proxies whose word for the address of a client is believed: addresses, networks, or `unix`.
    pub proxies: Vec<String>,
    /// The address by which the outside sees the server.
    pub public: Option<PublicUrl>,
    /// How much one address, and one room, may take.
    pub limits: LimitsSpec,
    /// The files that say who may enter.
    pub entry: EntrySpec,
    /// Whether anybody may use any name.
    pub has_free_names: bool,
    /// The origins of other sites whose pages may use this server; `*` lets every page read.
    pub origins: Vec<String>,
    /// The header in which a trusted proxy tells who people are.
    pub header: Option<String>,
    /// Whether somebody on this machine may look behind the stage.
    pub has_backstage: bool,
    /// The most bytes of a file that comes with a message; 0 if none are taken.
    pub upload_limit: usize,
}

/// Decides what each request may.
pub struct Access {
    hosts: Hosts,
    proxies: Proxies,
    public: Option<PublicUrl>,
    limits: Arc<Limits>,
    entry: Entry,
    names: Names,
    sites: Sites,
    told: Told,
    backstage: Backstage,
    upload_limit: usize,
}

impl Access {
    /// As the command line says. An error is a sentence that says what to do about it.
    pub fn new(spec: &AccessSpec) -> Result<Access, String> {
        let AccessSpec {
            hosts,
            proxies,
            public,
            limits,
            entry,
            has_free_names,
            origins,
            header,
            has_backstage,
            upload_limit,
        } = spec;
        let proxies = Proxies::new(proxies)?;
        Ok(Access {
            hosts: Hosts::new(hosts, public.as_ref()),
            told: Told::new(header.as_deref(), !proxies.is_empty())?,
            proxies,
            public: public.clone(),
            limits: Arc::new(Limits::new(*limits)),
            entry: Entry::new(entry.clone(), public.clone())?,
            names: Names::new(*has_free_names),
            sites: Sites::new(origins)?,
            backstage: Backstage::new(*has_backstage),
            upload_limit: *upload_limit,
        })
    }

    /// Hashes the keys of those who hold names with this from now on: the seal of the store.
    pub fn use_seal(&self, seal: Seal) {
        self.names.use_seal(seal);
    }

    /// The address by which the outside sees the server, if the operator has said so.
    pub fn public(&self) -> Option<&PublicUrl> {
        self.public.as_ref()
    }

    /// The most bytes that a file may have which comes with a message; 0 if none are taken.
    pub fn upload_limit(&self) -> usize {
        self.upload_limit
    }

    /// Whether there is something to see behind the stage.
    pub fn has_backstage(&self) -> bool {
        self.backstage.is_at(BACKSTAGE)
    }

    /// A path and query as this server names them: without the prefix of the public address, which a proxy may have
    /// passed on.
    pub fn local<'a>(&self, target: &'a str) -> &'a str {
        self.public.as_ref().and_then(|public| public.strip(target)).unwrap_or(target)
    }

    /// What every address begins with in a browser's view: empty, or `/talk`.
    pub fn prefix(&self) -> &str {
        self.public.as_ref().map_or("", PublicUrl::prefix)
    }

    /// Says who sent a request. The peer is the connection's other end: the client, or a proxy.
    pub fn caller(&self, head: &Head<'_>, peer: Option<IpAddr>) -> Caller {
        Caller::at(
            self.proxies.source(peer, head.header_values("X-Forwarded-For")),
            &self.limits,
            self.entry.edition(),
        )
    }

    /// Says what a request asks for, if its caller may. `is_awake` says whether a room is awake.
    pub fn admit(
        &self,
        head: &Head<'_>,
        body: &[u8],
        caller: &Caller,
        is_awake: impl Fn(&RoomName) -> bool,
    ) -> Result<Intent, Refusal> {
        let intent = self.judge(head, body, caller)?;
        caller.take(&intent, body.len(), is_awake)?;
        Ok(intent)
    }

    /// Refuses a request before its body is read, if its head tells enough: its sender is not in, has no right to that, or
    /// asks for it where it can't be had. The rest is judged when the body is there: what is malformed, who is muted, as
    /// the name may stand in the body, and what the room and the limits say, as they go by all that is asked for.
    pub fn foresee(&self, head: &Head<'_>, caller: &Caller) -> Result<(), Refusal> {
        // As if a few words came.
        let lines = head.lines.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("Content-Type"));
        let lines = lines.chain([("Content-Type", "text/plain")]).collect();
        let head = Head::new(head.method, head.target, head.version, &lines);
        match self.judge(&head, b"words", caller) {
            Err(refusal) if matches!(refusal.status(), 401 | 403 | 404 | 405 | 421 | 429) => Err(refusal),
            _ => Ok(()),
        }
    }

    /// Says what a request asks for, if its caller may have that at some time.
    fn judge(&self, head: &Head<'_>, body: &[u8], caller: &Caller) -> Result<Intent, Refusal> {
        let target = self.local(head.local_target());
        let elsewhere = (target != head.target).then(|| head.to(target));
        let local = elsewhere.as_ref().unwrap_or(head);
        self.hosts.admit(local, &self.sites)?;
        let mut intent = self.entry.admit(local, self.names.parse(local, body), caller.address())?;
        self.judge_file(&intent)?;
        self.told.settle(head, caller, &mut intent, self.names.seal())?;
        if intent.lacks_an_operator() {
            return Err(Refusal::NotOperator);
        }
        Ok(intent)
    }

    /// Refuses a file that is too large. A body in which one may be is a little longer than a file may be.
    fn judge_file(&self, intent: &Intent) -> Result<(), Refusal> {
        let Intent::Publish(Publish { file: Some(upload), .. }) = intent else { return Ok(()) };
        match self.upload_limit {
            0 => Err(Refusal::NoFiles),
            most if upload.bytes.len() > most => Err(Refusal::FileTooLarge(most)),
            _ => Ok(()),
        }
    }

    /// Where behind the stage a request goes, if it goes there. Only somebody on this machine can: for everybody else
    /// there is no such place.
    pub fn backstage<'a>(&self, head: &Head<'a>, caller: &Caller) -> Result<Option<&'a str>, Refusal> {
        if !self.is_backstage(head.local_target()) || !self.backstage.is_for(head, caller) {
            return Ok(None);
        }
        let host = self.hosts.called(head)?.unwrap_or_default();
        self.backstage.admit(head, host)?;
        Ok(Some(self.local(head.local_target())))
    }

    /// Whether a request for this is for the backstage, if there is one.
    pub fn is_backstage(&self, target: &str) -> bool {
        self.backstage.is_at(self.local(target))
    }

    /// What lets in; nothing is needed if everybody may enter.
    pub fn lets_in_by(&self) -> Option<By> {
        self.entry.lets_in_by()
    }

    /// Reads again the files that say who may enter. If one of them has a fault, all stays as it was, and the error is
    /// a sentence.
    pub fn reload(&self) -> Result<(), String> {
        self.entry.reload()
    }

    /// Adds to a reply what every reply has. Without a head, the request had none that could be read.
    pub fn dress(&self, head: Option<&Head<'_>>, reply: &mut Reply) {
        self.add_prefix(reply);
        protect(reply);
        match head.filter(|head| self.is_backstage(head.local_target())) {
            Some(head) => self.backstage.share(head, reply),
            None => self.sites.share(head, reply),
        }
    }

    /// Has every address in the headers begin with the prefix.
    fn add_prefix(&self, reply: &mut Reply) {
        let prefix = self.prefix();
        if prefix.is_empty() {
            return;
        }
        for (name, value) in &mut reply.headers {
            let begins = if *name == "Link" { "</" } else { "/" };
            if matches!(*name, "Link" | "Location")
                && let Some(rest) = value.strip_prefix(begins)
            {
                let begins = begins.trim_end_matches('/');
                *value = Cow::Owned(format!("{begins}{prefix}/{rest}"));
            }
        }
    }
}
