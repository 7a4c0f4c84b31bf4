//! Getting the clients in: each connects and greets the room before it counts.
//!
//! A greeting is a poll that does not wait. Its reply proves that the connection is served, not
//! only queued in the kernel, and brings the cursor to follow.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::client::{Client, Event};
use super::error::Error;
use super::target::Target;

/// The most clients that are on their way in at once: below the listen backlog of 128 that a
/// plain server has, so that no attempt to connect is dropped and repeated a second later.
const ON_THEIR_WAY: usize = 64;

/// Who came in.
#[derive(Debug, Default)]
pub struct Opened {
    /// For each client the path of its first poll; `None` for one that was refused.
    pub next: Vec<Option<String>>,
    /// How many were refused.
    pub refused: usize,
    /// What the last refusal said.
    pub sentence: Option<String>,
}

/// Opens `count` new slots of the client; gives up when for so long nothing has come.
pub fn open(
    client: &mut Client,
    target: &Target,
    count: usize,
    patience: Duration,
    bar: &ProgressBar,
) -> Result<Opened, Error> {
    let first = client.slots();
    let mut opened = Opened { next: vec![None; count], ..Opened::default() };
    let (mut begun, mut done) = (0, 0);
    let mut deadline = Instant::now() + patience;
    while done < count {
        while begun < count && begun - done < ON_THEIR_WAY {
            let slot = client.add_slot();
            client.send(slot, &target.greeting());
            begun += 1;
        }
        let now = Instant::now();
        if now >= deadline {
            return Err(Error::Silent(begun - done, count));
        }
        for (slot, event) in client.turn(deadline - now)? {
            if slot < first {
                // A connection from before was closed while it idled; its next request makes anew.
                continue;
            }
            deadline = Instant::now() + patience;
            done += 1;
            bar.inc(1);
            match event {
                Event::Reply(reply) if matches!(reply.status, 200 | 204) => {
                    let from_cursor = || Some(target.after(reply.cursor.as_deref()?));
                    let next = reply.next.clone().or_else(from_cursor).ok_or_else(|| {
                        Error::OtherWire(
                            "a poll's reply has neither Link: <...>; rel=\"next\" nor Chat-Cursor".to_owned(),
                        )
                    })?;
                    opened.next[slot - first] = Some(next);
                }
                Event::Reply(reply) if matches!(reply.status, 429 | 503) => {
                    client.close(slot);
                    opened.refused += 1;
                    opened.sentence = Some(format!("{} {}", reply.status, reply.sentence()));
                }
                Event::Reply(reply) => {
                    return Err(Error::OtherWire(format!(
                        "a poll was answered {}: {}",
                        reply.status,
                        reply.sentence()
                    )));
                }
                Event::Closed(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                    return Err(Error::OtherWire(error.to_string()));
                }
                Event::Closed(error) if done == 1 => {
                    return Err(Error::Absent(target.to_string(), error));
                }
                Event::Closed(error) => {
                    opened.refused += 1;
                    opened.sentence = Some(format!("the connection was closed: {error}"));
                }
            }
        }
    }
    Ok(opened)
}
