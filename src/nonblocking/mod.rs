//! The async engine: a task for every waiter, on hyper and tokio.
//!
//! Its twin, the blocking engine, has the same files with the same names in the same order, so that a
//! `diff` of the two folders shows what differs: tasks here, threads and channels there.

pub mod door;
pub mod poll;
pub mod publish;
pub mod room;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::Receiver;
use tokio::runtime::{self, Runtime};
use tokio::time::timeout;

use self::door::{Door, Visit};
use self::room::Rooms;
use crate::budget::Budget;
use crate::config::HEALTH_DEADLINE;
use crate::message::{Draft, Kind, RoomName, Timestamp};
use crate::room::{After, SubscriberId, Wake, Wants};
use crate::store::Store;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{Head, Intent, parse};

pub use self::door::bind;

/// The most threads that run tasks. They share the cores with the kernel, which does most of the work.
const WORKERS_MAX: usize = 4;

/// How many threads wait for the store, so that none that runs tasks has to.
const STORE_THREADS: usize = 4;

/// What the tasks share.
pub struct Server {
    door: Door,
    rooms: Arc<Rooms>,
}

/// Serves the chat on a listener from [`bind`], until `stop` says so or is dropped.
/// Returns when all who waited are answered and what was in flight is done, within 2 s.
pub fn serve(listener: TcpListener, store: Arc<dyn Store>, stop: &Receiver<()>) -> io::Result<()> {
    let budget = Budget::claim(door::COST)?;
    tracing::info!(budget.waiters, budget.connections, "the async engine serves");
    let runtime = runtime()?;
    let _runtime = runtime.enter();
    let door = Door::new(listener, budget)?;
    door::serve(&Arc::new(Server { door, rooms: Rooms::new(store) }), stop, &runtime);
    // What is left are connections on which nothing is asked.
    runtime.shutdown_background();
    Ok(())
}

fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_multi_thread()
        .worker_threads(thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX))
        .max_blocking_threads(STORE_THREADS)
        .thread_name("task runner")
        .enable_all()
        .build()
}

impl Server {
    /// Answers one request.
    async fn answer(&self, head: &Head<'_>, body: &[u8], visit: &Visit) -> Result<Reply, Refusal> {
        match parse(head, body)? {
            Intent::Poll(poll) => poll::poll(self, &poll, visit).await,
            Intent::Publish(publish) => publish::publish(self, &publish).await,
            Intent::Page(room) => Ok(reply::room_page(&room)),
            Intent::Asset(name) => reply::asset(&name),
            Intent::Health => self.health().await.map(|()| reply::healthy(head.format())),
            Intent::Help => Ok(reply::help()),
            Intent::Lobby => Ok(reply::to_lobby()),
            Intent::Options(allow) => Ok(reply::options(allow)),
        }
    }

    /// Publishes in a real room, and waits for the message as anybody would.
    async fn health(&self) -> Result<(), Refusal> {
        let room = self.rooms.whereis(&RoomName::health())?;
        let wake = room.subscribe(SubscriberId::fresh(), After::Latest, Wants::Messages);
        room.publish(Draft {
            kind: Kind::Message,
            name: None,
            text: "healthy".into(),
            send_id: None,
            at: Timestamp::now(),
        })
        .await?;
        match timeout(HEALTH_DEADLINE, wake).await {
            Ok(Ok(Wake::Page(_))) => Ok(()),
            _ => Err(Refusal::TryAgain),
        }
    }
}
