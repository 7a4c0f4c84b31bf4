//! A plain model of a store: lists of all that was ever said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use comet_chat::config::SEND_ID_MEMORY_MS;
use comet_chat::message::{
    Change, Claim, Cursor, Denied, Draft, Epoch, FileFacts, Holder, Kind, Mark, Message, PersonName,
    RoomName, Timestamp,
};
use comet_chat::store::{Appended, Keep, Order, Present, RoomSummary};
use fastrand::Rng;

/// The time of day, which is set now and then, and the clock that nobody sets.
pub struct Clocks {
    pub wall: Timestamp,
    pub steady: Timestamp,
}

impl Clocks {
    pub fn go_on(&mut self, by: u64) {
        self.wall.0 += by;
        self.steady.0 += by;
    }

    /// By an hour, or by a year and back.
    pub fn are_set(&mut self, rng: &mut Rng) {
        const HOUR: u64 = 3_600_000;
        self.wall.0 = match rng.u8(..4) {
            0 => self.wall.0 + HOUR,
            1 => self.wall.0 - HOUR,
            2 => self.wall.0 + 8_760 * HOUR,
            _ => self.steady.0,
        };
    }
}

/// All that a store should have.
pub struct Model {
    pub epoch: Epoch,
    pub keep: Keep,
    pub clocks: Clocks,
    pub rooms: BTreeMap<RoomName, Room>,
    /// Whether several instances may use it. Then it knows who holds whom.
    pub is_shared: bool,
    /// Which instance this is: the store is opened again as another one.
    pub instance: usize,
}

/// All messages of a room, and how many of them are forgotten.
#[derive(Default, Clone)]
pub struct Room {
    said: Vec<(Draft, Arc<Message>)>,
    forgotten: usize,
    /// Which instances hold a person.
    holders: BTreeMap<PersonName, BTreeSet<usize>>,
    /// Who is present, and by which key.
    keys: BTreeMap<PersonName, Option<Holder>>,
}

impl Model {
    pub fn new(epoch: Epoch, keep: Keep, is_shared: bool) -> Model {
        let now = Timestamp(1_700_000_000_000);
        let clocks = Clocks { wall: now, steady: now };
        Model { epoch, keep, clocks, rooms: BTreeMap::new(), is_shared, instance: 0 }
    }

    /// What becomes of the drafts. The marks are those that the store has drawn.
    pub fn append(&mut self, name: &RoomName, drafts: &[Draft], drawn: &[Appended]) -> Vec<Appended> {
        let start = Cursor::start(self.epoch);
        if name.is_internal() {
            let number = |(draft, sequence): (&Draft, u64)| {
                let id = Cursor { sequence, ..start };
                Appended::Stored(Arc::new(draft.clone().numbered(id, Mark::UNKNOWN)))
            };
            return drafts.iter().zip(1..).map(number).collect();
        }
        let mut appended = Vec::new();
        for (draft, drawn) in drafts.iter().zip(drawn) {
            let room = self.rooms.entry(name.clone()).or_default();
            let is_known = |sent: &Draft| match (&sent.sent_as, &draft.sent_as) {
                (Some(old), Some(new)) => old.id == new.id && new.at.0 - old.at.0 < SEND_ID_MEMORY_MS,
                _ => false,
            };
            let known = room.said.iter().find(|(sent, _)| is_known(sent));
            if let Some((sent, message)) = known {
                let is_same = sent.name == draft.name && sent.text == draft.text && sent.of == draft.of;
                let is_same = is_same && sent.file == draft.file;
                let is_rule = sent.kind.is_rule() || draft.kind.is_rule();
                let is_same = is_same && (draft.of.is_none() && !is_rule || sent.kind == draft.kind);
                appended.push(if is_same { Appended::Repeated(message.id) } else { Appended::Conflict });
                continue;
            }
            if let Some(denied) = room.denied(draft) {
                appended.push(Appended::Denied(denied));
                continue;
            }
            if let Some(name) =
                draft.name.as_ref().filter(|name| self.is_shared && room.is_taken(name, draft))
            {
                appended.push(Appended::NameTaken(name.clone()));
                continue;
            }
            let is_present = draft.name.as_ref().is_some_and(|name| room.keys.contains_key(name));
            let is_known = draft.kind == Kind::Joined && is_present;
            room.locks(draft);
            if self.is_shared && !room.holds(draft, self.instance) || is_known {
                appended.push(Appended::Needless);
                continue;
            }
            if let (Kind::Left, Some(name)) = (draft.kind, &draft.name) {
                room.keys.remove(name);
            }
            let of = draft.of.filter(|of| of.epoch == self.epoch);
            let mut written = Draft { of, ..draft.clone() };
            if matches!(draft.kind, Kind::Edited | Kind::Deleted) {
                let Some(target) = room.changeable(draft, self.epoch) else {
                    appended.push(Appended::NoMessage);
                    continue;
                };
                let is_author = target.holder.is_some() && target.holder == draft.claim.author();
                if !draft.claim.is_operator() && !is_author {
                    appended.push(Appended::NotYours);
                    continue;
                }
                (written.of, written.name) = (Some(target.id), target.name.clone());
            }
            let mark = drawn.stored().map_or(Mark::UNKNOWN, |message| message.id.mark);
            assert_ne!(mark, Mark::UNKNOWN, "a new message has a mark");
            let id = Cursor { sequence: room.latest() + 1, mark, ..start };
            let at = room.said.last().map_or(draft.at, |(_, message)| message.at.max(draft.at));
            let mut message = Message { at, ..written.numbered(id, room.mark()) };
            if draft.kind.is_bar() {
                message.holder = room.whose(draft.name.as_ref());
            }
            let message = Arc::new(message);
            room.change(&message);
            room.said.push((draft.clone(), message.clone()));
            room.keep_files(self.keep.files);
            appended.push(Appended::Stored(message));
        }
        if let (Some(room), Some(newest)) = (self.rooms.get_mut(name), drafts.last()) {
            room.trim(self.keep, newest.at);
        }
        appended
    }

