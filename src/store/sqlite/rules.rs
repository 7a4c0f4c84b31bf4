//! The rules of a room within one transaction: what they do not let in, and how they change.

use std::sync::Arc;

use rusqlite::OptionalExtension;

use super::ledger::Ledger;
use super::rows::{self, Room};
use super::schema;
use crate::config::{SLOW_LOOK, WHOSE_LOOK};
use crate::message::{Denied, Draft, Holder, Message, PersonName, Rules};

impl Ledger<'_> {
    /// Why the rules do not let a draft in.
    pub(super) fn denied(
        &self,
        room: &Room,
        rules: &Rules,
        draft: &Draft,
    ) -> rusqlite::Result<Option<Denied>> {
        let denied = rules.judge(draft);
        if denied.is_some() || rules.slow().is_none() {
            return Ok(denied);
        }
        let mut statement = self.transaction.prepare_cached(schema::SAID_LATELY)?;
        let mut failure = None;
        let said = statement.query_map((room.id, room.oldest, SLOW_LOOK), rows::said)?;
        let said = said.map_while(|said| said.map_err(|error| failure = Some(error)).ok());
        let slowed = rules.slows(draft, said);
        failure.map_or(Ok(slowed), Err)
    }

    /// Whose a name is, by who is present or spoke last under it.
    pub(super) fn whose(&self, room: &Room, name: &PersonName) -> rusqlite::Result<Option<Holder>> {
        let bytes: Option<Option<[u8; 16]>> = self
            .transaction
            .prepare_cached(schema::WHOSE)?
            .query_row((room.id, name.as_str(), room.oldest, WHOSE_LOOK), |row| row.get(0))
            .optional()?;
        Ok(bytes.flatten().map(Holder::from_bytes))
    }

    /// Has an entry come into force.
    pub(super) fn enter(&self, room: &Room, rules: &mut Rules, entry: &Arc<Message>) -> rusqlite::Result<()> {
        if !entry.kind.is_rule() {
            return Ok(());
        }
        rules.enter(entry);
        // They are few, and seldom change.
        self.transaction.prepare_cached(schema::FORGET_RULES)?.execute([room.id])?;
        let mut add = self.transaction.prepare_cached(schema::ADD_RULE)?;
        for rule in rules.entries() {
            add.execute((
                room.id,
                rule.id.sequence,
                rows::kind_number(rule.kind),
                rule.name.as_ref().map(|name| name.as_str()),
                &rule.text,
                rule.at.0,
                rule.id.mark.number(),
                rule.previous.number(),
                rule.holder.as_ref().map(Holder::bytes),
                rule.is_by_operator,
            ))?;
        }
        Ok(())
    }
}
