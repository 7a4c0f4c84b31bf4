//! Who is present, scene by scene: a room's people, and a clock that only the test moves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use comet_chat::clock::Now;
use comet_chat::config::GRACE;
use comet_chat::message::{Claim, Cursor, Draft, Epoch, Kind, Mark, Message, Person, Seal, Timestamp};
use comet_chat::room::lease::{Counted, End};
use comet_chat::room::people::People;
use comet_chat::room::queue::Queue;
use comet_chat::room::standing::{Standing, Taken};
use comet_chat::store::Present;

const AT_ONCE: Duration = Duration::ZERO;

/// A room's people with what is stored of them, and a clock that only the test moves.
struct Scene {
    people: People,
    start: Instant,
    said: Vec<Kind>,
    waits: Vec<Counted>,
}

impl Scene {
    fn new() -> Scene {
        Scene { people: People::default(), start: Instant::now(), said: Vec::new(), waits: Vec::new() }
    }

    fn at(&self, seconds: f64) -> Now {
        Now { wall: Timestamp(1_000_000), clock: self.start + Duration::from_secs_f64(seconds) }
    }

    fn store(&mut self, drafts: impl IntoIterator<Item = Draft>) {
        let id = Cursor { sequence: 1, ..Cursor::start(Epoch::from_number(1)) };
        let message = |draft: Draft| Arc::new(draft.numbered(id, Mark::UNKNOWN));
        let messages: Vec<_> = drafts.into_iter().map(message).collect();
        self.said.extend(messages.iter().map(|message| message.kind));
        settle(&mut self.people, &messages);
    }

    fn lapse(&mut self, seconds: f64) {
        let drafts = self.people.lapse(self.at(seconds));
        self.store(drafts);
    }

    fn sees_ann(&mut self, seconds: f64) {
        self.sees(&ann(), seconds).expect("nobody else is ann");
    }

    fn sees(&mut self, who: &Person, seconds: f64) -> Result<(), Taken> {
        let draft = self.people.sees(who, self.at(seconds))?;
        self.store(draft);
        Ok(())
    }

    fn ann_waits(&mut self, seconds: f64) {
        self.sees_ann(seconds);
        self.waits.push(self.people.waits(&ann().name).expect("it is counted"));
    }

    fn ann_waited(&mut self, end: End, seconds: f64) {
        let wait = self.waits.pop().expect("ann waits");
        self.people.waited(&wait, end, self.at(seconds));
    }

    fn ann_leaves(&mut self, wait: f64, seconds: f64) {
        let draft = self.people.leaves(&ann(), Duration::from_secs_f64(wait), self.at(seconds));
        self.store(draft.expect("nobody else is ann"));
    }
}

/// Settles a batch. Nothing waits behind it.
fn settle(people: &mut People, messages: &[Arc<Message>]) {
    people.enter(messages);
    for message in messages.iter().filter(|message| message.kind != Kind::Message) {
        let name = message.name.as_ref().expect("somebody");
        people.note(name, Standing::after(message.kind, message.holder.into()));
    }
    Queue::<()>::default().settle(people);
}

fn held(who: Person) -> Present {
    Present { name: who.name, since: Timestamp(0), is_held: true, holder: who.claim.holder() }
}

fn ann() -> Person {
    named("ann", Claim::Nothing)
}

fn named(name: &str, claim: Claim) -> Person {
    Person { name: name.parse().expect("a name"), claim }
}

/// What shows one key or another.
fn key(number: u8) -> Claim {
    let key = format!("the-key-with-the-number-{number}").parse().expect("a key");
    Claim::Key(Seal::new([7; 32]).holder(&key))
}

const GRACE_S: f64 = GRACE.as_secs() as f64;

#[test]
fn who_keeps_polling_joins_once_and_never_leaves() {
    let mut scene = Scene::new();
    for poll in 0..30 {
        let begins = f64::from(poll) * 12.0;
        scene.ann_waits(begins);
        scene.lapse(begins + 9.9);
        scene.ann_waited(End::Answered, begins + 10.0);
        scene.lapse(begins + 11.9);
    }
    assert_eq!(scene.said, [Kind::Joined]);
}

#[test]
fn a_person_who_is_not_seen_for_the_grace_time_has_left() {
    let mut scene = Scene::new();
    scene.sees_ann(0.0);
    scene.lapse(GRACE_S - 0.001);
    assert_eq!(scene.said, [Kind::Joined]);
    scene.lapse(GRACE_S);
    scene.lapse(GRACE_S * 2.0);
    assert_eq!(scene.said, [Kind::Joined, Kind::Left]);
    assert!(scene.people.is_empty());
}

