//! The async engine: a task for every waiter, on hyper and tokio.
//!
//! Its twin, the blocking engine, has the same files with the same names in the same order. A `diff` of the two
//! folders shows what differs: tasks here, threads and channels there.

#[cfg(feature = "lesson")]
pub mod backstage;
pub mod poll;
pub mod publish;
pub mod room;
pub mod several;
pub mod store;
pub mod stream;
pub mod view;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use crossbeam_channel::Receiver;

use self::room::Rooms;
use self::view::Health;
use crate::access::{Access, Caller};
use crate::address::{self, Site};
use crate::door::budget::Budget;
use crate::door::hyper::{self as door, Answer, Service, Visit, Workers};
use crate::door::listen::{Farewell, Listener};
#[cfg(feature = "lesson")]
use crate::lesson;
use crate::message::RoomName;
use crate::store::Store;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{Head, Intent};

pub use crate::door::hyper::{COST, UNIX_COST, prepare};

/// What the tasks share.
struct Server {
    rooms: Arc<Rooms>,
    /// How people reach this server.
    site: Arc<Site>,
    /// What each request may.
    access: Arc<Access>,
    health: Health,
}

/// Serves the chat on listeners that [`prepare`] has seen, within a budget of [`COST`], until `stop` says so or is dropped.
/// Returns when all who waited are answered and what was in flight is done, within 2 s.
pub fn serve(
    listeners: Vec<Listener>,
    store: Arc<dyn Store>,
    budget: Budget,
    access: Arc<Access>,
    stop: &Receiver<Farewell>,
) -> io::Result<()> {
    tracing::info!(budget.waiters, budget.connections, "the async engine serves");
    let lan = listeners.iter().filter_map(Listener::address).find_map(address::lan);
    let site = Site { public: access.public().cloned(), lan, upload_limit: access.upload_limit() };
    let workers = Workers::start()?;
    let entered = workers.enter();
    let rooms = Rooms::new(store);
    rooms.wake_the_peopled().map_err(io::Error::other)?;
    let server = Server { rooms, site: Arc::new(site), access, health: Health::default() };
    let let_go = door::serve(listeners, budget, server, stop)?;
    // What is left are connections on which nothing is asked.
    drop(entered);
    workers.end(let_go);
    Ok(())
}

impl Service for Server {
    fn caller(&self, head: &Head<'_>, peer: Option<IpAddr>) -> Caller {
        self.access.caller(head, peer)
    }

    async fn answer(&self, head: &Head<'_>, body: &[u8], visit: &Visit) -> Result<Answer, Refusal> {
        let rooms = &self.rooms;
        #[cfg(feature = "lesson")]
        if let Some(target) = self.access.backstage(head, visit.caller())? {
            let answer = backstage::answer(rooms, lesson::parse(head, target, body)?)?;
            return Ok(answer.compressed(head.takes_gzip()));
        }
        let is_awake = |room: &RoomName| rooms.look(room).is_ok_and(|found| found.is_some());
        let intent = self.access.admit(head, body, visit.caller(), is_awake)?;
        let waits = matches!(&intent, Intent::Poll(poll) if !poll.hold.is_zero());
        let answer = match intent {
            Intent::Poll(poll) if poll.is_in_several() => several::poll(rooms, poll, visit).await?,
            Intent::Poll(poll) => poll::poll(rooms, poll, visit).await?,
            Intent::Stream(poll) => stream::open(rooms, poll, visit).await?,
            Intent::Publish(publish) => publish::publish(rooms, publish).await?.into(),
            Intent::Leave(leave) => publish::leave(rooms, leave).await?.into(),
            Intent::Past(past) => view::past(rooms, past).await?,
            Intent::People(room) => view::people(rooms, head.format(), room).await?.into(),
            Intent::Rooms(asked) => view::rooms(rooms, asked, &self.site).await?.into(),
            Intent::NewRoom(new) => reply::new_room(&new, &self.site).into(),
            Intent::Health => view::health(rooms, head.format(), &self.health).await?.into(),
            Intent::Live => reply::healthy(head.format()).into(),
            Intent::Page(browser) => view::page(rooms, browser, &self.site).await?,
            Intent::Asset(fetch) => reply::asset(&fetch)?.into(),
            Intent::Code(browser) => reply::room_code(&browser, &self.site)?.into(),
            Intent::Login(login) => reply::logged_in(&login).into(),
            Intent::Invite(browser) => reply::invited(head.format(), &browser, &self.site).into(),
            Intent::Metrics(exposition) => view::metrics(rooms, exposition, visit).into(),
            Intent::Help => reply::help(&self.site).into(),
            Intent::Description => reply::description(&self.site).into(),
            Intent::Elsewhere(room) => reply::to_room(&self.site, &room).into(),
            Intent::Options(allow) => reply::options(allow).into(),
        };
        Ok(if waits { answer } else { answer.compressed(head.takes_gzip()) })
    }

    fn may_stream(&self, target: &str) -> bool {
        self.access.is_backstage(target)
    }

    fn foresee(&self, head: &Head<'_>, caller: &Caller) -> Result<(), Refusal> {
        self.access.foresee(head, caller)
    }

    fn upload_limit(&self) -> usize {
        self.access.upload_limit()
    }

    fn local<'a>(&self, target: &'a str) -> &'a str {
        self.access.local(target)
    }

    fn prefix(&self) -> &str {
        self.access.prefix()
    }

    fn dress(&self, head: Option<&Head<'_>>, reply: &mut Reply) {
        self.access.dress(head, reply);
    }

    fn close(&self) {
        self.rooms.close();
    }

    async fn join(&self) {
        self.rooms.join().await;
    }
}
