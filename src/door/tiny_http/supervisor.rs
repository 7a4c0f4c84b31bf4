//! The supervisor: it starts another tiny_http server when nobody accepts any more.
//!
//! It hears at once of an accept loop that ends with an error. Once a second it looks for one that has ended
//! without a word. The watcher tells it when clients knock and nobody accepts them.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, after, never, select, tick};

use super::door::Door;
use super::generations::Generation;
use super::watcher;
use crate::config::{REVIVAL_PAUSES, SUPERVISOR_BEAT};
use crate::door::pace::{Failure, Pace};
use crate::metrics::METRICS;

/// What the supervisor hears of.
enum Event {
    /// The pause before a start is over.
    Due,
    /// Somebody says that nobody accepts.
    Death,
    /// Time to look whether somebody accepts.
    Beat { is_alive: bool },
}

/// What it does about it.
enum Order {
    Nothing,
    /// Start a server. If that fails, it is a death.
    Start,
    /// Start one after a pause.
    Revive(Failure),
    /// Say that nobody accepts.
    ReportDeath,
}

/// What it knows.
#[derive(Clone)]
struct Supervisor {
    pace: Pace,
    /// A start is due after a pause.
    is_due: bool,
}

impl Supervisor {
    /// The first start is due.
    fn new() -> Supervisor {
        let (first, last) = REVIVAL_PAUSES;
        Supervisor { pace: Pace::new(first, last), is_due: true }
    }

    fn hears(&mut self, event: Event, now: Instant) -> Order {
        match event {
            Event::Due => {
                self.is_due = false;
                Order::Start
            }
            // A start is on its way.
            Event::Death if self.is_due => Order::Nothing,
            Event::Death => {
                self.is_due = true;
                Order::Revive(self.pace.fails(now))
            }
            Event::Beat { is_alive: false } => Order::ReportDeath,
            Event::Beat { is_alive: true } => Order::Nothing,
        }
    }
}

/// Keeps a server accepting until `stop` speaks. Returns the servers that may still have connections.
pub fn supervise(door: &Arc<Door>, stop: &Receiver<()>) -> Vec<Generation> {
    let mut supervisor = Supervisor::new();
    let mut generations: Vec<Generation> = vec![];
    let mut watcher: Option<JoinHandle<()>> = None;
    let mut due = after(Duration::ZERO);
    let beat = tick(SUPERVISOR_BEAT);
    loop {
        let event = select! {
            recv(due) -> _ => {
                due = never();
                Event::Due
            }
            recv(door.died) -> _ => Event::Death,
            recv(beat) -> _ => {
                forget_the_dead(door, &mut generations);
                if watcher.as_ref().is_none_or(JoinHandle::is_finished) {
                    watcher = watcher::start(door).ok();
                }
                Event::Beat { is_alive: generations.last().is_some_and(Generation::is_alive) }
            }
            recv(stop) -> _ => return generations,
        };
        match supervisor.hears(event, Instant::now()) {
            Order::Nothing => {}
            Order::Start => match Generation::start(door) {
                Some(generation) => generations.push(generation),
                None => door.report_death(),
            },
            Order::Revive(Failure { pause, times }) => {
                generations.iter().for_each(Generation::retire);
                METRICS.revivals.inc();
                if let Some(times) = times {
                    tracing::warn!(times, "tiny_http stopped accepting and is started anew");
                }
                due = after(pause);
            }
            Order::ReportDeath => door.report_death(),
        }
    }
}

/// Drops the servers that accept no more and have no connections left.
fn forget_the_dead(door: &Door, generations: &mut Vec<Generation>) {
    generations.retain(Generation::is_needed);
    if generations.iter().any(Generation::is_dead)
        && let Ok(seen) = door.sockets.all()
    {
        // A connection that is not accepted yet has the number 0.
        let open = seen.iter().map(|seen| seen.inode).filter(|&inode| inode != 0).collect();
        generations.iter_mut().for_each(|generation| generation.note_open(&open));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::search::through_all_orders;

    /// A supervisor with all that it can be told of and all that can become of what it orders.
    #[derive(Clone)]
    struct World {
        supervisor: Supervisor,
        is_timer_set: bool,
        is_death_reported: bool,
        somebody_accepts: bool,
    }

    type Key = (bool, bool, bool, bool);

    impl World {
        fn key(&self) -> Key {
            (self.supervisor.is_due, self.is_timer_set, self.is_death_reported, self.somebody_accepts)
        }

        fn hears(&self, event: Event, start_succeeds: bool) -> World {
            let mut next = self.clone();
            match event {
                Event::Due => next.is_timer_set = false,
                Event::Death => next.is_death_reported = false,
                Event::Beat { .. } => {}
            }
            match next.supervisor.hears(event, Instant::now()) {
                Order::Nothing => {}
                Order::Start if start_succeeds => next.somebody_accepts = true,
                Order::Start | Order::ReportDeath => next.is_death_reported = true,
                Order::Revive(_) => {
                    assert!(!next.is_timer_set, "a start was due already");
                    next.is_timer_set = true;
                }
            }
            next
        }

        fn beat(&self) -> Event {
            Event::Beat { is_alive: self.somebody_accepts }
        }

        /// Every next state.
        fn next(&self) -> Vec<World> {
            let mut next = vec![self.hears(self.beat(), true)];
            if self.is_timer_set {
                next.extend([true, false].map(|succeeds| self.hears(Event::Due, succeeds)));
            }
            if self.is_death_reported {
                next.push(self.hears(Event::Death, true));
            }
            // The accept loop ends, with a word or without; or the watcher finds the door deaf.
            next.push(World { somebody_accepts: false, is_death_reported: true, ..self.clone() });
            next.push(World { somebody_accepts: false, ..self.clone() });
            next.push(World { is_death_reported: true, ..self.clone() });
            next
        }
    }

    /// Once the accept thread had died in a place that nobody looked at, the server was deaf for 56 minutes.
    /// Through all orders of events: as soon as the machine gives what is needed, somebody accepts.
    #[test]
    fn through_all_orders_of_events_somebody_accepts_in_the_end() {
        let supervisor = Supervisor::new();
        let start =
            World { supervisor, is_timer_set: true, is_death_reported: false, somebody_accepts: false };
        let states = through_all_orders(start, World::key, |world| {
            assert_eq!(world.supervisor.is_due, world.is_timer_set, "{:?} never ends", world.key());
            let mut calm = world.clone();
            for _ in 0..2 {
                calm = calm.hears(calm.beat(), true);
                if calm.is_death_reported {
                    calm = calm.hears(Event::Death, true);
                }
                if calm.is_timer_set {
                    calm = calm.hears(Event::Due, true);
                }
            }
            assert!(calm.somebody_accepts, "nobody accepts after {:?}", world.key());
            world.next()
        });
        assert!(states > 5, "{states}");
    }
}
