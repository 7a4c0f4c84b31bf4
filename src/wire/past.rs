//! A look at the past: what is read for it, and the reply that is made of that.

use std::sync::Arc;

use super::refusal::Refusal;
use super::reply::{self, Content, Reply};
use super::request::Past;
use super::search;
use crate::message::{Message, Timestamp};
use crate::store::{self, Error, Store};

/// What makes the reply.
type Render = Box<dyn FnOnce() -> Result<Reply, Refusal> + Send>;

/// Reads what is asked for. Gives what makes the reply of it, and how many bytes of text that holds.
pub fn read(store: &dyn Store, asked: Past) -> Result<(usize, Render), Error> {
    match asked {
        Past::Part(history) => {
            let read = store::past(store, &history.room, history.part, history.reads())?;
            Ok((text_bytes(&read.messages), Box::new(move || Ok(reply::history(&history, &read)))))
        }
        Past::About(about) => {
            let rules = store.newest(&about.room, 0)?.rules;
            Ok((0, Box::new(move || Ok(reply::about(&about, &rules, Timestamp::now())))))
        }
        Past::Search(search) => {
            let hits = search::search(store, &search)?;
            let bytes = hits.messages.iter().map(|(_, message)| message.text.len()).sum();
            Ok((bytes, Box::new(move || Ok(reply::hits(&search, &hits)))))
        }
        Past::File(asked) => {
            let there = store.after(&asked.room, asked.of.sequence.saturating_sub(1), 1)?;
            let there = there.into_iter().find(|message| message.id.is_at(asked.of));
            let file = there.and_then(|message| message.file.clone());
            let Some(file) = file.filter(|file| !file.is_gone) else {
                return Ok(refused(Refusal::NoFile));
            };
            let tag = reply::file_tag(asked.of);
            if asked.known.has(&tag) {
                return Ok((0, Box::new(move || Ok(reply::file(&tag, &file, Content::Known)))));
            }
            let part = match asked.part.map_or(Ok(None), |part| part.within(&tag, file.bytes)) {
                Ok(part) => part,
                Err(refusal) => return Ok(refused(refusal)),
            };
            let all = 0..file.bytes;
            let read = store.file(&asked.room, asked.of.sequence, part.clone().unwrap_or(all))?;
            let Some(bytes) = read else { return Ok(refused(Refusal::NoFile)) };
            let render = move |bytes| Ok(reply::file(&tag, &file, Content::of(part, bytes)));
            Ok((bytes.len(), Box::new(move || render(bytes))))
        }
    }
}

fn refused(refusal: Refusal) -> (usize, Render) {
    (0, Box::new(|| Err(refusal)))
}

fn text_bytes(messages: &[Arc<Message>]) -> usize {
    messages.iter().map(|message| message.text.len()).sum()
}