    pub fn expire(&mut self) {
        for room in self.rooms.values_mut() {
            room.trim(self.keep, self.clocks.wall);
        }
    }

    pub fn summaries(&self) -> Vec<RoomSummary> {
        let shown = |(name, room): (&RoomName, &Room)| {
            let at = room.said.last()?.1.at;
            let people = room.present(None).len();
            let is_listed = people > 0 || !room.kept().is_empty();
            let latest = room.said.last()?.1.id;
            is_listed.then(|| RoomSummary { room: name.clone(), latest, at, people })
        };
        let rooms = self.rooms.iter().filter(|(name, _)| !name.is_internal());
        rooms.filter_map(shown).collect()
    }
}

impl Model {
    pub fn page(&self, order: Order, after: Option<&RoomName>, limit: usize) -> Vec<RoomSummary> {
        let mut rooms = self.summaries();
        if order == Order::Name {
            rooms.retain(|summary| after.is_none_or(|after| summary.room > *after));
        } else {
            rooms.sort_by(|a, b| (b.at, &b.room).cmp(&(a.at, &a.room)));
            let room = after.and_then(|after| self.rooms.get(after)?.said.last());
            if let (Some(after), Some((_, message))) = (after, room) {
                rooms.retain(|summary| (summary.at, &summary.room) < (message.at, after));
            }
        }
        rooms.truncate(limit);
        rooms
    }
}

impl Room {
    /// The entries that are in force, oldest first.
    pub fn rules(&self) -> Vec<Arc<Message>> {
        let mut rules: Vec<Arc<Message>> = Vec::new();
        for (_, entry) in self.said.iter().filter(|(_, entry)| entry.kind.is_rule()) {
            let is_over = |rule: &Arc<Message>| match entry.kind {
                Kind::Unlocked => rule.kind == Kind::Locked,
                Kind::Muted | Kind::Removed | Kind::Allowed => {
                    rule.kind.is_bar()
                        && (rule.name == entry.name || rule.ends().is_some_and(|end| end <= entry.at))
                }
                kind => rule.kind == kind,
            };
            rules.retain(|rule| !is_over(rule));
            let is_end = matches!(entry.kind, Kind::Unlocked | Kind::Allowed)
                || entry.kind == Kind::Topic && entry.text.is_empty()
                || entry.kind == Kind::Slowed && &*entry.text == "0";
            if !is_end {
                rules.push(entry.clone());
            }
        }
        rules
    }

