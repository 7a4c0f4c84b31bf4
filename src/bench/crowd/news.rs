//! What the crowd tells: a line of JSON now and then.

use std::io::{self, Write};
use std::time::Instant;

use serde::Serialize;

use super::posts::{Posts, Told};
use crate::config::{CALM, SAID_EVERY};

/// What was done since it was last told.
#[derive(Default)]
pub struct News {
    pub did: Did,
    /// What the last refusal said.
    trouble: Option<String>,
    /// When trouble was last seen, and last said on stderr.
    seen: Option<Instant>,
    said: Option<Instant>,
}

/// What the crowd did, since the line before.
#[derive(Default, Serialize)]
pub struct Did {
    /// Waiting connections that were reset.
    pub vanished: usize,
    /// Streams that were opened and are not read.
    pub slow: usize,
    /// Connections that came in bursts.
    pub burst: usize,
    /// Whatever was refused, broken or not answered, but no messages: it comes again.
    pub refused: usize,
    /// Calls that blocked, and were answered.
    pub stalled: usize,
}

#[derive(Serialize)]
struct Line<'a> {
    /// How many wait now.
    waiting: usize,
    /// How many deliveries never came, since the line before.
    lost: usize,
    posts: &'a [Told],
    did: &'a Did,
    /// What the last refusal said, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<&'a str>,
}

impl News {
    /// Something was refused, or a connection broke.
    pub fn refuse(&mut self, why: String) {
        self.did.refused += 1;
        self.trouble = Some(why);
    }

    /// Tells what was done, and says trouble on stderr, but not all the time.
    pub fn tell(&mut self, waiting: usize, posts: &mut Posts, now: Instant) -> io::Result<()> {
        let (trouble, lost) = (self.trouble.as_deref(), std::mem::take(&mut posts.lost));
        let line = Line { waiting, lost, posts: &posts.told, did: &self.did, trouble };
        let mut stdout = io::stdout().lock();
        serde_json::to_writer(&mut stdout, &line)?;
        stdout.write_all(b"\n")?;
        stdout.flush()?;
        posts.told.clear();
        self.did = Did::default();
        if let Some(trouble) = self.trouble.take() {
            self.seen = Some(now);
            if self.said.is_none_or(|said| now >= said + SAID_EVERY) {
                self.said = Some(now);
                say(&format!("who was refused or cut off comes again: {trouble}"));
            }
        } else if self.seen.is_some_and(|seen| now >= seen + CALM) {
            (self.seen, self.said) = (None, None);
            say("all are served again");
        }
        Ok(())
    }
}

/// Says something to people.
pub fn say(sentence: &str) {
    eprintln!("comet-chat bench: {sentence}");
}
