//! A room that panics harms no other room and no client.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use comet_chat::access::{Access, AccessSpec};
use comet_chat::blocking;
use comet_chat::door::budget::Budget;
use comet_chat::door::listen::{self, Farewell, Listener, Prepare};
use comet_chat::message::{Claim, Cursor, Draft, Epoch, Kinds, Message, RoomName, Seal, Timestamp};
use comet_chat::room::{After, SubscriberId, Subscription, Wake, Wants};
use comet_chat::store::{self, Done, Keep, MemoryStore, Order, RoomSummary, Stats, Store, Tail};
use comet_chat::wire::refusal::Refusal;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store that panics once on demand, which is a bug in the room's own thread.
struct Fragile {
    inner: MemoryStore,
    panics: AtomicBool,
    panics_in_reads: AtomicBool,
}

#[test]
fn a_handler_that_panics_answers_500_and_harms_nobody_else() {
    a_request_panics(blocking::prepare, blocking::serve);
}

#[test]
#[cfg(feature = "async")]
fn a_task_that_panics_answers_500_and_harms_nobody_else() {
    a_request_panics(comet_chat::nonblocking::prepare, comet_chat::nonblocking::serve);
}

type Serve = fn(Vec<Listener>, Arc<dyn Store>, Budget, Arc<Access>, &Receiver<Farewell>) -> io::Result<()>;

fn a_request_panics(prepare: Prepare, serve: Serve) {
    quiet_the_planted_panic();
    let store = fragile();
    let listeners = listen::open(&"127.0.0.1:0".parse().expect("a place"), prepare).expect("a port");
    let address = listeners[0].address().expect("an address");
    let access = Arc::new(Access::new(&AccessSpec::default()).expect("nothing is asked for"));
    let (stop, stopped) = bounded(1);
    let served = store.clone();
    let budget = Budget { connections: 20, waiters: 10 };
    let server = thread::spawn(move || serve(listeners, served, budget, access, &stopped));
    let mut other = TcpStream::connect(address).expect("a connection");
    let ask = |connection: &mut TcpStream| {
        connection.set_read_timeout(Some(PATIENCE)).expect("a time");
        let request = "GET /chat/lobby/history HTTP/1.1\r\nHost: localhost\r\n\r\n";
        connection.write_all(request.as_bytes()).expect("it is sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte).expect("it is answered");
            head.extend(byte);
        }
        String::from_utf8(head).expect("a head")
    };
    for _ in 0..30 {
        store.panics_in_reads.store(true, SeqCst);
        let mut connection = TcpStream::connect(address).expect("a connection");
        let head = ask(&mut connection);
        assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
        assert!(head.contains("\r\nX-Content-Type-Options: nosniff\r\n"), "as every reply: {head}");
    }
    let head = ask(&mut other);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    stop.send(Farewell::Close).expect("it serves");
    server.join().expect("it did not panic").expect("it has served");
}

#[test]
fn a_room_that_panics_is_restarted_whole_and_its_waiters_poll_again() {
    quiet_the_planted_panic();
    let store = fragile();
    let rooms = blocking::room::Rooms::new(store.clone());
    let room = rooms.whereis(&RoomName::lobby()).expect("a room");
    let before = room.publish(draft("before")).expect("published");

    let wake = room.subscribe(SubscriberId::fresh(), latest());
    store.panics.store(true, SeqCst);
    assert_eq!(
        room.publish(draft("planted")),
        Err(Refusal::TryAgain),
        "a message that is not stored is not ok"
    );
    assert_eq!(
        wake.recv_timeout(PATIENCE),
        Err(RecvTimeoutError::Disconnected),
        "the waiter must poll again"
    );

    let wake =
        room.subscribe(SubscriberId::fresh(), Subscription { after: After::Cursor(before.id), ..latest() });
    let after = room.publish(draft("after")).expect("the room works again");
    assert_eq!(after.id.sequence, before.id.sequence + 1);
    match wake.recv_timeout(PATIENCE) {
        Ok(Wake::Delivery(delivery)) => assert_eq!(&*delivery.messages[0].text, "after"),
        other => panic!("the second poll got {other:?}"),
    }
}

