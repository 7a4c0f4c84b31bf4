//! What the visitors of a soak ask for.

use super::super::mark::Number;
use super::super::target::{Form, Target};
use super::talk::Room;

/// Comes into a room at its end, and is answered at once.
pub fn greet(target: &Target, room: Room, visitor: usize) -> Vec<u8> {
    target.get(&format!("{}?after=latest&wait=0&name={}", target.path_of(room), name(visitor)), Form::Json)
}

/// Says something. However often it is sent, it is said once.
pub fn say(target: &Target, room: Room, visitor: usize, message: Number, text: &str) -> Vec<u8> {
    let query = format!("?name={}", name(visitor));
    let id = format!("Idempotency-Key: {}-{message}\r\n", text.split(' ').next().unwrap_or_default());
    target.post(&(target.path_of(room) + &query), "text/plain; charset=utf-8", &id, text)
}

/// Leaves a room.
pub fn leave(target: &Target, room: Room, visitor: usize) -> Vec<u8> {
    let path = target.path_of(room) + "/leave";
    target.post(&path, "application/x-www-form-urlencoded", "", &format!("name={}", name(visitor)))
}

/// Asks who is in a room: a line for each.
pub fn people(target: &Target, room: Room) -> Vec<u8> {
    target.get(&(target.path_of(room) + "/people"), Form::Plain)
}

fn name(visitor: usize) -> String {
    format!("visitor-{visitor}")
}