    fn denied(&self, draft: &Draft) -> Option<Denied> {
        let speaks = matches!(draft.kind, Kind::Message | Kind::Edited | Kind::Topic);
        if draft.claim.is_operator() || !speaks && draft.kind != Kind::Joined {
            return None;
        }
        let (rules, author) = (self.rules(), draft.claim.author());
        let plain = |name: &PersonName| name.as_str().replace('ë', "e").to_lowercase();
        let concerns = |rule: &Message| {
            author.is_some() && author == rule.holder
                || draft.name.as_ref().map(plain) == rule.name.as_ref().map(plain)
        };
        let bar = |kind| {
            let mut bars =
                rules.iter().filter(|rule| rule.kind == kind && concerns(rule)).map(|rule| rule.ends());
            bars.find(|end| end.is_none_or(|end| draft.at < end))
        };
        if let Some(end) = bar(Kind::Removed) {
            return Some(Denied::Removed(end));
        }
        if let Some(end) = bar(Kind::Muted).filter(|_| speaks) {
            return Some(Denied::Muted(end));
        }
        let rule = |kind| rules.iter().find(|rule| rule.kind == kind);
        if let Some(lock) = rule(Kind::Locked).filter(|_| speaks) {
            return Some(Denied::Locked(lock.text.clone()));
        }
        let seconds = rule(Kind::Slowed)?.seconds()?;
        let is_same =
            |message: &Message| message.holder == author && (author.is_some() || message.name == draft.name);
        let kept = self.said[self.forgotten..].iter().rev().filter(|(said, _)| said.kind == Kind::Message);
        let recent = kept
            .map(|(said, message)| (said.at, message))
            .take_while(|(at, _)| at.0 + seconds * 1000 > draft.at.0);
        let topic = rule(Kind::Topic).map(|topic| (topic.at, topic));
        let past = recent.chain(topic).filter(|(at, message)| is_same(message) && *at <= draft.at);
        let left = past.map(|(at, _)| (at.0 + seconds * 1000).saturating_sub(draft.at.0)).max()?;
        (left > 0 && matches!(draft.kind, Kind::Message | Kind::Topic)).then_some(Denied::Slow(seconds, left))
    }

    /// By which key somebody is here, or spoke last.
    fn whose(&self, name: Option<&PersonName>) -> Option<Holder> {
        let here = self.keys.get(name?).copied().flatten();
        let mut said = self.kept().into_iter().rev().filter(|message| message.kind == Kind::Message);
        here.or_else(|| said.find(|message| message.name.as_ref() == name)?.holder)
    }

    /// The message that a draft is about, if it can be edited or deleted.
    fn changeable(&self, draft: &Draft, epoch: Epoch) -> Option<Arc<Message>> {
        let of = draft.of.filter(|of| of.epoch == epoch)?;
        let kept = self.kept();
        let target = kept.iter().find(|message| message.id.sequence == of.sequence)?;
        let is_it = target.kind == Kind::Message && target.id.mark.matches(of.mark);
        (is_it && !matches!(target.change, Some(Change::Deleted(_)))).then(|| target.clone())
    }

    /// Nothing of what was said before an edit or deletion is kept.
    fn change(&mut self, entry: &Message) {
        let change = match entry.kind {
            Kind::Edited => Change::Edited(entry.at),
            Kind::Deleted => Change::Deleted(entry.at),
            _ => return,
        };
        for (_, message) in &mut self.said {
            let mut changed = Message::clone(message);
            if Some(message.id) == entry.of {
                (changed.text, changed.change) = (entry.text.clone(), Some(change));
                changed.is_by_operator = entry.is_by_operator;
                if entry.kind == Kind::Deleted {
                    changed.file = None;
                }
            } else if message.kind == Kind::Edited && message.of == entry.of {
                changed.text = "".into();
            }
            *message = Arc::new(changed);
        }
    }

    /// Says of the oldest files that they are gone, until the others are no more than this.
    fn keep_files(&mut self, most: u64) {
        let mut sum = 0;
        for (_, message) in self.said[self.forgotten..].iter_mut().rev() {
            let Some(file) = message.file.as_deref().filter(|file| !file.is_gone) else { continue };
            sum += file.bytes;
            if sum > most {
                let file = Some(Arc::new(FileFacts { is_gone: true, ..file.clone() }));
                *message = Arc::new(Message { file, ..Message::clone(message) });
            }
        }
    }

    /// The file of a message, if it is kept.
    pub fn file(&self, sequence: u64) -> Option<Vec<u8>> {
        let kept = self.kept();
        let message = kept.iter().find(|message| message.id.sequence == sequence)?;
        message.file.as_ref().filter(|file| !file.is_gone)?;
        let (draft, _) = &self.said[usize::try_from(sequence).ok()? - 1];
        draft.file.as_ref().map(|upload| upload.bytes.to_vec())
    }

    /// Notes whom an instance holds by a draft. Whether there is something to say by that.
    fn holds(&mut self, draft: &Draft, instance: usize) -> bool {
        let moves = matches!(draft.kind, Kind::Joined | Kind::Left);
        let Some(name) = draft.name.as_ref().filter(|_| moves) else { return true };
        let holders = self.holders.entry(name.clone()).or_default();
        let was_present = !holders.is_empty();
        match draft.kind {
            Kind::Joined => drop(holders.insert(instance)),
            _ => drop(holders.remove(&instance)),
        }
        was_present == holders.is_empty()
    }

