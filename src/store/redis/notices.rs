//! The thread that listens to what other instances do.
//!
//! A notice only says that there is more, or that somebody leaves. One that is lost costs some seconds: each room is
//! told now and then where its order ends.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;
use redis::{Value, cmd, from_redis_value};

use super::batch::place;
use super::followers::Followers;
use super::life::Life;
use super::link::Link;
use super::rows;
use super::spec::RedisSpec;
use super::trouble::Trouble;
use super::worker::{Seat, Worker};
use crate::config::REDIS_DEAF;
use crate::message::{Epoch, Person, RoomName};
use crate::store::counts::Counts;
use crate::store::{Error, Heard};

/// What the others are told when somebody leaves.
pub(super) fn leaves(life: &Life, room: &RoomName, who: &Person, wait: Duration) -> String {
    // The name is last: it may hold spaces.
    let Person { name, claim } = who;
    let room = room.as_str();
    format!("leaves {} {room} {} {} {name}", life.instance(), wait.as_millis(), rows::key(*claim))
}

/// Starts the thread. It nudges whoever tells all rooms, when it may have missed notices.
pub(super) fn start(
    spec: &RedisSpec,
    life: &Arc<Life>,
    followers: &Followers,
    nudge: Sender<()>,
    counts: &Arc<Counts>,
) -> Result<Worker, Error> {
    let listener = Listener { life: life.clone(), followers: followers.clone(), nudge };
    Worker::start("store-notices", spec, counts, move |seat| listener.run(seat))
}

struct Listener {
    life: Arc<Life>,
    followers: Followers,
    nudge: Sender<()>,
}

impl Listener {
    fn run(&self, seat: &mut Seat) {
        while !seat.is_ending() {
            let trouble = seat.connect().and_then(|mut link| self.listen(&mut link));
            if let Err(trouble) = trouble
                && !seat.is_ending()
            {
                tracing::debug!("no notice comes for a moment: Redis {trouble}");
            }
            if !seat.pause() {
                return;
            }
        }
    }

    /// Listens until the connection is lost.
    fn listen(&self, link: &mut Link) -> Result<(), Trouble> {
        link.ask::<Value>(cmd("SUBSCRIBE").arg(format!("{}:notices", self.life.prefix)))?;
        // What was told before is missed: whose the names are, and what was said. If somebody has nudged already, that
        // will do.
        self.followers.doubt_all();
        let _ = self.nudge.try_send(());
        loop {
            let (kind, _, notice): (String, String, String) = match link.hear(REDIS_DEAF)? {
                Value::Array(parts) => from_redis_value(Value::Array(parts)).unwrap_or_default(),
                _ => continue,
            };
            if kind == "message" {
                self.tell(&notice);
            }
        }
    }

    /// Tells a room what a notice says. What is no notice is left alone: others may write there.
    fn tell(&self, notice: &str) -> Option<()> {
        let mut words = notice.splitn(5, ' ');
        let (kind, instance, room) = (words.next()?, words.next()?, words.next()?);
        if *instance == *self.life.instance() {
            return None;
        }
        let heard = match kind {
            "latest" => {
                let (epoch, rest) = (words.next()?.parse().ok()?, words.next()?);
                let (sequence, mark) = rest.split_once(' ')?;
                let epoch = Epoch::from_number(epoch);
                Heard::Latest(place(epoch, sequence.parse().ok()?, mark.parse().ok()?))
            }
            "leaves" => {
                let wait = Duration::from_millis(words.next()?.parse().ok()?);
                let (key, name) = words.next()?.split_once(' ')?;
                Heard::Leaves(Person { name: name.parse().ok()?, claim: rows::claim(key)? }, wait)
            }
            "keys" => {
                self.followers.doubt(room);
                Heard::Lapsed
            }
            _ => return None,
        };
        self.followers.tell(room, &heard);
        Some(())
    }
}
