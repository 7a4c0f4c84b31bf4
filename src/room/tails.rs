//! A bound on what all rooms remember together.
//!
//! Each room bounds its own tail, but the tails of a thousand rooms are gigabytes. At the bound, a room that
//! publishes forgets its own oldest messages. Well before the bound, every room forgets what is more than its
//! share, so that a flood in many rooms leaves something for the others. The store has what memory forgets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::config::{ROOMS_MAX, TAILS_BYTES};
use crate::message::Message;

/// How many bytes the tails of all rooms take together, and how many they may take.
#[derive(Debug)]
pub struct Tails {
    bytes: AtomicUsize,
    max: usize,
}

impl Default for Tails {
    fn default() -> Tails {
        Tails::of(TAILS_BYTES)
    }
}

impl Tails {
    /// Tails of at most `max` bytes.
    pub fn of(max: usize) -> Tails {
        Tails { bytes: AtomicUsize::new(0), max }
    }

    /// How many bytes they take now.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// Whether little is left, so that each room should remember no more than its share.
    pub fn are_tight(&self) -> bool {
        self.bytes() > self.max / 4 * 3
    }
}

/// One room's part of [`Tails`]. It is given back when the room ends.
pub struct Held {
    bytes: usize,
    of: Arc<Tails>,
}

impl Held {
    /// No bytes yet.
    pub fn new(of: &Arc<Tails>) -> Held {
        Held { bytes: 0, of: of.clone() }
    }

    /// How many bytes the room holds.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts a message that is remembered.
    pub fn add(&mut self, message: &Message) {
        self.bytes += weight(message);
        self.of.bytes.fetch_add(weight(message), Relaxed);
    }

    /// Counts off a message that is forgotten.
    pub fn remove(&mut self, message: &Message) {
        self.bytes -= weight(message);
        self.of.bytes.fetch_sub(weight(message), Relaxed);
    }

    /// Whether all rooms together hold too much, so that a room that adds to it must forget something.
    pub fn is_over(&self) -> bool {
        self.of.bytes() > self.of.max
    }

    /// Whether all rooms together hold nearly too much, and this room more than its share.
    pub fn is_unfair(&self) -> bool {
        self.bytes > self.of.max / ROOMS_MAX && self.of.are_tight()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.of.bytes.fetch_sub(self.bytes, Relaxed);
    }
}

/// How many bytes a message takes in memory. A short one takes little more than its entry in the tail.
fn weight(message: &Message) -> usize {
    size_of::<(Arc<Message>, usize)>() + size_of::<Message>() + message.text.len()
}
