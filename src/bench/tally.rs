//! The tally: what was published, and which waiter saw it.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use super::mark::Number;
use super::verdict::{Fault, Verdict};

/// All that was published in a run, and what each waiter saw, in the order in which it saw it.
#[derive(Debug, Default)]
pub struct Tally {
    published: Vec<Published>,
    seen: Vec<Seen>,
    acknowledged: usize,
    deliveries: usize,
    /// The sum of all `seen_by`.
    first_sightings: usize,
    /// How many are owed every message.
    waiters: usize,
}

#[derive(Debug)]
struct Published {
    publisher: usize,
    /// Only within a room is there an order.
    room: usize,
    sent: SystemTime,
    acknowledged: bool,
    /// How many waiters that are owed it have seen it.
    seen_by: usize,
}

#[derive(Debug, Default)]
struct Seen {
    /// Every sighting.
    order: Vec<Number>,
    /// Each message that was seen.
    messages: HashSet<Number>,
    /// A waiter that was refused half-way is owed nothing more, but what it saw must be in order.
    dismissed: bool,
}

impl Tally {
    /// A tally for so many waiters.
    pub fn new(waiters: usize) -> Tally {
        let mut tally = Tally { waiters, ..Tally::default() };
        tally.seen.resize_with(waiters, Seen::default);
        tally
    }

    /// The number of the next message.
    pub fn next(&self) -> Number {
        self.published.len() as Number
    }

    /// Gives the next message its number.
    pub fn publish(&mut self, publisher: usize, room: usize, sent: SystemTime) -> Number {
        let number = self.next();
        self.published.push(Published { publisher, room, sent, acknowledged: false, seen_by: 0 });
        number
    }

    /// The server said that the message is stored and handed to all.
    pub fn acknowledge(&mut self, message: Number) {
        self.published[message as usize].acknowledged = true;
        self.acknowledged += 1;
    }

    /// A waiter saw a message; answers when it was sent, or `None` for a number that nobody gave.
    pub fn see(&mut self, waiter: usize, message: Number) -> Option<SystemTime> {
        let published = self.published.get_mut(message as usize)?;
        self.deliveries += 1;
        self.seen[waiter].order.push(message);
        if self.seen[waiter].messages.insert(message) {
            published.seen_by += 1;
            self.first_sightings += 1;
        }
        Some(published.sent)
    }

    /// The waiter is gone by the server's own word and is owed nothing more.
    pub fn dismiss(&mut self, waiter: usize) {
        let seen = &mut self.seen[waiter];
        if std::mem::replace(&mut seen.dismissed, true) {
            return;
        }
        self.waiters -= 1;
        self.first_sightings -= seen.messages.len();
        for &message in &seen.messages {
            self.published[message as usize].seen_by -= 1;
        }
    }

    /// How many waiters are owed every message.
    pub fn waiters(&self) -> usize {
        self.waiters
    }

    /// Whether this waiter has seen every message.
    pub fn has_seen_all(&self, waiter: usize) -> bool {
        self.seen[waiter].messages.len() == self.published.len()
    }

    /// Whether every waiter has seen this message.
    pub fn all_saw(&self, message: Number) -> bool {
        self.published[message as usize].seen_by >= self.waiters
    }

    /// Whether every waiter has seen every message that was acknowledged.
    pub fn all_saw_all(&self) -> bool {
        // The sums tell quickly that some are missing. Only a look at each message tells that none is.
        self.first_sightings >= self.acknowledged * self.waiters
            && self.published.iter().all(|one| !one.acknowledged || one.seen_by >= self.waiters)
    }

    /// How many deliveries there were of all messages, doubled ones included.
    pub fn deliveries(&self) -> usize {
        self.deliveries
    }

    /// How many messages were given to the server.
    pub fn published(&self) -> usize {
        self.published.len()
    }

