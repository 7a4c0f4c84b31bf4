//! What the memory store keeps of one room.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::mem::size_of;
use std::sync::Arc;

use super::super::fingerprint::fingerprint;
use super::super::{Appended, Error, Keep, one_read, remembers};
use crate::config::{MEMORY_ENTRY_BYTES, SLOW_LOOK, WHOSE_LOOK};
use crate::message::{
    Change, Cursor, Draft, Epoch, FileFacts, Holder, Kind, Mark, Message, PersonName, Rules, SendId, SentAs,
    Timestamp,
};

/// What is kept of one room.
#[derive(Default)]
pub(super) struct Shelf {
    /// Without holes; the last one, if there is one, has the sequence `latest`.
    pub(super) messages: VecDeque<Kept>,
    /// The bytes of `messages` and `sent_order`.
    pub(super) bytes: usize,
    /// How many of `messages` were said.
    said: usize,
    /// The sequences of those with a file, and the bytes of all files.
    files: BTreeSet<u64>,
    file_bytes: u64,
    latest: u64,
    /// The mark of the message at `latest`.
    mark: Mark,
    pub(super) at: Option<Timestamp>,
    /// Who has joined and not left since.
    pub(super) present: BTreeMap<PersonName, Here>,
    /// What is in force.
    pub(super) rules: Rules,
    sent: HashMap<SendId, Sent>,
    /// The newest change of each message that has one, by their sequences. It goes with the message.
    edits: BTreeMap<u64, u64>,
    /// The keys of `sent` with their time, in the order in which they came.
    sent_order: VecDeque<(Timestamp, SendId)>,
}

/// Since when a person is present, and whose the name is.
pub(super) struct Here {
    pub(super) since: Timestamp,
    pub(super) holder: Option<Holder>,
}

/// A message, and when it came by the clock of that moment: its own `at` does not go back.
pub(super) struct Kept {
    pub(super) message: Arc<Message>,
    came: Timestamp,
    /// The file that came with it.
    file: Option<Arc<[u8]>>,
}

/// What was sent under an id.
struct Sent {
    sequence: u64,
    mark: Mark,
    at: Timestamp,
    fingerprint: u64,
}

impl Shelf {
    /// Where the room's order ends.
    pub(super) fn latest(&self, epoch: Epoch) -> Cursor {
        Cursor { epoch, sequence: self.latest, mark: self.mark }
    }

    /// Numbers and keeps one draft.
    pub(super) fn append(&mut self, epoch: Epoch, keep: Keep, draft: &Draft) -> Appended {
        let (sequence, mark) = (self.latest + 1, Mark::random());
        let sent_as = draft.sent_as.as_ref().map(|sent| (sent, fingerprint(draft)));
        if let Some((SentAs { id, at }, fingerprint)) = sent_as
            && let Some(sent) = self.sent.get(id)
            && remembers(sent.at, *at)
        {
            return match sent.fingerprint == fingerprint {
                true => Appended::Repeated(Cursor { epoch, sequence: sent.sequence, mark: sent.mark }),
                false => Appended::Conflict,
            };
        }
        let said = self.messages.iter().rev().filter(|kept| kept.message.kind == Kind::Message);
        let said = said.map(|Kept { message, came, .. }| (message.holder, message.name.clone(), *came));
        let slows = || self.rules.slows(draft, said.take(SLOW_LOOK));
        if let Some(denied) = self.rules.judge(draft).or_else(slows) {
            return Appended::Denied(denied);
        }
        let mut draft = draft.clone();
        if draft.kind.is_change() {
            let target = draft.of.and_then(|of| self.changeable(of));
            let Some(target) = target.map(|at| &self.messages[at].message) else {
                return Appended::NoMessage;
            };
            if !draft.may_change(target.holder) {
                return Appended::NotYours;
            }
            (draft.of, draft.name) = (Some(target.id), target.name.clone());
        }
        draft.of = draft.of.filter(|of| of.epoch == epoch);
        let at = draft.at.max(self.at.unwrap_or(draft.at));
        let holder = draft.claim.holder();
        match (draft.kind, &draft.name) {
            (Kind::Joined, Some(name)) => match self.present.get_mut(name) {
                Some(here) => {
                    here.holder = holder.or(here.holder);
                    return Appended::Needless;
                }
                None => drop(self.present.insert(name.clone(), Here { since: at, holder })),
            },
            (Kind::Left, Some(name)) => drop(self.present.remove(name)),
            _ => {}
        }
        if let Some((SentAs { id, at }, fingerprint)) = sent_as {
            self.sent.insert(id.clone(), Sent { sequence, mark, at: *at, fingerprint });
            self.sent_order.push_back((*at, id.clone()));
            self.bytes += sent_bytes(id);
        }
        let came = draft.at;
        let file = draft.file.as_ref().map(|upload| upload.bytes.clone());
        let mut message = draft.numbered(Cursor { epoch, sequence, mark }, self.mark);
        if let Some(name) = message.name.as_ref().filter(|_| message.kind.is_bar()) {
            message.holder = self.whose(name);
        }
        (self.latest, self.mark) = (sequence, mark);
        self.at = Some(at);
        let message = Arc::new(Message { at, ..message });
        self.bytes += message_bytes(&message);
        self.said += usize::from(message.kind == Kind::Message);
        if let Some(bytes) = &file {
            self.files.insert(sequence);
            self.file_bytes += bytes.len() as u64;
            self.bytes += bytes.len();
        }
        self.messages.push_back(Kept { message: message.clone(), came, file });
        self.change(&message);
        self.enter(&message);
        while self.file_bytes > keep.files && self.drop_oldest_file() {}
        Appended::Stored(message)
    }

