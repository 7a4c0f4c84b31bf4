//! A store that several instances share, in the hands of a test: plain enough to be right. It forgets nothing by
//! itself, but the test makes it lose its end, or all of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use comet_chat::message::{
    Claim, Cursor, Draft, Epoch, Holder, Kind, Kinds, Mark, Message, PersonName, RoomName, Rules, Seal,
    Timestamp,
};
use comet_chat::store::{
    Appended, Arrived, Done, Error, Keep, Order, Present, RoomSummary, Stats, Store, Tail,
};

/// More messages are not handed over at once. The real number is greater, and no other.
const CATCH_UP: usize = 4;

/// The id of an instance, another one after each start and each lapse.
pub type Id = u32;

#[derive(Default)]
pub struct Shared(Mutex<Inner>);

/// What is stored of the one room, as it was after each append.
#[derive(Clone)]
struct Past {
    epoch: Epoch,
    log: Vec<Arc<Message>>,
    sent: HashMap<String, Cursor>,
    present: BTreeMap<PersonName, Person>,
    /// Whether somebody has taken a name that was present and free. The instances are told of it.
    has_new_key: bool,
}

#[derive(Clone)]
struct Person {
    since: Timestamp,
    holders: BTreeSet<Id>,
    key: Option<Holder>,
}

#[derive(Default)]
struct Inner {
    now: Past,
    pasts: Vec<Past>,
    /// All that was ever lost.
    lost: HashSet<Cursor>,
    /// Instances that have not been told yet that they hold nobody.
    lapsed: HashSet<Id>,
    ids: Id,
}

