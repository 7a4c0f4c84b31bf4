//! How many handlers there are and how many are free, so when one is started and when one ends.
//!
//! **Fault:** if a handler still counts as free when a task is on its way to it, two tasks find the same
//! handler, and one is left waiting. **Cure:** the count goes down when a task is given, and up when a handler
//! has done it.

use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::SeqCst};

use crate::config::{HANDLERS_AT_ONCE, HANDLERS_KEPT, HANDLERS_SPARE};

/// The counts. Each function is one atomic step.
#[derive(Debug, Default)]
pub struct Crew {
    count: AtomicUsize,
    /// Handlers that wait for a task or are being started, minus the tasks that wait for a handler.
    free: AtomicIsize,
}

impl Crew {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.count.load(SeqCst)
    }

    /// Counts a task that is about to be given. Says how many handlers to start for the next tasks: one, or more
    /// if there was no thread for earlier ones.
    pub fn count_task(&self) -> usize {
        let missing = HANDLERS_SPARE.cast_signed() + 1 - self.free.fetch_sub(1, SeqCst);
        usize::try_from(missing).unwrap_or(0).min(HANDLERS_AT_ONCE)
    }

    /// Counts a handler that is about to be started. Says whether there may be so many.
    pub fn grow(&self, limit: usize) -> bool {
        self.count.fetch_update(SeqCst, SeqCst, |n| (n < limit).then_some(n + 1)).is_ok()
    }

    /// Counts a handler as free: one that is being started, or one that has done its task.
    ///
    /// If a handler counted only when it runs, each request until then would start another: a thousand requests
    /// at once would start hundreds.
    pub fn count_free(&self) {
        self.free.fetch_add(1, SeqCst);
    }

    /// Takes back a handler that was counted: there was no thread for it.
    pub fn uncount_start(&self) {
        self.free.fetch_sub(1, SeqCst);
        self.count_end();
    }

    /// Takes a free handler off the count of the free, if there are more than enough. Says whether it may end.
    pub fn shrink(&self) -> bool {
        self.free.fetch_update(SeqCst, SeqCst, |free| (free > HANDLERS_KEPT).then(|| free - 1)).is_ok()
    }

    /// Counts a handler that ends.
    pub fn count_end(&self) {
        self.count.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::search::through_all_orders;

    const LIMIT: usize = 7;

    impl Clone for Crew {
        fn clone(&self) -> Crew {
            Crew { count: self.count().into(), free: self.free.load(SeqCst).into() }
        }
    }

    /// Where the thread is that hands out tasks.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    enum Giver {
        Rests,
        Grows,
        Counts,
        Spawns,
        Gives,
    }

    /// Handlers in each place of their life, the tasks that nobody has taken, and the thread that gives.
    #[derive(Clone)]
    struct World {
        crew: Crew,
        giver: Giver,
        /// How many handlers it is yet to start.
        wanted: usize,
        to_come: usize,
        tasks: usize,
        waiting: usize,
        answering: usize,
        /// Done with a task, not counted as free yet.
        done: usize,
        /// Let go, not off the count yet.
        leaving: usize,
        /// Whether the machine has always given a thread so far.
        is_well: bool,
    }

    type Key = (usize, isize, Giver, usize, usize, usize, usize, usize, usize, usize, bool);

    impl World {
        fn key(&self) -> Key {
            let free = self.crew.free.load(SeqCst);
            let World { giver, wanted, to_come, tasks, waiting, answering, done, leaving, is_well, .. } =
                *self;
            (
                self.crew.count(),
                free,
                giver,
                wanted,
                to_come,
                tasks,
                waiting,
                answering,
                done,
                leaving,
                is_well,
            )
        }

        fn step(&self, change: impl FnOnce(&mut World)) -> World {
            let mut next = self.clone();
            change(&mut next);
            next
        }

        /// Every next state; who answers may take for ever, and time may pass at any time.
        fn next(&self) -> Vec<World> {
            let mut next = Vec::new();
            match self.giver {
                Giver::Rests if self.to_come > 0 => next.push(self.step(|w| {
                    w.to_come -= 1;
                    w.wanted = w.crew.count_task();
                    w.giver = if w.wanted > 0 { Giver::Grows } else { Giver::Gives };
                })),
                Giver::Rests => {}
                Giver::Grows => next.push(self.step(|w| {
                    w.giver = if w.crew.grow(LIMIT) { Giver::Counts } else { Giver::Gives };
                })),
                Giver::Counts => next.push(self.step(|w| {
                    w.crew.count_free();
                    w.giver = Giver::Spawns;
                })),
                Giver::Spawns => {
                    next.push(self.step(|w| {
                        w.waiting += 1;
                        w.wanted -= 1;
                        w.giver = if w.wanted > 0 { Giver::Grows } else { Giver::Gives };
                    }));
                    next.push(self.step(|w| {
                        w.crew.uncount_start();
                        w.is_well = false;
                        w.wanted = 0;
                        w.giver = Giver::Gives;
                    }));
                }
                Giver::Gives => next.push(self.step(|w| {
                    w.tasks += 1;
                    w.giver = Giver::Rests;
                })),
            }
            if self.waiting > 0 && self.tasks > 0 {
                next.push(self.step(|w| {
                    w.tasks -= 1;
                    w.waiting -= 1;
                    w.answering += 1;
                }));
            }
            if self.waiting > 0 && self.tasks == 0 {
                next.push(self.step(|w| {
                    if w.crew.shrink() {
                        w.waiting -= 1;
                        w.leaving += 1;
                    }
                }));
            }
            if self.answering > 0 {
                next.push(self.step(|w| {
                    w.answering -= 1;
                    w.done += 1;
                }));
            }
            if self.done > 0 {
                next.push(self.step(|w| {
                    w.done -= 1;
                    w.crew.count_free();
                    w.waiting += 1;
                }));
            }
            if self.leaving > 0 {
                next.push(self.step(|w| {
                    w.leaving -= 1;
                    w.crew.count_end();
                }));
            }
            next
        }

        fn holds(&self) {
            let threads = self.waiting + self.answering + self.done + self.leaving;
            let being_started = usize::from(matches!(self.giver, Giver::Counts | Giver::Spawns));
            assert_eq!(self.crew.count(), threads + being_started, "{:?}", self.key());
            assert!(threads <= LIMIT);
            // At rest the counts are exact: no task has been lost, and no handler counted twice.
            if self.giver == Giver::Rests {
                let free = self.waiting.cast_signed() - self.tasks.cast_signed();
                assert_eq!(self.crew.free.load(SeqCst), free, "{:?}", self.key());
                // Whoever answers may do so for ever: the task that would end it has somebody else.
                assert!(free >= 0 || !self.is_well || self.crew.count() == LIMIT, "{:?}", self.key());
            }
        }
    }

    /// Three requests once stood 4.9 s on an idle server, between handlers that came and went. Through all
    /// orders of what they and the giver of tasks do, with and without threads from the machine: the counts
    /// stay true, nobody ends while a task stands, and some are always left to take the next.
    #[test]
    fn through_all_orders_of_steps_no_task_is_left_standing() {
        for started in [2, 4, 6] {
            let crew = Crew { count: started.into(), free: started.cast_signed().into() };
            let start = World {
                crew,
                giver: Giver::Rests,
                wanted: 0,
                to_come: 5,
                tasks: 0,
                waiting: started,
                answering: 0,
                done: 0,
                leaving: 0,
                is_well: true,
            };
            let states = through_all_orders(start, World::key, |world| {
                world.holds();
                let next = world.next();
                let left = world.waiting + world.answering + world.done;
                assert!(left >= started.min(HANDLERS_KEPT.unsigned_abs()), "{:?}", world.key());
                next
            });
            assert!(states > 1_000, "{states}");
        }
    }
}