    /// How many of them the server acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    fn rooms(&self) -> usize {
        self.published.iter().map(|one| one.room + 1).max().unwrap_or(0)
    }

    /// Compares what each waiter saw with what was published.
    pub fn verdict(&self) -> Verdict {
        let ranks = self.agreed_ranks();
        let mut verdict = Verdict::default();
        for (waiter, seen) in self.seen.iter().enumerate() {
            self.judge(waiter, seen, &ranks, &mut verdict);
        }
        verdict
    }

    /// Each room's order as the waiters saw it: the rank of each message by its mean place among all of its
    /// room. One waiter with a fault does not move it, where trusting any single one would.
    fn agreed_ranks(&self) -> Vec<usize> {
        let mut places = vec![(0usize, 0usize); self.published.len()];
        for seen in &self.seen {
            let mut next = vec![0; self.rooms()];
            for &message in &seen.order {
                let place = &mut next[self.published[message as usize].room];
                let (sum, count) = &mut places[message as usize];
                *sum += *place;
                *count += 1;
                *place += 1;
            }
        }
        let mean = |message: usize| {
            let (sum, count) = places[message];
            sum as f64 / count.max(1) as f64
        };
        let mut order: Vec<usize> = (0..self.published.len()).collect();
        order.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)).then(a.cmp(&b)));
        let mut ranks = vec![0; order.len()];
        for (rank, message) in order.into_iter().enumerate() {
            ranks[message] = rank;
        }
        ranks
    }

    fn judge(&self, waiter: usize, seen: &Seen, ranks: &[usize], verdict: &mut Verdict) {
        let mut before = HashSet::new();
        let mut furthest_in: Vec<Option<Number>> = vec![None; self.rooms()];
        // What one publisher sends after the reply to its last message in the room stands after it, even if all
        // waiters agree on another order.
        let mut furthest_of: HashMap<(usize, usize), Option<Number>> = HashMap::new();
        for &message in &seen.order {
            if !before.insert(message) {
                verdict.add(Fault::Doubled { waiter, message });
                continue;
            }
            let Published { publisher, room, .. } = self.published[message as usize];
            let furthest = &mut furthest_in[room];
            let own = furthest_of.entry((publisher, room)).or_default();
            let behind = |other: Number| ranks[other as usize] > ranks[message as usize];
            if let Some(after) = furthest.filter(|&other| behind(other)).or(own.filter(|&o| o > message)) {
                verdict.add(Fault::Swapped { waiter, message, after });
            }
            if !furthest.is_some_and(behind) {
                *furthest = Some(message);
            }
            *own = (*own).max(Some(message));
        }
        if seen.dismissed {
            return;
        }
        for (message, published) in (0..).zip(&self.published) {
            if published.acknowledged && !seen.messages.contains(&message) {
                verdict.add(Fault::Lost { waiter, message });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three waiters that saw these numbers, of as many messages as the first saw.
    fn verdict_of(publishers: &[usize], seen: [&[Number]; 3]) -> Verdict {
        let mut tally = Tally::new(3);
        for &publisher in publishers {
            let number = tally.publish(publisher, 0, SystemTime::UNIX_EPOCH);
            tally.acknowledge(number);
        }
        for (waiter, order) in seen.iter().enumerate() {
            for &message in *order {
                assert!(tally.see(waiter, message).is_some());
            }
        }
        tally.verdict()
    }

    #[test]
    fn one_order_that_all_saw_once_is_clean() {
        let order: &[Number] = &[1, 0, 2, 3];
        assert!(verdict_of(&[0, 1, 0, 0], [order, order, order]).is_clean());
    }

    #[test]
    fn a_lost_message_is_named_once() {
        let verdict = verdict_of(&[0; 4], [&[0, 1, 2, 3], &[0, 2, 3], &[0, 1, 2, 3]]);
        let lost = Fault::Lost { waiter: 1, message: 1 };
        assert_eq!(verdict.named, [lost]);
    }

    #[test]
    fn a_doubled_message_is_named_once() {
        let verdict = verdict_of(&[0; 3], [&[0, 1, 2], &[0, 1, 2], &[0, 1, 2, 1]]);
        let doubled = Fault::Doubled { waiter: 2, message: 1 };
        assert_eq!(verdict.named, [doubled]);
    }

    #[test]
    fn a_swap_of_two_publishers_messages_is_told_by_the_majority() {
        let verdict = verdict_of(&[0, 1, 2], [&[1, 0, 2], &[0, 1, 2], &[1, 0, 2]]);
        let swapped = Fault::Swapped { waiter: 1, message: 1, after: 0 };
        assert_eq!(verdict.named, [swapped]);
    }

    #[test]
    fn a_swap_of_one_publishers_messages_is_told_though_all_agree() {
        let order: &[Number] = &[0, 2, 1];
        let verdict = verdict_of(&[0; 3], [order, order, order]);
        assert_eq!(verdict.swapped, 3);
    }

    #[test]
    fn between_rooms_there_is_no_order() {
        let seen: [&[Number]; 3] = [&[0, 1, 2, 3], &[1, 0, 3, 2], &[0, 2, 1, 3]];
        let verdict = |rooms: usize| {
            let mut tally = Tally::new(seen.len());
            for message in 0..4 {
                let number = tally.publish(0, message % rooms, SystemTime::UNIX_EPOCH);
                tally.acknowledge(number);
            }
            for (waiter, order) in seen.iter().enumerate() {
                assert!(order.iter().all(|&message| tally.see(waiter, message).is_some()));
            }
            tally.verdict()
        };
        assert!(verdict(2).is_clean());
        assert!(verdict(1).swapped > 0);
    }

    #[test]
    fn a_dismissed_waiter_is_owed_nothing() {
        let mut tally = Tally::new(1);
        let number = tally.publish(0, 0, SystemTime::UNIX_EPOCH);
        tally.acknowledge(number);
        tally.dismiss(0);
        assert!(tally.verdict().is_clean());
        assert_eq!(tally.waiters(), 0);
    }

    #[test]
    fn a_number_that_nobody_gave_is_not_seen() {
        assert!(Tally::new(1).see(0, 0).is_none());
    }
}
