//! What was said in all rooms, and who saw it. Each room has a tally of its own, since each visitor is in one.

use std::time::SystemTime;

use super::super::mark::Number;
use super::super::tally::Tally;
use super::super::verdict::{Fault, Verdict};

/// A room, by its number.
pub type Room = usize;

/// The talk in all rooms. Visitors and messages are dealt out to the rooms like cards, so a number tells its room.
pub struct Talk {
    rooms: Vec<Tally>,
}

impl Talk {
    /// So many rooms, over which so many visitors are spread.
    pub fn new(rooms: usize, visitors: usize) -> Talk {
        let visitors_in = |room: usize| (visitors + rooms - 1 - room) / rooms;
        Talk { rooms: (0..rooms).map(|room| Tally::new(visitors_in(room))).collect() }
    }

    /// The room of a visitor.
    pub fn room_of(&self, visitor: usize) -> Room {
        visitor % self.rooms.len()
    }

    /// Gives the next message of a room its number.
    pub fn say(&mut self, room: Room) -> Number {
        let rooms = self.rooms.len() as Number;
        let tally = &mut self.rooms[room];
        // No two messages are from one publisher: what is sent again may come later than what was said after it.
        let publisher = tally.published();
        let message = tally.publish(publisher, 0, SystemTime::now());
        message * rooms + room as Number
    }

    /// The server has answered `ok`.
    pub fn acknowledge(&mut self, message: Number) {
        let (room, message) = self.deal(message);
        self.rooms[room].acknowledge(message);
    }

    /// A visitor has seen a message. One of another room, or that nobody has said, counts as nothing.
    pub fn see(&mut self, visitor: usize, message: Number) {
        let (room, message) = self.deal(message);
        if room == self.room_of(visitor) {
            let waiter = visitor / self.rooms.len();
            self.rooms[room].see(waiter, message);
        }
    }

    /// Whether a visitor has seen all that was said in its room.
    pub fn is_known_to(&self, visitor: usize) -> bool {
        self.rooms[self.room_of(visitor)].has_seen_all(visitor / self.rooms.len())
    }

    /// How many messages were said.
    pub fn said(&self) -> usize {
        self.rooms.iter().map(Tally::published).sum()
    }

    /// How many of them were answered `ok`.
    pub fn acknowledged(&self) -> usize {
        self.rooms.iter().map(Tally::acknowledged).sum()
    }

    /// How often one of them was seen.
    pub fn deliveries(&self) -> usize {
        self.rooms.iter().map(Tally::deliveries).sum()
    }

    /// What was wrong in all rooms.
    pub fn verdict(&self) -> Verdict {
        let count = self.rooms.len();
        let mut all = Verdict::default();
        for (room, tally) in self.rooms.iter().enumerate() {
            let found = tally.verdict();
            all.lost += found.lost;
            all.doubled += found.doubled;
            all.swapped += found.swapped;
            all.name(found.named.into_iter().map(|fault| {
                let visitor = |waiter: usize| waiter * count + room;
                let number = |message: Number| message * count as Number + room as Number;
                match fault {
                    Fault::Lost { waiter, message } => {
                        Fault::Lost { waiter: visitor(waiter), message: number(message) }
                    }
                    Fault::Doubled { waiter, message } => {
                        Fault::Doubled { waiter: visitor(waiter), message: number(message) }
                    }
                    Fault::Swapped { waiter, message, after } => {
                        let (message, after) = (number(message), number(after));
                        Fault::Swapped { waiter: visitor(waiter), message, after }
                    }
                }
            }));
        }
        all
    }

    /// The room of a message, and its number there.
    fn deal(&self, message: Number) -> (Room, Number) {
        let rooms = self.rooms.len();
        (message as usize % rooms, (message as usize / rooms) as Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rooms with two visitors each, and a message in each. Everybody but visitor 3 sees that of its room.
    fn without(visitor: usize) -> Talk {
        let mut talk = Talk::new(2, 4);
        for room in 0..2 {
            let message = talk.say(room);
            talk.acknowledge(message);
            let there = (0..4).filter(|&one| one != visitor && one % 2 == room);
            there.for_each(|one| talk.see(one, message));
        }
        talk
    }

    #[test]
    fn a_visitor_is_owed_what_is_said_in_its_room() {
        assert!(without(9).verdict().is_clean());
        assert!((0..4).all(|visitor| without(9).is_known_to(visitor)));
    }

    #[test]
    fn a_fault_is_named_by_the_visitor_and_the_message_of_the_run() {
        let talk = without(3);
        assert_eq!(talk.verdict().named, [Fault::Lost { waiter: 3, message: 1 }]);
        assert!(!talk.is_known_to(3) && talk.is_known_to(1));
    }

    #[test]
    fn a_message_of_another_room_is_not_seen() {
        let mut talk = without(3);
        talk.see(3, 0);
        assert_eq!(talk.verdict().named, [Fault::Lost { waiter: 3, message: 1 }]);
    }

    #[test]
    fn visitors_are_spread_over_the_rooms() {
        let mut talk = Talk::new(3, 7);
        let message = talk.say(2);
        talk.acknowledge(message);
        talk.see(2, message);
        talk.see(5, message);
        assert!(talk.verdict().is_clean());
        assert_eq!((talk.said(), talk.acknowledged(), talk.deliveries()), (1, 1, 2));
    }
}
