//! A room's newest messages, which it remembers for clients that come back from a poll.

use std::collections::VecDeque;
use std::sync::Arc;

use super::tails::{Held, Tails};
use crate::config::{TAIL_BYTES, TAIL_LIMIT};
use crate::message::{Kind, Message, Timestamp};
use crate::store::Keep;

/// The newest messages, without holes, oldest first, each with how many subscribers were handed it.
pub struct Recent {
    messages: VecDeque<(Arc<Message>, usize)>,
    /// How much memory they take.
    held: Held,
}

impl Recent {
    /// None yet. They are counted among `tails`.
    pub fn new(tails: &Arc<Tails>) -> Recent {
        Recent { messages: VecDeque::new(), held: Held::new(tails) }
    }

    /// How many are remembered.
    pub fn count(&self) -> usize {
        self.messages.len()
    }

    /// All from an index on.
    pub fn from(&self, index: usize) -> impl Iterator<Item = &(Arc<Message>, usize)> + Clone {
        self.messages.range(index..)
    }

    /// The newest but so many.
    pub fn back(&self, newer: usize) -> Option<&(Arc<Message>, usize)> {
        self.messages.iter().nth_back(newer)
    }

    /// Adds what follows, and forgets what is too much.
    pub fn extend(&mut self, messages: impl IntoIterator<Item = (Arc<Message>, usize)>) {
        for (message, delivered) in messages {
            self.change(&message);
            self.held.add(&message);
            self.messages.push_back((message, delivered));
        }
        while self.count() > TAIL_LIMIT || (self.held.bytes() > TAIL_BYTES && self.count() > 1) {
            self.forget_oldest();
        }
        while self.held.is_over() && self.forget_oldest() {}
    }

    /// Changes what an entry edits or deletes, so that nobody gets from here what is not so any more.
    fn change(&mut self, entry: &Message) {
        if !entry.kind.is_change() {
            return;
        }
        for (message, _) in &mut self.messages {
            if let Some(changed) = message.after(entry) {
                self.held.remove(message);
                *message = Arc::new(changed);
                self.held.add(message);
            }
        }
    }

    /// Forgets what the store has forgotten. If little memory is left for other rooms, forgets what is more than
    /// the room's share too. A message with a time in the future may be older than it says, and only the store
    /// knows its age: it is forgotten here.
    pub fn forget(&mut self, keep: Keep, now: Timestamp) {
        let horizon = keep.horizon(now);
        let is_said = |message: &Message| message.kind == Kind::Message;
        let mut said = match self.count() > keep.messages {
            true => self.messages.iter().filter(|(message, _)| is_said(message)).count(),
            false => 0,
        };
        while let Some((oldest, _)) = self.messages.front()
            && (said > keep.messages || horizon.is_some_and(|horizon| oldest.at < horizon || oldest.at > now))
        {
            said = said.saturating_sub(usize::from(is_said(oldest)));
            self.forget_oldest();
        }
        while self.held.is_unfair() && self.forget_oldest() {}
    }

    /// Forgets all.
    pub fn forget_all(&mut self) {
        while self.forget_oldest() {}
    }

    /// Forgets the oldest message. Says whether there was one.
    fn forget_oldest(&mut self) -> bool {
        let oldest = self.messages.pop_front();
        oldest.map(|(message, _)| self.held.remove(&message)).is_some()
    }
}