    /// Whether somebody else holds a name like this one.
    fn is_taken(&self, name: &PersonName, draft: &Draft) -> bool {
        let plain = |name: &PersonName| name.as_str().replace('ë', "e").to_lowercase();
        let alike = self.keys.iter().filter(|(other, _)| plain(other) == plain(name));
        let is_free = draft.kind == Kind::Left || draft.claim.needs_no_key();
        !is_free && alike.filter_map(|(_, key)| *key).any(|key| draft.claim != Claim::Key(key))
    }

    /// Notes by which key somebody who joins holds the name.
    fn locks(&mut self, draft: &Draft) {
        if let (Kind::Joined, Some(name)) = (draft.kind, &draft.name) {
            let key = self.keys.entry(name.clone()).or_default();
            *key = draft.claim.holder().or(*key);
        }
    }

    pub fn latest(&self) -> u64 {
        self.said.len() as u64
    }

    /// The mark of the newest message.
    pub fn mark(&self) -> Mark {
        self.at(self.latest()).map_or(Mark::UNKNOWN, |message| message.id.mark)
    }

    /// Where its order ends.
    pub fn end(&self, epoch: Epoch) -> Cursor {
        Cursor { epoch, sequence: self.latest(), mark: self.mark() }
    }

    /// The message with this sequence, whether or not it is kept.
    pub fn at(&self, sequence: u64) -> Option<&Arc<Message>> {
        let index = usize::try_from(sequence.checked_sub(1)?).ok()?;
        self.said.get(index).map(|(_, message)| message)
    }

    /// Who has joined and not left since, by name, whether or not those entries are still kept, and whom this
    /// instance holds: all, if there are no others.
    pub fn present(&self, instance: Option<usize>) -> Vec<Present> {
        let mut present = BTreeMap::new();
        for (_, message) in &self.said {
            match (message.kind, &message.name) {
                (Kind::Joined, Some(name)) => drop(present.insert(name.clone(), message.at)),
                (Kind::Left, Some(name)) => drop(present.remove(name)),
                _ => {}
            }
        }
        let is_held =
            |name: &PersonName| instance.is_none_or(|instance| self.holders[name].contains(&instance));
        let whole =
            |(name, since)| Present { is_held: is_held(&name), holder: self.keys[&name], name, since };
        present.into_iter().map(whole).collect()
    }

    pub fn kept(&self) -> Vec<Arc<Message>> {
        let kept = &self.said[self.forgotten..];
        kept.iter().map(|(_, message)| message.clone()).collect()
    }

    /// Back from a sequence: so many messages, and the entries of who came and went among the newest hundred.
    pub fn before(&self, sequence: u64, limit: usize) -> Vec<Arc<Message>> {
        let (mut page, mut left) = (Vec::new(), limit);
        let kept = self.kept();
        let is_before = |message: &&Arc<Message>| message.id.sequence < sequence;
        for (back, message) in kept.iter().filter(is_before).rev().cloned().enumerate() {
            if left == 0 {
                break;
            }
            if message.kind == Kind::Message {
                left -= 1;
                page.push(message);
            } else if back < limit.max(100) && !matches!(message.kind, Kind::Edited | Kind::Deleted) {
                page.push(message);
            }
        }
        page.reverse();
        page
    }

    /// The next `limit` messages that were said after `sequence`, who came and left among them, and where they end.
    pub fn ahead(&self, sequence: u64, limit: usize) -> (Vec<Arc<Message>>, Option<Cursor>) {
        let (mut page, mut left, mut end) = (Vec::new(), limit, None);
        let kept = self.kept();
        let is_after = |message: &&Arc<Message>| message.id.sequence > sequence;
        for (at, message) in kept.iter().filter(is_after).cloned().enumerate() {
            if left == 0 {
                break;
            }
            end = Some(message.id);
            let is_said = message.kind == Kind::Message;
            left -= usize::from(is_said);
            if is_said || at < limit.max(100) && !matches!(message.kind, Kind::Edited | Kind::Deleted) {
                page.push(message);
            }
        }
        (page, end)
    }

    pub fn trim(&mut self, keep: Keep, now: Timestamp) {
        let is_said = |(draft, _): &(Draft, Arc<Message>)| draft.kind == Kind::Message;
        while self.said[self.forgotten..].iter().filter(|entry| is_said(entry)).count() > keep.messages {
            self.forgotten += 1;
        }
        let entries = 2 * keep.messages + 1_000;
        while self.said.len() - self.forgotten > entries && !is_said(&self.said[self.forgotten]) {
            self.forgotten += 1;
        }
        if let Some(age) = keep.age {
            // The oldest first, up to the first that is young enough. One with a time in the future goes with
            // an old one behind it.
            let mut at = self.forgotten;
            while let Some((draft, _)) = self.said.get(at) {
                at += 1;
                if draft.at.until(now) > age {
                    self.forgotten = at;
                } else if draft.at <= now {
                    break;
                }
            }
        }
    }
}