    /// Whose a name is, by who is present or spoke last under it.
    fn whose(&self, name: &PersonName) -> Option<Holder> {
        let present = self.present.get(name).and_then(|here| here.holder);
        let said = self.messages.iter().rev().map(|kept| &kept.message);
        let mut said = said.filter(|message| message.kind == Kind::Message).take(WHOSE_LOOK);
        present.or_else(|| said.find(|message| message.name.as_ref() == Some(name))?.holder)
    }

    /// Has an entry come into force.
    fn enter(&mut self, entry: &Arc<Message>) {
        if entry.kind.is_rule() {
            self.bytes -= rules_bytes(&self.rules);
            self.rules.enter(entry);
            self.bytes += rules_bytes(&self.rules);
        }
    }

    /// Where the message at a cursor is, if it can be edited or deleted.
    fn changeable(&self, cursor: Cursor) -> Option<usize> {
        let at = self.position_after(cursor.sequence.checked_sub(1)?);
        let message = &self.messages.get(at)?.message;
        let is_deleted = matches!(message.change, Some(Change::Deleted(_)));
        (message.id.is_at(cursor) && message.kind == Kind::Message && !is_deleted).then_some(at)
    }

    /// Changes the message that a new entry edits or deletes, and the edit that it overtakes.
    fn change(&mut self, entry: &Message) {
        let Some(changed) = entry.of.filter(|_| entry.kind.is_change()) else { return };
        let edit = self.edits.insert(changed.sequence, entry.id.sequence);
        for sequence in [Some(changed.sequence), edit].into_iter().flatten() {
            if entry.kind == Kind::Deleted {
                self.forget_file(sequence);
            }
            let at = self.position_after(sequence - 1);
            if let Some(kept) = self.messages.get_mut(at)
                && let Some(message) = kept.message.after(entry)
            {
                self.bytes -= message_bytes(&kept.message);
                self.bytes += message_bytes(&message);
                kept.message = Arc::new(message);
            }
        }
    }

    /// The file that came with the message of a sequence, if it is kept.
    pub(super) fn file(&self, sequence: u64) -> Option<Arc<[u8]>> {
        let kept = self.messages.get(self.position_after(sequence.checked_sub(1)?))?;
        kept.file.clone().filter(|_| kept.message.id.sequence == sequence)
    }

    /// Forgets the file of a message that is kept.
    fn forget_file(&mut self, sequence: u64) {
        if !self.files.remove(&sequence) {
            return;
        }
        let at = self.position_after(sequence - 1);
        if let Some(kept) = self.messages.get_mut(at)
            && let Some(bytes) = kept.file.take()
        {
            self.file_bytes -= bytes.len() as u64;
            self.bytes -= bytes.len();
        }
    }

