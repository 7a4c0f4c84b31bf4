//! The async engine: a task for every waiter, on hyper and tokio.
//!
//! Its twin, the blocking engine, has the same files with the same names in the same order, so that a
//! `diff` of the two folders shows what differs: tasks here, threads and channels there.

pub mod poll;
pub mod publish;
pub mod room;
pub mod stream;
pub mod view;

use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crossbeam_channel::Receiver;
use tokio::runtime::{self, Runtime};

use self::room::Rooms;
use self::stream::Stream;
use crate::address;
use crate::door::budget::Budget;
use crate::door::hyper::{self as door, Door, Visit};
use crate::page;
use crate::store::Store;
use crate::wire::origin::Hosts;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{Head, Intent, parse};

pub use crate::door::hyper::{COST, bind};

/// The most threads that run tasks. They share the cores with the kernel, which does most of the work.
const WORKERS_MAX: usize = 4;

/// How many threads wait for the store, so that none that runs tasks has to.
const STORE_THREADS: usize = 4;

/// The stack of each of these threads, in bytes. They are few.
const STACK: usize = 1024 * 1024;

/// How long a stopping server waits for a thread that is in the store.
const LEAVE: Duration = Duration::from_millis(300);

/// What the tasks share.
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
    tracing::info!(budget.waiters, budget.connections, "the async engine serves");
    page::prepare();
    let lan = address::lan(listener.local_addr()?);
    let runtime = runtime()?;
    let _runtime = runtime.enter();
    let door = Door::new(listener, budget)?;
    let rooms = Rooms::new(store);
    rooms.wake_the_peopled().map_err(io::Error::other)?;
    door::serve(&Arc::new(Server { door, rooms, lan, hosts, owed: Mutex::default() }), stop, &runtime);
    // What is left are connections on which nothing is asked.
    runtime.shutdown_timeout(LEAVE);
    Ok(())
}

fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_multi_thread()
        .worker_threads(thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX))
        .max_blocking_threads(STORE_THREADS)
        .thread_name("task runner")
        .thread_stack_size(STACK)
        .enable_all()
        .build()
}

/// What a request comes to.
pub(crate) enum Answer {
    /// A reply, after which the connection is free for the next request.
    Reply(Reply),
    /// Events, for as long as the client listens.
    Stream(Stream),
}

impl Server {
    /// Answers one request.
    pub(crate) async fn answer(
        &self,
        head: &Head<'_>,
        body: &[u8],
        visit: &Visit,
    ) -> Result<Answer, Refusal> {
        self.hosts.admit(head)?;
        let intent = parse(head, body)?;
        let waits = matches!(&intent, Intent::Poll(poll) if !poll.hold.is_zero());
        let reply = match intent {
            Intent::Poll(poll) => poll::poll(self, &poll, visit).await?,
            Intent::Stream(poll) => return stream::open(self, poll, visit).await.map(Answer::Stream),
            Intent::Publish(publish) => publish::publish(self, &publish).await?,
            Intent::Leave(leave) => publish::leave(self, leave).await?,
            Intent::History(history) => view::history(self, &history, visit).await?,
            Intent::People(room) => view::people(self, head.format(), &room).await?,
            Intent::Rooms(asked) => view::rooms(self, asked).await?,
            Intent::Health => view::health(self, head.format()).await?,
            Intent::Live => reply::healthy(head.format()),
            Intent::Page(browser) => view::page(self, &browser, visit).await?,
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
