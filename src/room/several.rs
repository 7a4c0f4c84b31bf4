//! A wait in several rooms at once: what becomes of it when one of them answers nothing, or from another life of
//! the store.

use super::{After, Outcome, Wake};

/// What the rooms answered to one who waited in all of them, in each `after` its place.
///
/// `None` is a room that was restarted, or went to sleep for another, and answered nothing. It keeps its place if
/// another room has something to tell: the client comes back with that. Otherwise it must come back at once, which
/// is `None` for all; so it is if the place is not known.
pub fn kept(woken: Vec<Option<Wake>>, after: &[After]) -> Option<Vec<Wake>> {
    let tells = |wake: &Option<Wake>| matches!(wake, Some(Wake::Delivery(_) | Wake::Stored(_)));
    let is_told = woken.iter().any(tells);
    let kept = |(wake, after): (Option<Wake>, &After)| match (wake, *after) {
        (None, After::Cursor(place)) if is_told => Some(Wake::Expired(place)),
        (wake, _) => wake,
    };
    woken.into_iter().zip(after).map(kept).collect()
}

/// Whether one cursor can hold where the client goes on in each room: it has one epoch. When a store that is
/// shared has been emptied, one room may know it and another may not yet, and the client must come back.
pub fn agree(outcomes: &[Outcome]) -> bool {
    let mut epochs = outcomes.iter().map(|outcome| outcome.next().epoch);
    let first = epochs.next();
    epochs.all(|epoch| Some(epoch) == first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Cursor, Epoch};
    use crate::room::Delivery;

    #[test]
    fn a_room_that_answers_nothing_keeps_its_place_while_another_tells_something() {
        let epoch = Epoch::from_number(1);
        let at = |sequence| Cursor { sequence, ..Cursor::start(epoch) };
        let told = Wake::Delivery(Delivery { messages: [].into(), next: at(5), gap: true });
        let after = [After::Latest, After::Cursor(at(3))];
        let woken = kept(vec![Some(told.clone()), None], &after);
        assert_eq!(woken, Some(vec![told.clone(), Wake::Expired(at(3))]));
        assert_eq!(kept(vec![Some(Wake::Expired(at(4))), None], &after), None, "nothing is told");
        assert_eq!(kept(vec![None, Some(told)], &after), None, "its place is not known");
    }

    #[test]
    fn places_of_two_epochs_are_no_place_for_one_cursor() {
        let at = |epoch| Outcome::Expired(Cursor::start(Epoch::from_number(epoch)));
        assert!(agree(&[at(1)]) && agree(&[at(1), at(1)]) && !agree(&[at(1), at(1), at(2)]));
    }
}
