//! The connections on which the crowd says something: one message at a time on each.

use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use super::super::client::{Client, Event};
use super::super::mark::{Mark, Number};
use super::super::target::Target;
use super::posts::Posts;
use super::waiters::Waiters;
use crate::config::{CROWD_PATIENCE, CROWD_VOICES};

/// The voices: the first slots of the client.
pub struct Voices {
    /// What each of them is saying, and until when it waits for an answer.
    saying: Vec<Option<(Number, Instant)>>,
    /// The pause between two messages. `None`: it says nothing.
    pause: Option<Duration>,
    due: Instant,
}

impl Voices {
    /// All are free, and say nothing.
    pub fn new(client: &mut Client, now: Instant) -> Voices {
        (0..CROWD_VOICES).for_each(|slot| client.make_slot(slot));
        Voices { saying: vec![None; CROWD_VOICES], pause: None, due: now }
    }

    /// Says so many messages a second from now on.
    pub fn set_rate(&mut self, rate: f64, now: Instant) {
        self.pause = (rate > 0.0).then(|| Duration::from_secs_f64(1.0 / rate));
        self.due = self.due.min(now + self.pause.unwrap_or_default());
    }

    /// The slots.
    pub fn slots(&self) -> Range<usize> {
        0..self.saying.len()
    }

    /// How long until something is to be said.
    pub fn rest(&self, now: Instant) -> Option<Duration> {
        self.pause.map(|_| self.due.saturating_duration_since(now))
    }

    /// Says what is due. What nobody is free to say is not said later.
    pub fn speak(
        &mut self,
        now: Instant,
        (client, target, mark): (&mut Client, &Target, &Mark),
        posts: &mut Posts,
        waiters: &Waiters,
    ) {
        let Some(pause) = self.pause else { return };
        while self.due <= now {
            // A crowd that was held up itself does not hurry afterwards.
            self.due = (self.due + pause).max(now - pause);
            let Some(voice) = self.saying.iter().position(Option::is_none) else {
                self.due = now + pause;
                return;
            };
            let sent = SystemTime::now();
            let number = posts.publish(sent, now, waiters.waiting());
            self.saying[voice] = Some((number, now + CROWD_PATIENCE));
            client.send(voice, &target.publish(0, &mark.text(number)));
        }
    }

    /// Takes in what happened on a voice's connection.
    pub fn take(&mut self, voice: usize, event: &Event, posts: &mut Posts) {
        // The server may close a connection that idled.
        if let Some((number, _)) = self.saying[voice].take() {
            posts.answer(number, matches!(event, Event::Reply(reply) if reply.status == 200));
        }
    }

    /// Gives up what is not answered.
    pub fn look_at_the_time(&mut self, now: Instant, client: &mut Client, posts: &mut Posts) {
        for voice in 0..self.saying.len() {
            if let Some((number, until)) = self.saying[voice]
                && until <= now
            {
                client.close(voice);
                self.saying[voice] = None;
                posts.answer(number, false);
            }
        }
    }
}
