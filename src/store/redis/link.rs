//! One connection to Redis, on which nothing waits for ever.

use std::fmt;
use std::io::Write;
use std::time::Duration;

use redis::{Cmd, FromRedisValue, Parser, Value, cmd, from_redis_value};

use super::scripts::{Scripts, Step};
use super::spec::RedisSpec;
use super::stream::{Handle, Stream};
use super::trouble::Trouble;
use crate::config::REDIS_ANSWER;

/// A connection. It is of no use any more after a trouble that is no [refusal](Trouble::is_refusal).
///
/// The library's own connection waits once more for each answer that is due after one did not come. This one does
/// not, and another thread can end it.
pub(super) struct Link {
    stream: Stream,
    parser: Parser,
    scripts: Scripts,
}

impl Link {
    /// Connects, and makes the steps known.
    pub(super) fn open(spec: &RedisSpec) -> Result<Link, Trouble> {
        let stream = Stream::open(spec)?;
        let mut link = Link { stream, parser: Parser::new(), scripts: Scripts::loaded(Vec::new()) };
        let mut greeting = Vec::new();
        if let Some(password) = &spec.password {
            let mut auth = cmd("AUTH");
            if let Some(user) = &spec.user {
                auth.arg(user);
            }
            greeting.push(auth.arg(password.reveal()).take());
        }
        if spec.database != 0 {
            greeting.push(cmd("SELECT").arg(spec.database).take());
        }
        // Redis ends the connection of a stranger who sends more than 16 KiB at once, as the steps are, and then
        // nobody would be told what is missing.
        greeting.push(cmd("PING"));
        for answer in link.ask_all(&greeting)? {
            read::<Value>(answer)?;
        }
        let names = link.ask_all(&Scripts::load())?;
        let names = names.into_iter().map(read).collect::<Result<_, _>>()?;
        link.scripts = Scripts::loaded(names);
        Ok(link)
    }

    /// What runs a step here. Its arguments follow.
    pub(super) fn step(&self, step: Step) -> Cmd {
        self.scripts.run(step)
    }

    /// Asks one thing.
    pub(super) fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, Trouble> {
        self.send(&command.get_packed_command())?;
        read(self.hear(REDIS_ANSWER)?)
    }

    /// Asks several things in one trip. Some answers may be [errors](read).
    pub(super) fn ask_all(&mut self, commands: &[Cmd]) -> Result<Vec<Value>, Trouble> {
        let mut packed = Vec::new();
        commands.iter().for_each(|command| command.write_packed_command(&mut packed));
        self.send(&packed)?;
        commands.iter().map(|_| self.hear(REDIS_ANSWER)).collect()
    }

    fn send(&mut self, packed: &[u8]) -> Result<(), Trouble> {
        self.stream
            .write_all(packed)
            .and_then(|()| self.stream.flush())
            .map_err(|error| Trouble::Lost(format!("could not be written to: {error}")))
    }

    /// The next answer or notice.
    pub(super) fn hear(&mut self, patience: Duration) -> Result<Value, Trouble> {
        let lost = |why: &dyn fmt::Display| Trouble::Lost(format!("did not answer: {why}"));
        self.stream.wait(patience).map_err(|error| lost(&error))?;
        self.parser.parse_value(&mut self.stream).map_err(|error| lost(&error))
    }

    /// By which another thread ends this connection, whatever is waited for.
    pub(super) fn handle(&self) -> Result<Handle, Trouble> {
        self.stream.handle().map_err(|error| Trouble::Lost(format!("could not be reached: {error}")))
    }
}

/// Reads an answer, or what error it is.
pub(super) fn read<T: FromRedisValue>(answer: Value) -> Result<T, Trouble> {
    match answer {
        Value::ServerError(error) => Err(Trouble::of(&error)),
        answer => from_redis_value(answer)
            .map_err(|error| Trouble::Refused(format!("answered something else: {error}"))),
    }
}
