//! The blocking engine: a thread for every waiter, on tiny_http and crossbeam.
//!
//! Its twin, the async engine, has the same files with the same names in the same order, so that a
//! `diff` of the two folders shows what differs: threads and channels here, tasks there.

pub mod door;
pub mod poll;
pub mod publish;
pub mod room;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use crossbeam_channel::Receiver;

use self::door::{Door, Visit};
use self::room::Rooms;
use crate::budget::Budget;
use crate::config::HEALTH_DEADLINE;
use crate::message::{Cursor, Draft, Kind, RoomName, Timestamp};
use crate::room::{After, SubscriberId, Wake, Wants};
use crate::store::Store;
use crate::wire::page;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{Head, Intent, View, parse};

pub use self::door::{WARNING, bind};

/// What the handlers share.
pub struct Server {
    door: Door,
    rooms: Arc<Rooms>,
}

/// Serves the chat on a listener from [`bind`], until `stop` says so or is dropped.
/// Returns when all who waited are answered and what was in flight is done, within 2 s.
pub fn serve(listener: TcpListener, store: Arc<dyn Store>, stop: &Receiver<()>) -> io::Result<()> {
    let budget = Budget::claim(door::COST)?;
    tracing::info!(budget.waiters, budget.connections, "the blocking engine serves");
    page::prepare();
    let door = Door::new(listener, budget)?;
    door::serve(&Arc::new(Server { door, rooms: Rooms::new(store) }), stop);
    Ok(())
}

impl Server {
    /// Answers one request.
    fn answer(&self, head: &Head<'_>, body: &[u8], visit: &Visit<'_>) -> Result<Reply, Refusal> {
        match parse(head, body)? {
            Intent::Poll(poll) => poll::poll(self, &poll, visit),
            Intent::Publish(publish) => publish::publish(self, &publish),
            Intent::Page(view) => self.page(&view),
            Intent::Asset(fetch) => reply::asset(&fetch),
            Intent::Code(view) => reply::room_code(&view, None),
            Intent::Health => self.health().map(|()| reply::healthy(head.format())),
            Intent::Help => Ok(reply::help()),
            Intent::Lobby => Ok(reply::to_lobby()),
            Intent::Options(allow) => Ok(reply::options(allow)),
        }
    }

    /// A room's page, with its newest messages in it.
    fn page(&self, view: &View) -> Result<Reply, Refusal> {
        let store = self.rooms.store();
        let tail = store
            .newest(&view.room, page::BACKLOG_MESSAGES)
            .map_err(|error| Refusal::StoreUnavailable(error.to_string()))?;
        let next = Cursor { epoch: store.epoch(), sequence: tail.latest };
        Ok(reply::room_page(view, &tail, next, None))
    }

    /// Publishes in a real room, and waits for the message as anybody would.
    fn health(&self) -> Result<(), Refusal> {
        let room = self.rooms.whereis(&RoomName::health())?;
        let wake = room.subscribe(SubscriberId::fresh(), After::Latest, Wants::Messages);
        room.publish(Draft {
            kind: Kind::Message,
            name: None,
            text: "healthy".into(),
            send_id: None,
            at: Timestamp::now(),
        })?;
        match wake.recv_timeout(HEALTH_DEADLINE) {
            Ok(Wake::Page(_)) => Ok(()),
            _ => Err(Refusal::TryAgain),
        }
    }
}
