//! A bound over what all rooms remember.
//!
//! Each room bounds its own tail, but a thousand of them are gigabytes. At the bound whoever publishes
//! gives up its own oldest messages; well before it every room gives back what is more than its share, so
//! that one who flooded many rooms does not leave the others without. What memory does not have the store
//! shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::config::{ROOMS_MAX, TAILS_BYTES};
use crate::message::Message;

/// What the tails of all rooms take together, and may.
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
    /// Tails of at most so many bytes.
    pub fn of(max: usize) -> Tails {
        Tails { bytes: AtomicUsize::new(0), max }
    }

    /// How many bytes they take now.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// Whether a room had better remember no more than its share.
    pub fn are_tight(&self) -> bool {
        self.bytes() > self.max / 4 * 3
    }
}

/// What one room has of [`Tails`]. It is given back with the room.
pub struct Held {
    bytes: usize,
    of: Arc<Tails>,
}

impl Held {
    /// Nothing yet.
    pub fn new(of: &Arc<Tails>) -> Held {
        Held { bytes: 0, of: of.clone() }
    }

    /// How many bytes the room holds.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// A message is remembered.
    pub fn add(&mut self, message: &Message) {
        self.bytes += weight(message);
        self.of.bytes.fetch_add(weight(message), Relaxed);
    }

    /// A message is forgotten.
    pub fn remove(&mut self, message: &Message) {
        self.bytes -= weight(message);
        self.of.bytes.fetch_sub(weight(message), Relaxed);
    }

    /// Whether all rooms hold too much, so that the one which adds to it is to give up.
    pub fn is_over(&self) -> bool {
        self.of.bytes() > self.of.max
    }

    /// Whether all rooms hold nearly too much, and this one more than its share.
    pub fn is_unfair(&self) -> bool {
        self.bytes > self.of.max / ROOMS_MAX && self.of.are_tight()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.of.bytes.fetch_sub(self.bytes, Relaxed);
    }
}

/// What a message takes in memory, in bytes: a short one little more than its entry in the tail.
fn weight(message: &Message) -> usize {
    size_of::<(Arc<Message>, usize)>() + size_of::<Message>() + message.text.len()
}