/// When the clock was set back an hour, people who had gone stayed present for an hour. When it was set on an
/// hour, all left who were there.
#[test]
fn setting_the_clock_makes_nobody_come_or_go() {
    let mut scene = Scene::new();
    let wall = |hours: u64, now: Now| Now { wall: Timestamp(hours * 3_600_000), ..now };
    let joined = scene.people.sees(&ann(), wall(10, scene.at(0.0)));
    scene.store(joined.expect("nobody else is ann"));
    assert_eq!(scene.people.lapse(wall(11, scene.at(1.0))), []);
    let left = scene.people.lapse(wall(9, scene.at(GRACE_S)));
    scene.store(left);
    assert_eq!(scene.said, [Kind::Joined, Kind::Left]);
}

#[test]
fn a_page_that_is_loaded_again_has_not_left() {
    let mut scene = Scene::new();
    scene.sees_ann(0.0);
    scene.ann_leaves(3.0, 1.0);
    scene.sees_ann(2.0);
    scene.lapse(5.0);
    scene.ann_leaves(3.0, 6.0);
    scene.lapse(8.9);
    assert_eq!(scene.said, [Kind::Joined]);
    scene.lapse(9.0);
    assert_eq!(scene.said, [Kind::Joined, Kind::Left]);
    scene.ann_leaves(3.0, 9.0);
    assert!(scene.people.is_empty());
}

/// One name on a phone and a laptop. When the laptop closed, the room was told that the person had left, and
/// a moment later that the person had joined.
#[test]
fn who_leaves_on_one_device_stays_while_another_waits() {
    let mut scene = Scene::new();
    scene.ann_waits(0.0);
    scene.ann_leaves(1.0, 1.0);
    scene.lapse(5.0);
    scene.ann_leaves(0.0, 6.0);
    scene.lapse(7.0);
    // The other device is answered: it is alive and will poll again.
    scene.ann_waited(End::Answered, 8.0);
    scene.lapse(9.0);
    assert_eq!(scene.said, [Kind::Joined]);
}

#[test]
fn a_wait_of_a_client_that_is_gone_keeps_nobody_present() {
    let mut scene = Scene::new();
    scene.ann_waits(0.0);
    scene.ann_leaves(1.0, 1.0);
    scene.ann_waited(End::Gone, 1.1);
    scene.lapse(1.9);
    assert_eq!(scene.said, [Kind::Joined]);
    scene.lapse(2.0);
    assert_eq!(scene.said, [Kind::Joined, Kind::Left]);
}

#[test]
fn a_crash_leaves_no_ghost() {
    let mut scene = Scene::new();
    scene.people = People::remembered(&[held(ann())], scene.at(100.0));
    scene.lapse(100.0 + GRACE_S - 0.001);
    assert_eq!(scene.said, [], "the grace time begins again");
    scene.lapse(100.0 + GRACE_S);
    assert_eq!(scene.said, [Kind::Left]);
}

/// A batch that was not stored left a lease without a `joined`, and once a `left` for a person who had never
/// joined.
#[test]
fn what_was_not_stored_did_not_happen_and_is_published_later_if_it_is_still_true() {
    let mut scene = Scene::new();
    assert!(scene.people.sees(&ann(), scene.at(0.0)).is_ok_and(|joined| joined.is_some()));
    assert!(scene.people.leaves(&ann(), AT_ONCE, scene.at(0.0)).is_ok_and(|left| left.is_some()));
    settle(&mut scene.people, &[]);
    assert!(scene.people.is_empty(), "a person whose message was refused was never there");

    assert!(scene.people.sees(&ann(), scene.at(1.0)).is_ok_and(|joined| joined.is_some()));
    scene.waits.push(scene.people.waits(&ann().name).expect("it is counted"));
    settle(&mut scene.people, &[]);
    assert_eq!(scene.people.count(), 0);
    scene.lapse(2.0);
    assert_eq!(scene.said, [Kind::Joined], "a person who waits is present, and is announced");

    scene.ann_waited(End::Answered, 3.0);
    assert!(scene.people.leaves(&ann(), AT_ONCE, scene.at(4.0)).is_ok_and(|left| left.is_some()));
    settle(&mut scene.people, &[]);
    scene.lapse(5.0);
    assert_eq!(scene.said, [Kind::Joined], "a leave that was refused did not happen");
    scene.ann_leaves(0.0, 6.0);
    assert_eq!(scene.said, [Kind::Joined, Kind::Left]);
}

