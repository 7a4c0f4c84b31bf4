//! The blocking engine: a thread for every waiter, on tiny_http and crossbeam.
//!
//! Its twin, the async engine, has the same files with the same names in the same order, so that a
//! `diff` of the two folders shows what differs: threads and channels here, tasks there.

pub mod poll;
pub mod publish;
pub mod room;
pub mod stream;
pub mod view;

use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, Mutex};

use crossbeam_channel::Receiver;

use self::room::Rooms;
use self::stream::Stream;
use crate::address;
use crate::door::budget::Budget;
use crate::door::tiny_http::{self as door, Door, Visit};
use crate::page;
use crate::store::Store;
use crate::wire::origin::Hosts;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{Head, Intent, parse};

pub use crate::door::tiny_http::{COST, WARNING, bind};

/// What the handlers share.
pub struct Server {
    pub(crate) door: Door,
    pub(crate) rooms: Arc<Rooms>,
    /// By which address other machines reach this one, if they do.
    pub(crate) lan: Option<IpAddr>,
    /// By which names it may be called.
    pub(crate) hosts: Hosts,
    /// The answer that the room owes to a health check which could not wait for it.
    pub(crate) owed: Mutex<Option<view::Unanswered>>,
}

/// Serves the chat on a listener from [`bind`], within a budget of [`COST`], until `stop` says so or is dropped.
/// Returns when all who waited are answered and what was in flight is done, within 2 s.
pub fn serve(
    listener: TcpListener,
    store: Arc<dyn Store>,
    budget: Budget,
    hosts: Hosts,
    stop: &Receiver<()>,
) -> io::Result<()> {
    tracing::info!(budget.waiters, budget.connections, "the blocking engine serves");
    page::prepare();
    let lan = address::lan(listener.local_addr()?);
    let door = Door::new(listener, budget)?;
    let rooms = Rooms::new(store);
    rooms.wake_the_peopled().map_err(io::Error::other)?;
    door::serve(&Arc::new(Server { door, rooms, lan, hosts, owed: Mutex::default() }), stop);
    Ok(())
}

/// What a request comes to.
pub(crate) enum Answer<'a> {
    /// A reply, after which the connection is free for the next request.
    Reply(Reply),
    /// Events, for as long as the client listens.
    Stream(Stream<'a>),
}

impl Server {
    /// Answers one request.
    pub(crate) fn answer<'a>(
        &'a self,
        head: &Head<'_>,
        body: &[u8],
        visit: &Visit,
    ) -> Result<Answer<'a>, Refusal> {
        self.hosts.admit(head)?;
        let intent = parse(head, body)?;
        let waits = matches!(&intent, Intent::Poll(poll) if !poll.hold.is_zero());
        let reply = match intent {
            Intent::Poll(poll) => poll::poll(self, &poll, visit)?,
            Intent::Stream(poll) => return stream::open(self, poll, visit).map(Answer::Stream),
            Intent::Publish(publish) => publish::publish(self, &publish)?,
            Intent::Leave(leave) => publish::leave(self, leave)?,
            Intent::History(history) => view::history(self, &history)?,
            Intent::People(room) => view::people(self, head.format(), &room)?,
            Intent::Rooms(asked) => view::rooms(self, &asked)?,
            Intent::Health => view::health(self, head.format())?,
            Intent::Live => reply::healthy(head.format()),
            Intent::Page(browser) => view::page(self, &browser)?,
            Intent::Asset(fetch) => reply::asset(&fetch)?,
            Intent::Code(browser) => reply::room_code(&browser, self.lan)?,
            Intent::Metrics(exposition) => view::metrics(self, exposition),
            Intent::Help => reply::help(),
            Intent::Lobby => reply::to_lobby(),
            Intent::Options(allow) => reply::options(allow),
        };
        Ok(Answer::Reply(if waits { reply } else { reply.compressed(head) }))
    }
}
