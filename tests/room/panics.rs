//! A room that panics takes nobody with it.

use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use comet_chat::blocking::room::Rooms;
use comet_chat::message::{Draft, Epoch, Kind, Message, RoomName, Timestamp};
use comet_chat::room::{After, SubscriberId, Subscription, Wake, Wants};
use comet_chat::store::{self, Appended, Keep, MemoryStore, RoomSummary, Stats, Store, Tail};
use comet_chat::wire::refusal::Refusal;
use crossbeam_channel::RecvTimeoutError;

/// A store that panics once when it is told to: a bug in the room's own thread.
struct Fragile {
    inner: MemoryStore,
    panics: AtomicBool,
}

#[test]
fn a_room_that_panics_is_restarted_whole_and_its_waiters_poll_again() {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some("planted") {
            hook(info);
        }
    }));
    let inner = MemoryStore::new(Keep { messages: 100, age: None });
    let store = Arc::new(Fragile { inner, panics: AtomicBool::new(false) });
    let rooms = Rooms::new(store.clone());
    let room = rooms.whereis(&RoomName::lobby()).expect("a room");
    let before = room.publish(draft("before")).expect("published");

    let wake = room.subscribe(SubscriberId::fresh(), latest());
    store.panics.store(true, SeqCst);
    assert_eq!(room.publish(draft("planted")), Err(Refusal::TryAgain), "what is not stored is not ok");
    let deadline = Duration::from_secs(10);
    assert_eq!(wake.recv_timeout(deadline), Err(RecvTimeoutError::Disconnected), "who waited comes back");

    let wake =
        room.subscribe(SubscriberId::fresh(), Subscription { after: After::Cursor(before.id), ..latest() });
    let after = room.publish(draft("after")).expect("the room is there again");
    assert_eq!(after.id.sequence, before.id.sequence + 1);
    match wake.recv_timeout(deadline) {
        Ok(Wake::Page(page)) => assert_eq!(&*page.messages[0].text, "after"),
        other => panic!("who came back got {other:?}"),
    }
}

fn latest() -> Subscription {
    Subscription { after: After::Latest, wants: Wants::Messages, name: None }
}

fn draft(text: &str) -> Draft {
    Draft { kind: Kind::Message, name: None, text: text.into(), send_id: None, at: Timestamp::now() }
}

impl Store for Fragile {
    fn epoch(&self) -> Epoch {
        self.inner.epoch()
    }

    fn append(&self, room: &RoomName, drafts: &[Draft]) -> Result<Vec<Appended>, store::Error> {
        if self.panics.swap(false, SeqCst) {
            panic!("planted");
        }
        self.inner.append(room, drafts)
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
        self.inner.before(room, sequence, limit)
    }

    fn rooms(&self) -> Result<Vec<RoomSummary>, store::Error> {
        self.inner.rooms()
    }

    fn expire(&self, now: Timestamp) -> Result<(), store::Error> {
        self.inner.expire(now)
    }

    fn stats(&self) -> Stats {
        self.inner.stats()
    }
}