#[test]
fn a_name_that_is_held_is_nobody_else_s_until_it_ends() {
    let mut scene = Scene::new();
    let anna = named("Anna", key(1));
    scene.sees(&anna, 0.0).expect("the name is free");
    let strangers = ["Anna", "anna", "ANNA", "\u{410}nna", "\u{c4}nna"]
        .into_iter()
        .flat_map(|name| [named(name, Claim::Nothing), named(name, key(2))]);
    for stranger in strangers {
        assert_eq!(scene.people.admits(&stranger), Err(Taken), "{stranger:?}");
        assert_eq!(scene.sees(&stranger, 14.0), Err(Taken), "{stranger:?}");
    }
    for stranger in [named("Anna", Claim::Nothing), named("Anna", key(2))] {
        assert_eq!(scene.people.leaves(&stranger, AT_ONCE, scene.at(14.0)), Err(Taken));
    }
    for other in [named("Anne", key(2)), named("anna", key(1)), named("Anna", Claim::Vouched(None))] {
        assert_eq!(scene.people.admits(&other), Ok(()), "{other:?}");
    }
    // Nobody who was refused has renewed the lease.
    scene.lapse(GRACE_S);
    assert_eq!(scene.said, [Kind::Joined, Kind::Left]);
    scene.sees(&named("anna", key(2)), GRACE_S).expect("the name is free again");
    assert_eq!(scene.sees(&anna, GRACE_S), Err(Taken));
}

/// Clients from before there were keys go on as they did, until somebody comes with a key.
#[test]
fn a_name_without_a_key_is_anybody_s_until_somebody_comes_with_one() {
    let mut scene = Scene::new();
    scene.ann_waits(0.0);
    scene.ann_waits(1.0);
    scene.sees(&named("ann", key(1)), 2.0).expect("nobody holds it");
    assert_eq!(scene.sees(&ann(), 3.0), Err(Taken));
    // The waits from before end some time, and are not counted off from the holder's.
    let wait = scene.people.waits(&ann().name).expect("the holder waits");
    scene.ann_waited(End::Gone, 4.0);
    scene.ann_waited(End::Answered, 5.0);
    scene.lapse(100.0);
    assert_eq!(scene.said[..1], [Kind::Joined]);
    assert!(!scene.said.contains(&Kind::Left), "the holder waits");
    scene.people.waited(&wait, End::Gone, scene.at(101.0));
    scene.lapse(101.0 + GRACE_S);
    assert_eq!(scene.said.last(), Some(&Kind::Left));
    scene.sees_ann(102.0 + GRACE_S);
}

#[test]
fn a_crash_frees_no_name_before_its_time() {
    let mut scene = Scene::new();
    scene.people = People::remembered(&[held(named("ann", key(1)))], scene.at(100.0));
    assert_eq!(scene.sees(&ann(), 101.0), Err(Taken));
    assert_eq!(scene.sees(&named("Ann", key(2)), 101.0), Err(Taken));
    scene.sees(&named("ann", key(1)), 102.0).expect("it is the holder");
    scene.lapse(100.0 + GRACE_S);
    assert_eq!(scene.sees(&ann(), 101.0 + GRACE_S), Err(Taken));
    scene.lapse(102.0 + GRACE_S);
    scene.sees_ann(103.0 + GRACE_S);
    assert_eq!(scene.said, [Kind::Left, Kind::Joined]);
}

/// A room hears of it by the message that says who joined.
#[test]
fn a_name_that_another_instance_holds_is_taken_here_too() {
    let mut scene = Scene::new();
    let tells = |kind| {
        let said = Draft::said(Some("Anna".parse().expect("a name")), key(1), "", None);
        let id = Cursor { sequence: 1, ..Cursor::start(Epoch::from_number(1)) };
        Arc::new(Draft { kind, ..said }.numbered(id, Mark::UNKNOWN))
    };
    scene.people.enter(&[tells(Kind::Joined)]);
    for stranger in [named("Anna", Claim::Nothing), named("Anna", key(2))] {
        assert_eq!(scene.people.admits(&stranger), Err(Taken));
        assert_eq!(scene.people.leaves(&stranger, AT_ONCE, scene.at(0.0)), Err(Taken));
    }
    assert_eq!(scene.people.admits(&named("anna", key(2))), Err(Taken));
    assert_eq!(scene.people.admits(&named("Anna", key(1))), Ok(()));
    scene.people.enter(&[tells(Kind::Left)]);
    assert_eq!(scene.people.admits(&named("Anna", key(2))), Ok(()));
}
