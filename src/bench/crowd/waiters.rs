//! Those who wait: each follows `next` for ever, and comes back whatever happens to it.

use std::time::{Duration, Instant};

use super::super::client::{Client, Event};
use super::super::mark::Mark;
use super::super::reply::Reply;
use super::super::target::{Form, Target};
use super::news::News;
use super::posts::Posts;
use crate::config::{
    CROWD_AWAY, CROWD_DOUBLINGS, CROWD_PACE, CROWD_PATIENCE, CROWD_VANISH, HOLD, ON_THEIR_WAY,
};

/// All waiters: the slots of the client from `first_slot` on.
pub struct Waiters {
    /// How many there should be.
    pub wanted: usize,
    all: Vec<Waiter>,
    first_slot: usize,
    /// How many may come or go now. A time without need of it is not saved up.
    pace: f64,
    looked: Instant,
    /// When clients vanish next, while that failure is on.
    vanish: Option<Instant>,
}

struct Waiter {
    state: State,
    /// Where to poll next: what it has missed while it was away.
    next: Option<String>,
    /// How often the server said that it has no place.
    refused_in_a_row: u32,
}

enum State {
    /// It has no connection, and comes when this time is over.
    Away(Instant),
    /// It has asked what it missed, which shows that it is served. It gives up at this time.
    Comes(Instant),
    /// It waits. If it has no answer at this time, it takes its connection for broken.
    Waits(Instant),
}

impl Waiters {
    /// None yet, with the client's slots from here on.
    pub fn new(first_slot: usize, now: Instant) -> Waiters {
        Waiters { wanted: 0, all: Vec::new(), first_slot, pace: 0.0, looked: now, vanish: None }
    }

    /// Those who wait now.
    pub fn waiting(&self) -> impl Iterator<Item = usize> {
        let waits = |(waiter, one): (usize, &Waiter)| matches!(one.state, State::Waits(_)).then_some(waiter);
        self.all.iter().enumerate().filter_map(waits)
    }

    /// Clients begin to vanish, or no longer.
    pub fn vanish(&mut self, on: bool, now: Instant) {
        self.vanish = on.then_some(now);
    }

    /// Lets some come, some go, and some vanish.
    pub fn look_at_the_time(
        &mut self,
        now: Instant,
        (client, target): (&mut Client, &Target),
        posts: &mut Posts,
        news: &mut News,
    ) {
        if self.vanish.is_some_and(|at| at <= now) {
            self.vanish = Some(now + CROWD_VANISH);
            self.reset_half(now, client, news);
        }
        for waiter in 0..self.all.len() {
            match self.all[waiter].state {
                State::Comes(until) | State::Waits(until) if until <= now => {
                    self.come_again(waiter, "no answer".to_owned(), client, (posts, news));
                }
                _ => {}
            }
        }
        self.pace += CROWD_PACE * now.duration_since(self.looked).as_secs_f64();
        self.looked = now;
        self.go(client, posts);
        self.come(now, client, target);
        self.pace = self.pace.min(1.0);
    }

    /// Takes in what happened on a waiter's connection.
    pub fn take(
        &mut self,
        slot: usize,
        event: Event,
        (client, target, mark): (&mut Client, &Target, &Mark),
        posts: &mut Posts,
        news: &mut News,
    ) {
        let number = slot - self.first_slot;
        let Some(waiter) = self.all.get_mut(number) else { return };
        if matches!(waiter.state, State::Away(_)) {
            return;
        }
        match event {
            Event::Reply(reply) if reply.is_poll_answer() => {
                let from_cursor = || reply.cursor.as_deref().map(|cursor| target.after(cursor));
                let Some(next) = reply.next.clone().or_else(from_cursor) else {
                    let why = "a reply without a cursor".to_owned();
                    return self.come_again(number, why, client, (posts, news));
                };
                let has_waited = matches!(waiter.state, State::Waits(_));
                if has_waited {
                    waiter.refused_in_a_row = 0;
                }
                client.send(slot, &target.poll(&next, HOLD, Form::Json));
                waiter.next = Some(next);
                waiter.state = State::Waits(Instant::now() + HOLD + CROWD_PATIENCE);
                hear(number, has_waited, &reply, mark, posts);
            }
            Event::Reply(reply) => {
                // It does not ask again for what is not there.
                waiter.next = waiter.next.take().filter(|_| reply.is_refusal());
                waiter.refused_in_a_row += 1;
                self.come_again(number, reply.summary(), client, (posts, news));
            }
            Event::Closed(error) => self.come_again(number, error.to_string(), client, (posts, news)),
        }
    }

    /// Lets those go who are too many.
    fn go(&mut self, client: &mut Client, posts: &mut Posts) {
        while self.all.len() > self.wanted && self.pace >= 1.0 {
            self.pace -= 1.0;
            self.all.pop();
            client.close(self.first_slot + self.all.len());
            posts.forgive(self.all.len());
        }
    }

    /// Lets those come who are missing, as fast as the pace and the server let them.
    fn come(&mut self, now: Instant, client: &mut Client, target: &Target) {
        let mut coming = self.all.iter().filter(|one| matches!(one.state, State::Comes(_))).count();
        let mut away = 0;
        while coming < ON_THEIR_WAY && self.pace >= 1.0 {
            let is_due = |one: &Waiter| matches!(one.state, State::Away(until) if until <= now);
            let waiter = match self.all[away..].iter().position(is_due) {
                Some(ahead) => away + ahead,
                None if self.all.len() < self.wanted => {
                    self.all.push(Waiter { state: State::Away(now), next: None, refused_in_a_row: 0 });
                    self.all.len() - 1
                }
                None => return,
            };
            away = waiter + 1;
            let slot = self.first_slot + waiter;
            client.make_slot(slot);
            let request = match &self.all[waiter].next {
                Some(next) => target.poll(next, Duration::ZERO, Form::Json),
                None => target.greeting(),
            };
            client.send(slot, &request);
            self.all[waiter].state = State::Comes(now + CROWD_PATIENCE);
            self.pace -= 1.0;
            coming += 1;
        }
    }

    /// Breaks half of the connections without a word, as a phone does that has lost its network.
    fn reset_half(&mut self, now: Instant, client: &mut Client, news: &mut News) {
        let mut waiting: Vec<usize> = self.waiting().collect();
        fastrand::shuffle(&mut waiting);
        for &waiter in &waiting[..waiting.len() / 2] {
            client.reset(self.first_slot + waiter);
            self.all[waiter].state = State::Away(now + CROWD_AWAY.mul_f64(fastrand::f64()));
            news.did.vanished += 1;
        }
    }

    fn come_again(
        &mut self,
        waiter: usize,
        why: String,
        client: &mut Client,
        (posts, news): (&mut Posts, &mut News),
    ) {
        posts.forgive(waiter);
        client.close(self.first_slot + waiter);
        // Whoever has no place leaves the server in peace for a while, and for longer each time.
        let times = 1 << self.all[waiter].refused_in_a_row.min(CROWD_DOUBLINGS);
        let pause = (CROWD_AWAY * times).mul_f64(fastrand::f64());
        self.all[waiter].state = State::Away(Instant::now() + pause);
        news.refuse(why);
    }
}

/// Whoever was away did not wait for what it hears now.
fn hear(waiter: usize, has_waited: bool, reply: &Reply, mark: &Mark, posts: &mut Posts) {
    if reply.status == 200 {
        // What is not this wire holds no message of ours.
        for text in reply.texts().unwrap_or_default() {
            if let Some(number) = mark.number(&text) {
                posts.hear(waiter, number, has_waited.then_some(reply.at));
            }
        }
    }
}
