//! The messages that are under way: who still has to hear each, and how long it took.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use super::super::mark::Number;
use crate::config::CROWD_PATIENCE;

/// All messages under way.
#[derive(Default)]
pub struct Posts {
    under_way: HashMap<Number, Post>,
    next: Number,
    /// What has become of those that are over, since it was last told.
    pub told: Vec<Told>,
    /// How many deliveries never came, since it was last told.
    pub lost: usize,
}

struct Post {
    /// When its first byte was sent.
    sent: SystemTime,
    until: Instant,
    is_answered: bool,
    owed: Owed,
    had: usize,
    /// How long it took to the first waiter, and to the last.
    took: Option<(Duration, Duration)>,
}

/// What has become of a message.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Told {
    /// How many waiters had it.
    of: usize,
    /// From its first byte to the first of them, in microseconds.
    first_us: u64,
    /// To the last of them.
    last_us: u64,
    /// 1 if it was refused, or if its connection broke.
    refused: u8,
}

impl Posts {
    /// A message is sent, to all these waiters.
    pub fn publish(
        &mut self,
        sent: SystemTime,
        now: Instant,
        waiting: impl Iterator<Item = usize>,
    ) -> Number {
        let number = self.next;
        self.next += 1;
        let mut owed = Owed::default();
        waiting.for_each(|waiter| owed.add(waiter));
        let until = now + CROWD_PATIENCE;
        self.under_way.insert(number, Post { sent, until, is_answered: false, owed, had: 0, took: None });
        number
    }

    /// The server said `ok`, or else.
    pub fn answer(&mut self, number: Number, is_ok: bool) {
        if let Some(post) = self.under_way.get_mut(&number) {
            post.is_answered = true;
            if !is_ok {
                self.end(number, 1);
            } else if post.owed.is_empty() {
                self.end(number, 0);
            }
        }
    }

    /// A waiter has a message. The time counts only if it has waited for it.
    pub fn hear(&mut self, waiter: usize, number: Number, at: Option<SystemTime>) {
        let Some(post) = self.under_way.get_mut(&number) else { return };
        if !post.owed.remove(waiter) {
            return;
        }
        post.had += 1;
        if let Some(at) = at {
            let took = at.duration_since(post.sent).unwrap_or_default();
            let (first, last) = post.took.unwrap_or((took, took));
            post.took = Some((first.min(took), last.max(took)));
        }
        if post.is_answered && post.owed.is_empty() {
            self.end(number, 0);
        }
    }

    /// A waiter has left, or was cut off and comes again: it is owed nothing.
    pub fn forgive(&mut self, waiter: usize) {
        let mut over = Vec::new();
        for (number, post) in &mut self.under_way {
            post.owed.remove(waiter);
            if post.is_answered && post.owed.is_empty() {
                over.push(*number);
            }
        }
        over.into_iter().for_each(|number| self.end(number, 0));
    }

    /// Counts as lost what has not come in time.
    pub fn look_at_the_time(&mut self, now: Instant) {
        let late = |(number, post): (&Number, &Post)| (post.until <= now).then_some(*number);
        let late: Vec<Number> = self.under_way.iter().filter_map(late).collect();
        for number in late {
            let post = &self.under_way[&number];
            self.lost += post.owed.count;
            self.end(number, u8::from(!post.is_answered));
        }
    }

    fn end(&mut self, number: Number, refused: u8) {
        let Some(post) = self.under_way.remove(&number) else { return };
        let (first, last) = post.took.unwrap_or_default();
        let micros = |time: Duration| time.as_micros() as u64;
        let told = Told { of: post.had, first_us: micros(first), last_us: micros(last), refused };
        self.told.push(told);
    }
}

/// A set of waiters: a bit for each.
#[derive(Default)]
struct Owed {
    bits: Vec<u64>,
    count: usize,
}

impl Owed {
    fn add(&mut self, waiter: usize) {
        if self.bits.len() <= waiter / 64 {
            self.bits.resize(waiter / 64 + 1, 0);
        }
        self.bits[waiter / 64] |= 1 << (waiter % 64);
        self.count += 1;
    }

    /// Says whether it was in.
    fn remove(&mut self, waiter: usize) -> bool {
        let Some(bits) = self.bits.get_mut(waiter / 64) else { return false };
        let was_in = *bits & (1 << (waiter % 64)) != 0;
        *bits &= !(1 << (waiter % 64));
        self.count -= usize::from(was_in);
        was_in
    }

    fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: SystemTime = SystemTime::UNIX_EPOCH;

    fn at(micros: u64) -> Option<SystemTime> {
        Some(SENT + Duration::from_micros(micros))
    }

    fn told(of: usize, first_us: u64, last_us: u64, refused: u8) -> Told {
        Told { of, first_us, last_us, refused }
    }

    #[test]
    fn a_message_is_over_when_it_is_answered_and_all_have_it() {
        let mut posts = Posts::default();
        let number = posts.publish(SENT, Instant::now(), [3, 70, 71].into_iter());
        posts.hear(71, number, None);
        posts.hear(70, number, at(20));
        posts.hear(70, number, at(90));
        posts.hear(5, number, at(1));
        posts.answer(number, true);
        assert_eq!(posts.told, []);
        posts.hear(3, number, at(10));
        assert_eq!(posts.told, [told(3, 10, 20, 0)]);
        assert_eq!(posts.lost, 0);
    }

    #[test]
    fn who_leaves_is_owed_nothing_and_what_does_not_come_is_lost() {
        let (mut posts, now) = (Posts::default(), Instant::now());
        let number = posts.publish(SENT, now, 0..3);
        posts.answer(number, true);
        posts.hear(0, number, at(7));
        posts.forgive(2);
        posts.look_at_the_time(now);
        assert_eq!(posts.lost, 0);
        posts.look_at_the_time(now + CROWD_PATIENCE);
        assert_eq!((posts.lost, posts.told), (1, vec![told(1, 7, 7, 0)]));
    }

    #[test]
    fn a_refused_message_is_lost_for_nobody() {
        let mut posts = Posts::default();
        let number = posts.publish(SENT, Instant::now(), 0..2);
        posts.answer(number, false);
        assert_eq!((posts.lost, posts.told), (0, vec![told(0, 0, 0, 1)]));
    }
}
