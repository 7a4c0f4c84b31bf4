//! A message on its way to the store.

use std::str::FromStr;
use std::sync::Arc;

use super::cursor::Cursor;
use super::entry::{Kind, Message};
use super::file::Upload;
use super::invalid::Invalid;
use super::key::{Claim, Holder};
use super::mark::Mark;
use super::names::PersonName;
use crate::clock::{Timestamp, steady};
use crate::config::SEND_ID_LIMIT;

/// A message before it is stored, without a place in the order yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What the message reports.
    pub kind: Kind,
    /// Who speaks, comes or goes.
    pub name: Option<PersonName>,
    /// By what right that is done. Whoever holds a key is kept as the author also without a name.
    pub claim: Claim,
    /// What is said.
    pub text: Arc<str>,
    /// The message that it is about: the one that it answers, or which it edits or deletes.
    pub of: Option<Cursor>,
    /// The file that comes with it.
    pub file: Option<Upload>,
    /// The sender's own id of it: the same id again within ten minutes is published once.
    pub sent_as: Option<SentAs>,
    /// When it reached the room, by the wall clock.
    pub at: Timestamp,
}

/// A sender's id of a message, and when it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentAs {
    /// The id.
    pub id: SendId,
    /// When it came, by the [steady clock](crate::clock::steady): to set the wall clock changes nothing.
    pub at: Timestamp,
}

impl SentAs {
    /// An id that comes now.
    pub fn now(id: SendId) -> SentAs {
        SentAs { id, at: steady() }
    }
}

impl Draft {
    /// What somebody says now.
    pub fn said(name: Option<PersonName>, claim: Claim, text: &str, send_id: Option<SendId>) -> Draft {
        let sent_as = send_id.map(SentAs::now);
        let (kind, text, at) = (Kind::Message, text.into(), Timestamp::now());
        Draft { kind, name, claim, text, of: None, file: None, sent_as, at }
    }

    /// Whether whoever sent this may change a message of this author.
    pub fn may_change(&self, author: Option<Holder>) -> bool {
        self.claim.is_operator() || author.is_some() && self.claim.author() == author
    }

    /// The message that this becomes at its place in the order, after the message with the mark `previous`.
    pub fn numbered(self, id: Cursor, previous: Mark) -> Message {
        let Draft { kind, name, claim, text, of, file, at, .. } = self;
        let holder = if kind == Kind::Message { claim.author() } else { claim.holder() };
        let is_by_operator = (kind.is_change() || kind.is_rule()) && claim.is_operator();
        let file = file.map(|upload| upload.file);
        Message { id, previous, kind, name, holder, text, file, at, of, change: None, is_by_operator }
    }
}

/// A sender's own id of a message: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SendId(Arc<str>);

impl SendId {
    /// The id as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SendId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<SendId, Invalid> {
        if text.is_empty() || text.len() > SEND_ID_LIMIT || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Invalid("a message's id has 1 to 128 visible ASCII characters"));
        }
        Ok(SendId(text.into()))
    }
}
