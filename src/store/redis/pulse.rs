//! The thread by which this instance shows that it lives, looks after those that do not, and tells its rooms now and
//! then where their orders end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use redis::Cmd;

use super::batch::place;
use super::followers::Followers;
use super::life::Life;
use super::link::Link;
use super::rows;
use super::scripts::Step;
use super::spec::RedisSpec;
use super::trouble::Trouble;
use super::worker::{Seat, Worker};
use crate::config::{REDIS_PULSE, REDIS_SILENCE, REDIS_SWEEP};
use crate::message::Mark;
use crate::store::counts::Counts;
use crate::store::{Error, Heard};

/// What a sign of life is answered with.
pub(super) struct Sign {
    /// Whether this instance still holds whom it held.
    is_alive: bool,
    /// An instance that is dead and still holds people.
    dead: Option<String>,
}

/// Gives a sign of life. An instance with a new name makes that known by it.
pub(super) fn give(link: &mut Link, life: &Life, lease: Duration, is_new: bool) -> Result<Sign, Trouble> {
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let command = link
        .step(Step::Pulse)
        .arg(&life.prefix)
        .arg(life.epoch().number())
        .arg(&*life.instance())
        .arg(u8::from(is_new))
        .arg(millis(lease))
        .arg(millis(REDIS_SILENCE))
        .arg(rows::secret(&life.seal))
        .take();
    let (epoch, is_alive, dead, secret): (u32, u8, String, String) = link.ask(&command)?;
    life.learn(epoch);
    life.seal.learn(rows::read_secret(&secret)?);
    Ok(Sign { is_alive: is_alive == 1, dead: (!dead.is_empty()).then_some(dead) })
}

/// Goes on under a new name after this instance was taken for dead: it holds nobody, and its rooms hear that.
pub(super) fn revive(
    link: &mut Link,
    life: &Life,
    followers: &Followers,
    dead: &str,
    lease: Duration,
) -> Result<Sign, Trouble> {
    if life.begin_anew(dead, || followers.doubt_all()) {
        tracing::warn!("this server was silent for so long that the others took it for dead");
        followers.tell_those_in_doubt();
    }
    give(link, life, lease, true)
}

/// Starts the thread. Whoever sends on the channel has all rooms told at once.
pub(super) fn start(
    spec: &RedisSpec,
    life: &Arc<Life>,
    followers: &Followers,
    counts: &Arc<Counts>,
) -> Result<(Worker, Sender<()>), Error> {
    let (nudge, nudged) = bounded(1);
    let mut pulse =
        Pulse { life: life.clone(), followers: followers.clone(), lease: spec.lease, nudged, is_away: false };
    let worker = Worker::start("store-pulse", spec, counts, move |seat| pulse.run(seat))?;
    Ok((worker, nudge))
}

struct Pulse {
    life: Arc<Life>,
    followers: Followers,
    lease: Duration,
    nudged: Receiver<()>,
    is_away: bool,
}

impl Pulse {
    fn run(&mut self, seat: &mut Seat) {
        let mut link = None;
        while !seat.is_ending() {
            let connected = link.take().map_or_else(|| seat.connect(), Ok);
            match connected.and_then(|mut link| self.beat(&mut link).map(|()| link)) {
                Ok(living) => {
                    link = Some(living);
                    self.is_away = false;
                    select! {
                        recv(seat.ended()) -> _ => return,
                        recv(self.nudged) -> nudge => if nudge.is_err() && !seat.rest(REDIS_PULSE) { return },
                        default(REDIS_PULSE) => {}
                    }
                }
                Err(trouble) => {
                    if !self.is_away && !seat.is_ending() {
                        tracing::warn!("no sign of life could be given: Redis {trouble}");
                    }
                    self.is_away = true;
                    if !seat.pause() {
                        return;
                    }
                }
            }
        }
    }

    fn beat(&mut self, link: &mut Link) -> Result<(), Trouble> {
        let instance = self.life.instance();
        let mut sign = give(link, &self.life, self.lease, false)?;
        if !sign.is_alive {
            sign = revive(link, &self.life, &self.followers, &instance, self.lease)?;
        }
        self.followers.tell_those_in_doubt();
        self.tell_all(link)?;
        if let Some(dead) = sign.dead {
            self.sweep(link, &dead)?;
        }
        Ok(())
    }

    /// Lets go of those whom a dead instance holds, for as long as there is time before the next sign of life.
    fn sweep(&self, link: &mut Link, dead: &str) -> Result<(), Trouble> {
        let began = Instant::now();
        while began.elapsed() < REDIS_PULSE {
            let mut command = link
                .step(Step::Sweep)
                .arg(&self.life.prefix)
                .arg(self.life.epoch().number())
                .arg(dead)
                .take();
            for _ in 0..REDIS_SWEEP {
                command.arg(Mark::random().number());
            }
            if link.ask::<u8>(&command)? == 0 {
                tracing::info!("a server that was silent for too long holds nobody any more");
                return Ok(());
            }
        }
        Ok(())
    }

    fn tell_all(&self, link: &mut Link) -> Result<(), Trouble> {
        for names in self.followers.rooms().chunks(REDIS_SWEEP) {
            let mut command: Cmd =
                link.step(Step::Latest).arg(&self.life.prefix).arg(self.life.epoch().number()).take();
            for name in names {
                command.arg(&**name);
            }
            let numbers: Vec<u64> = link.ask(&command)?;
            let Some((epoch, places)) = numbers.split_first() else { continue };
            let small = |number: u64| u32::try_from(number).map_err(|_| rows::unreadable(&number));
            let epoch = self.life.learn(small(*epoch)?);
            for (name, latest) in names.iter().zip(places.chunks_exact(2)) {
                self.followers.tell(name, &Heard::Ends(place(epoch, latest[0], small(latest[1])?)));
            }
        }
        Ok(())
    }
}
