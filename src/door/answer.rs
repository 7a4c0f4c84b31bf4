//! The answer that a service gives to a request, and the door sends.

use std::sync::Arc;

use crate::config::LIGHT;
use crate::message::Message;
use crate::metrics::METRICS;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{Format, Head};

/// An answer. `S` is the function that sends a stream of events.
pub enum Answer<S> {
    /// A reply, after which the connection is free for the next request.
    Reply(Reply),
    /// A reply that is made of many messages. The door counts their bytes, and then renders it. These take turns: if
    /// many were rendered at once, nobody else would have time or memory.
    Rendered {
        /// How many bytes of text it holds until it is rendered.
        bytes: usize,
        /// Renders it.
        render: Box<dyn FnOnce() -> Result<Reply, Refusal> + Send>,
    },
    /// Events, for as long as the client listens.
    Stream {
        /// The head before them.
        head: Reply,
        /// How many bytes it holds for this client until its first events are sent.
        bytes: usize,
        /// Sends them.
        stream: S,
    },
}

/// An answer that is rendered and counted.
pub enum Ready<S> {
    /// See [`Answer::Reply`].
    Reply(Reply),
    /// See [`Answer::Stream`].
    Stream(Reply, S),
}

impl<S> Ready<S> {
    /// The reply, or the head before the events.
    pub fn head_mut(&mut self) -> &mut Reply {
        match self {
            Ready::Reply(reply) | Ready::Stream(reply, _) => reply,
        }
    }
}

impl<S> Answer<S> {
    /// A reply that is made of messages with so many bytes of text. It is rendered at once if they are few.
    pub fn rendered(
        bytes: usize,
        render: impl FnOnce() -> Result<Reply, Refusal> + Send + 'static,
    ) -> Result<Answer<S>, Refusal> {
        match bytes {
            ..=LIGHT => render().map(Answer::Reply),
            _ => Ok(Answer::Rendered { bytes, render: Box::new(render) }),
        }
    }

    /// The same answer with its reply compressed, if that is worth it and the client takes it.
    pub fn compressed(self, takes_gzip: bool) -> Answer<S> {
        match self {
            Answer::Reply(reply) => Answer::Reply(reply.compressed(takes_gzip)),
            Answer::Rendered { bytes, render } => {
                let render = Box::new(move || Ok(render()?.compressed(takes_gzip)));
                Answer::Rendered { bytes, render }
            }
            stream => stream,
        }
    }
}

impl<S> From<Reply> for Answer<S> {
    fn from(reply: Reply) -> Answer<S> {
        Answer::Reply(reply)
    }
}

/// The reply to a refused request, which is counted.
pub fn refuse(format: Format, refusal: &Refusal) -> Reply {
    METRICS.refused(refusal.code());
    reply::refused(format, refusal)
}

/// The same to a request that was read: a browser gets a page. `address` is the prefix, and the
/// target without it.
pub fn refuse_read(head: &Head<'_>, address: (&str, &str), body: &[u8], refusal: &Refusal) -> Reply {
    METRICS.refused(refusal.code());
    reply::refused_in_a_browser(head, address, body, refusal)
}

/// The refusal of a request whose handler panicked. Its client is told, and nobody else is harmed.
pub fn broken() -> Refusal {
    tracing::error!("a handler panicked; its client was answered 500");
    Refusal::Broken
}

/// How many bytes of text these messages have.
pub fn text_bytes(messages: &[Arc<Message>]) -> usize {
    messages.iter().map(|message| message.text.len()).sum()
}

/// How many bytes of text only this list holds. A message that a room remembers is shared: one more reader
/// costs no memory.
pub fn own_bytes(messages: &[Arc<Message>]) -> usize {
    let own = messages.iter().filter(|message| Arc::strong_count(message) == 1);
    own.map(|message| message.text.len()).sum()
}
