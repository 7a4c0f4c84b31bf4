//! A look at the past: what is read for it, and the reply that is made of that.

use std::sync::Arc;

use super::reply::{self, Reply};
use super::request::Past;
use super::search;
use crate::message::{Message, Timestamp};
use crate::store::{self, Error, Store};

/// What makes the reply.
type Render = Box<dyn FnOnce() -> Reply + Send>;

/// Reads what is asked for. Gives what makes the reply of it, and how many bytes of text that holds.
pub fn read(store: &dyn Store, asked: Past) -> Result<(usize, Render), Error> {
    match asked {
        Past::Part(history) => {
            let read = store::past(store, &history.room, history.part, history.reads())?;
            Ok((text_bytes(&read.messages), Box::new(move || reply::history(&history, &read))))
        }
        Past::About(about) => {
            let rules = store.newest(&about.room, 0)?.rules;
            Ok((0, Box::new(move || reply::about(&about, &rules, Timestamp::now()))))
        }
        Past::Search(search) => {
            let hits = search::search(store, &search)?;
            let bytes = hits.messages.iter().map(|(_, message)| message.text.len()).sum();
            Ok((bytes, Box::new(move || reply::hits(&search, &hits))))
        }
    }
}

fn text_bytes(messages: &[Arc<Message>]) -> usize {
    messages.iter().map(|message| message.text.len()).sum()
}