    /// Forgets the oldest file, and has its message say so. Says whether there was one.
    fn drop_oldest_file(&mut self) -> bool {
        let Some(sequence) = self.files.first().copied() else { return false };
        self.forget_file(sequence);
        let at = self.position_after(sequence - 1);
        if let Some(kept) = self.messages.get_mut(at)
            && let Some(file) = &kept.message.file
        {
            let file = Some(Arc::new(FileFacts { is_gone: true, ..FileFacts::clone(file) }));
            kept.message = Arc::new(Message { file, ..Message::clone(&kept.message) });
        }
        true
    }

    /// Forgets what is more or older than is kept.
    pub(super) fn trim(&mut self, keep: Keep, now: Timestamp) {
        let begins_with_notice =
            |shelf: &Shelf| shelf.messages.front().is_some_and(|kept| kept.message.kind != Kind::Message);
        while self.said > keep.messages || self.messages.len() > keep.entries() && begins_with_notice(self) {
            self.drop_oldest();
        }
        if let Some(horizon) = keep.horizon(now) {
            let in_time = self.messages.iter().position(|kept| horizon <= kept.came && kept.came <= now);
            let end = in_time.unwrap_or(self.messages.len());
            let too_old = self.messages.range(..end).rposition(|kept| kept.came < horizon);
            for _ in 0..too_old.map_or(0, |last| last + 1) {
                self.drop_oldest();
            }
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.messages.front().map(|kept| kept.message.id.sequence) {
            self.forget_file(oldest);
        }
        if let Some(Kept { message, .. }) = self.messages.pop_front() {
            self.bytes -= message_bytes(&message);
            self.edits.remove(&message.id.sequence);
            self.said -= usize::from(message.kind == Kind::Message);
        }
    }

    /// Frees some memory. Files go first, then messages: a lost message is told as a gap, but a forgotten id may let a
    /// message be published twice. The rules go last.
    pub(super) fn give_up(&mut self) {
        if self.drop_oldest_file() {
            return;
        }
        if !self.messages.is_empty() {
            self.drop_oldest();
        } else if !self.sent_order.is_empty() {
            self.drop_oldest_id();
        } else {
            self.bytes -= rules_bytes(&self.rules);
            self.rules = Rules::default();
        }
    }

    /// Forgets the ids of more than ten minutes ago.
    pub(super) fn forget_sent(&mut self, now: Timestamp) {
        while self.sent_order.front().is_some_and(|(at, _)| !remembers(*at, now)) {
            self.drop_oldest_id();
        }
        if self.sent.is_empty() {
            self.sent.shrink_to(0);
            self.sent_order.shrink_to(0);
        }
    }

    fn drop_oldest_id(&mut self) {
        if let Some((at, id)) = self.sent_order.pop_front() {
            self.bytes -= sent_bytes(&id);
            // The same id may have been used anew since.
            if self.sent.get(&id).is_some_and(|sent| sent.at == at) {
                self.sent.remove(&id);
            }
        }
    }

    /// The newest of those that are kept before an index.
    pub(super) fn newest_before(&self, end: usize, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        let mut messages =
            one_read(self.messages.range(..end).rev().take(limit).map(|kept| Ok(kept.message.clone())))?;
        messages.reverse();
        Ok(messages)
    }

    /// The index of the first kept message whose sequence is greater.
    pub(super) fn position_after(&self, sequence: u64) -> usize {
        let oldest = self.latest + 1 - self.messages.len() as u64;
        let past = sequence.saturating_add(1).saturating_sub(oldest);
        usize::try_from(past).unwrap_or(usize::MAX).min(self.messages.len())
    }
}

/// What a message takes.
fn message_bytes(message: &Message) -> usize {
    let file = message.file.as_ref().map_or(0, |file| size_of::<FileFacts>() + file.name.as_str().len());
    size_of::<Message>()
        + message.text.len()
        + message.name.as_ref().map_or(0, |name| name.as_str().len())
        + file
}

/// What the entries take that are in force.
fn rules_bytes(rules: &Rules) -> usize {
    rules.entries().map(|entry| message_bytes(entry)).sum()
}

/// What it takes to remember an id.
fn sent_bytes(id: &SendId) -> usize {
    MEMORY_ENTRY_BYTES + id.as_str().len()
}