impl Default for Past {
    fn default() -> Past {
        Past {
            epoch: Epoch::random(),
            log: Vec::new(),
            sent: HashMap::new(),
            present: BTreeMap::new(),
            has_new_key: false,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// An id for an instance that starts.
    pub fn fresh_id(&self) -> Id {
        let mut inner = self.lock();
        inner.ids += 1;
        inner.ids
    }

    /// All messages.
    pub fn log(&self) -> Vec<Arc<Message>> {
        self.lock().now.log.clone()
    }

    /// What is in force.
    pub fn rules(&self) -> Rules {
        self.lock().now.rules()
    }

    pub fn latest(&self) -> Cursor {
        self.lock().now.latest()
    }

    /// Who is present.
    pub fn present(&self) -> Vec<(PersonName, Timestamp)> {
        self.lock().now.present.iter().map(|(name, person)| (name.clone(), person.since)).collect()
    }

    /// Whose each name is that is present.
    pub fn keys(&self) -> BTreeMap<PersonName, Option<Holder>> {
        self.lock().now.present.iter().map(|(name, person)| (name.clone(), person.key)).collect()
    }

    /// Whether a place was lost at any time.
    pub fn was_lost(&self, place: Cursor) -> bool {
        let inner = self.lock();
        place.epoch != inner.now.epoch || inner.lost.contains(&place)
    }

    /// The room as one instance finds it.
    pub fn tail(&self, id: Id, limit: usize) -> Tail {
        let now = &self.lock().now;
        let messages = now.log[now.log.len().saturating_sub(limit)..].to_vec();
        Tail { messages, latest: now.latest(), present: now.present_for(id), rules: now.rules() }
    }

    /// One append. Nothing else happens meanwhile.
    pub fn store(&self, id: Id, seen: Cursor, drafts: &[Draft]) -> Arrived {
        let mut inner = self.lock();
        let before = inner.now.since(seen);
        let now = &mut inner.now;
        let outcomes = drafts.iter().map(|draft| now.append(id, draft)).collect();
        let (latest, present, rules) = (now.latest(), now.present_for(id), now.rules());
        let has_new_key = std::mem::take(&mut now.has_new_key);
        let now = now.clone();
        inner.pasts.push(now);
        if has_new_key {
            // As if each instance had heard that: its next append tells it.
            let ids = inner.ids;
            inner.lapsed.extend((1..=ids).filter(|other| *other != id));
        }
        let is_anew = inner.lapsed.remove(&id) || before.is_none();
        let (present, rules) = (is_anew.then_some(present), is_anew.then_some(rules));
        Arrived { before: before.unwrap_or_default(), outcomes, latest, present, rules }
    }

    /// An instance is taken for dead, and goes on under a new id.
    pub fn lapses(&self, id: Id) -> Id {
        self.drops(id);
        let new = self.fresh_id();
        self.lock().lapsed.insert(new);
        new
    }

    /// What an instance was told need not be so.
    pub fn is_in_doubt_about(&self, id: Id) {
        self.lock().lapsed.insert(id);
    }

    /// Whether an instance has not been told yet whom it holds.
    pub fn has_lapsed(&self, id: Id) -> bool {
        self.lock().lapsed.contains(&id)
    }

    /// The others drop what is held by instances that do not live.
    pub fn sweeps(&self, alive: &[Id]) {
        let ids = self.lock().ids;
        (1..=ids).filter(|id| !alive.contains(id)).for_each(|id| self.drops(id));
    }

    /// Another instance drops what this one holds.
    pub fn drops(&self, id: Id) {
        let mut inner = self.lock();
        let names: Vec<PersonName> = inner.now.present.keys().cloned().collect();
        for name in names {
            let kind = Kind::Left;
            let said = Draft::said(Some(name), Claim::Nothing, "", None);
            let draft = Draft { kind, at: Timestamp(0), ..said };
            inner.now.append(id, &draft);
        }
        let now = inner.now.clone();
        inner.pasts.push(now);
    }

    /// The store goes back to an earlier past: a replica took over that had not heard of the last writes.
    pub fn goes_back(&self, by: usize) {
        let mut inner = self.lock();
        let kept = inner.pasts.len().saturating_sub(by);
        inner.pasts.truncate(kept);
        let past = inner.pasts.last().cloned();
        let past = past.unwrap_or_else(|| Past { epoch: inner.now.epoch, ..Past::default() });
        inner.replace(past);
        let ids = inner.ids;
        inner.lapsed.extend(1..=ids);
    }

    /// Somebody empties the store.
    pub fn is_emptied(&self) {
        let mut inner = self.lock();
        inner.pasts.clear();
        inner.replace(Past::default());
    }
}

impl Inner {
    fn replace(&mut self, past: Past) {
        let kept: HashSet<Cursor> = past.log.iter().map(|message| message.id).collect();
        let old = std::mem::replace(&mut self.now, past);
        self.lost.extend(old.log.iter().map(|message| message.id).filter(|id| !kept.contains(id)));
    }
}

impl Past {
    fn latest(&self) -> Cursor {
        self.log.last().map_or(Cursor::start(self.epoch), |message| message.id)
    }

    fn rules(&self) -> Rules {
        self.log.iter().cloned().collect()
    }

    fn present_for(&self, id: Id) -> Vec<Present> {
        let present = |(name, person): (&PersonName, &Person)| Present {
            name: name.clone(),
            since: person.since,
            is_held: person.holders.contains(&id),
            holder: person.key,
        };
        self.present.iter().map(present).collect()
    }

    /// What came after a place; `None` if that can't be told, or is too much.
    fn since(&self, seen: Cursor) -> Option<Vec<Arc<Message>>> {
        let at = usize::try_from(seen.sequence).expect("few messages");
        let is_known = seen == Cursor::start(self.epoch) || at > 0 && self.log.get(at - 1)?.id == seen;
        let messages = self.log.get(at..).filter(|messages| is_known && messages.len() <= CATCH_UP)?;
        Some(messages.to_vec())
    }

    /// Whether somebody else holds a name, or the same in other letters.
    fn is_taken(&self, name: &PersonName, claim: Claim) -> bool {
        let is_like = |other: &PersonName| other.as_str().eq_ignore_ascii_case(name.as_str());
        let alike = self.present.iter().filter(|(other, _)| is_like(other));
        alike.filter_map(|(_, person)| person.key).any(|key| claim != Claim::Key(key))
    }

    fn append(&mut self, id: Id, draft: &Draft) -> Appended {
        if let Some(denied) = self.rules().judge(draft) {
            return Appended::Denied(denied);
        }
        if let (Kind::Message | Kind::Joined, Some(name)) = (draft.kind, &draft.name)
            && self.is_taken(name, draft.claim)
        {
            return Appended::NameTaken(name.clone());
        }
        if let (Kind::Joined | Kind::Left, Some(name)) = (draft.kind, &draft.name) {
            let is_first = !self.present.contains_key(name);
            if draft.kind == Kind::Joined {
                let new = Person { since: draft.at, holders: BTreeSet::new(), key: None };
                let person = self.present.entry(name.clone()).or_insert(new);
                person.holders.insert(id);
                let was_free = person.key.is_none();
                person.key = person.key.or(draft.claim.holder());
                self.has_new_key |= !is_first && was_free && person.key.is_some();
                if !is_first {
                    return Appended::Needless;
                }
            } else {
                let Some(person) = self.present.get_mut(name) else { return Appended::Needless };
                if !person.holders.remove(&id) || !person.holders.is_empty() {
                    return Appended::Needless;
                }
                self.present.remove(name);
            }
        }
        let send_id = draft.sent_as.as_ref().map(|sent| sent.id.as_str().to_owned());
        if let Some(stored) = send_id.as_ref().and_then(|id| self.sent.get(id)) {
            return Appended::Repeated(*stored);
        }
        let known = self.latest();
        let place = Cursor { sequence: known.sequence + 1, mark: Mark::random(), ..known };
        let message = Arc::new(draft.clone().numbered(place, known.mark));
        self.log.push(message.clone());
        self.sent.extend(send_id.map(|id| (id, place)));
        Appended::Stored(message)
    }
}

/// What readers ask.
impl Store for Shared {
    fn epoch(&self) -> Epoch {
        self.lock().now.epoch
    }

    fn keep(&self) -> Keep {
        Keep { messages: usize::MAX, files: u64::MAX, age: None }
    }

    fn seal(&self) -> Seal {
        Seal::new([0; 32])
    }

    fn append(&self, _: &RoomName, _: Cursor, _: Vec<Draft>, _: Done) {
        unreachable!("the test appends by itself");
    }

    fn newest(&self, _: &RoomName, limit: usize) -> Result<Tail, Error> {
        Ok(self.tail(0, limit))
    }

    fn after(&self, _: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        let now = &self.lock().now;
        Ok(now.log.iter().filter(|message| message.id.sequence > sequence).take(limit).cloned().collect())
    }

    fn before(&self, _: &RoomName, _: u64, _: usize) -> Result<Vec<Arc<Message>>, Error> {
        unreachable!("nobody asks for the past");
    }

    fn file(&self, _: &RoomName, _: u64, _: Range<u64>) -> Result<Option<Vec<u8>>, Error> {
        Ok(None)
    }

    fn newest_but(&self, _: &RoomName, _: Kinds, _: usize) -> Result<Option<Cursor>, Error> {
        unreachable!("nobody asks for the last ones");
    }

    fn rooms(&self, _: Order, _: Option<&RoomName>, _: usize) -> Result<Vec<RoomSummary>, Error> {
        unreachable!("there is one room");
    }

    fn peopled(&self, _: usize) -> Result<Vec<RoomName>, Error> {
        Ok(Vec::new())
    }

    fn expire(&self, _: Timestamp, _: Timestamp) -> Result<(), Error> {
        Ok(())
    }

    fn stats(&self) -> Stats {
        Stats::default()
    }
}