#[test]
#[cfg(feature = "async")]
fn a_room_whose_task_panics_is_restarted_whole_and_its_waiters_poll_again() {
    use comet_chat::nonblocking;
    use tokio::time::timeout;

    quiet_the_planted_panic();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let store = fragile();
        let rooms = nonblocking::room::Rooms::new(store.clone());
        let room = rooms.whereis(&RoomName::lobby()).expect("a room");
        let before = room.publish(draft("before")).await.expect("published");

        let wake = room.subscribe(SubscriberId::fresh(), latest());
        store.panics.store(true, SeqCst);
        let planted = room.publish(draft("planted")).await;
        assert_eq!(planted, Err(Refusal::TryAgain), "a message that is not stored is not ok");
        let woken = timeout(PATIENCE, wake).await.expect("the waiter is told");
        assert!(woken.is_err(), "the waiter must poll again");

        let after = Subscription { after: After::Cursor(before.id), ..latest() };
        let wake = room.subscribe(SubscriberId::fresh(), after);
        let after = room.publish(draft("after")).await.expect("the room works again");
        assert_eq!(after.id.sequence, before.id.sequence + 1);
        match timeout(PATIENCE, wake).await.expect("the waiter is told") {
            Ok(Wake::Delivery(delivery)) => assert_eq!(&*delivery.messages[0].text, "after"),
            other => panic!("the second poll got {other:?}"),
        }
    });
}

fn quiet_the_planted_panic() {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some("planted") {
            hook(info);
        }
    }));
}

fn fragile() -> Arc<Fragile> {
    let inner = MemoryStore::new(Keep { messages: 100, files: u64::MAX, age: None });
    Arc::new(Fragile { inner, panics: AtomicBool::new(false), panics_in_reads: AtomicBool::new(false) })
}

fn latest() -> Subscription {
    Subscription { after: After::Latest, wants: Wants::ONE_MESSAGE, who: None }
}

fn draft(text: &str) -> Draft {
    Draft::said(None, Claim::Nothing, text, None)
}

impl Store for Fragile {
    fn epoch(&self) -> Epoch {
        self.inner.epoch()
    }

    fn keep(&self) -> Keep {
        self.inner.keep()
    }

    fn seal(&self) -> Seal {
        self.inner.seal()
    }

    fn append(&self, room: &RoomName, seen: Cursor, drafts: Vec<Draft>, done: Done) {
        if self.panics.swap(false, SeqCst) {
            panic!("planted");
        }
        self.inner.append(room, seen, drafts, done);
    }

    fn newest(&self, room: &RoomName, limit: usize) -> Result<Tail, store::Error> {
        self.inner.newest(room, limit)
    }

    fn after(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, store::Error> {
        self.inner.after(room, sequence, limit)
    }

    fn before(
        &self,
        room: &RoomName,
        sequence: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Message>>, store::Error> {
        if self.panics_in_reads.swap(false, SeqCst) {
            panic!("planted");
        }
        self.inner.before(room, sequence, limit)
    }

    fn file(
        &self,
        room: &RoomName,
        sequence: u64,
        part: Range<u64>,
    ) -> Result<Option<Vec<u8>>, store::Error> {
        self.inner.file(room, sequence, part)
    }

    fn newest_but(
        &self,
        room: &RoomName,
        kinds: Kinds,
        newer: usize,
    ) -> Result<Option<Cursor>, store::Error> {
        self.inner.newest_but(room, kinds, newer)
    }

    fn rooms(
        &self,
        order: Order,
        after: Option<&RoomName>,
        limit: usize,
    ) -> Result<Vec<RoomSummary>, store::Error> {
        self.inner.rooms(order, after, limit)
    }

    fn peopled(&self, limit: usize) -> Result<Vec<RoomName>, store::Error> {
        self.inner.peopled(limit)
    }

    fn expire(&self, now: Timestamp, steady: Timestamp) -> Result<(), store::Error> {
        self.inner.expire(now, steady)
    }

    fn stats(&self) -> Stats {
        self.inner.stats()
    }
}
