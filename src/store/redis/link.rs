//! One connection to Redis, on which nothing waits for ever.

use std::fmt;
use std::io::Write;
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::Duration;

use redis::{Cmd, FromRedisValue, Parser, ServerError, Value, cmd, from_redis_value};
use socket2::SockRef;

use super::scripts::{Scripts, Step};
use super::spec::RedisSpec;
use crate::config::{REDIS_ANSWER, REDIS_CONNECT};

/// A connection. After [`Trouble::Lost`] it is of no use any more.
///
/// The library's own connection waits once more for each answer that is due after one did not come. This one does
/// not, and another thread can end it.
pub(super) struct Link {
    stream: TcpStream,
    parser: Parser,
    scripts: Scripts,
}

/// Why Redis did not do what it was asked.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// It is away, or it may soon be able to. What it has done of it is not known.
    Lost(String),
    /// It has refused this.
    Refused(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Lost(why) | Trouble::Refused(why) => f.write_str(why),
        }
    }
}

impl Link {
    /// Connects, and makes the steps known.
    pub(super) fn open(spec: &RedisSpec) -> Result<Link, Trouble> {
        let stream = connect(spec)?;
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
        let greeted = greeting.len();
        greeting.extend(Scripts::load());
        let mut answers = link.ask_all(&greeting)?;
        let names = answers.split_off(greeted);
        for answer in answers {
            read::<Value>(answer)?;
        }
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
            .map_err(|error| Trouble::Lost(format!("could not be written to: {error}")))
    }

    /// The next answer or notice.
    pub(super) fn hear(&mut self, patience: Duration) -> Result<Value, Trouble> {
        let lost = |why: &dyn fmt::Display| Trouble::Lost(format!("did not answer: {why}"));
        self.stream.set_read_timeout(Some(patience)).map_err(|error| lost(&error))?;
        self.parser.parse_value(&mut self.stream).map_err(|error| lost(&error))
    }

    /// By which another thread ends this connection, whatever is waited for.
    pub(super) fn handle(&self) -> Result<Handle, Trouble> {
        let stream = self.stream.try_clone();
        stream.map(Handle).map_err(|error| Trouble::Lost(format!("could not be reached: {error}")))
    }
}

/// Ends a connection when it is dropped.
pub(super) struct Handle(TcpStream);

impl Drop for Handle {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

fn connect(spec: &RedisSpec) -> Result<TcpStream, Trouble> {
    let lost = |error: std::io::Error| Trouble::Lost(format!("could not be reached: {error}"));
    let mut failure = std::io::ErrorKind::NotFound.into();
    for address in (spec.host.as_str(), spec.port).to_socket_addrs().map_err(lost)? {
        match TcpStream::connect_timeout(&address, REDIS_CONNECT) {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(lost)?;
                // What is still on its way when the connection is given up does not arrive later.
                SockRef::from(&stream).set_linger(Some(Duration::ZERO)).map_err(lost)?;
                stream.set_write_timeout(Some(REDIS_ANSWER)).map_err(lost)?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(lost(failure))
}

/// Reads an answer, or what error it is.
pub(super) fn read<T: FromRedisValue>(answer: Value) -> Result<T, Trouble> {
    match answer {
        Value::ServerError(error) => Err(trouble(&error)),
        answer => from_redis_value(answer)
            .map_err(|error| Trouble::Refused(format!("answered something else: {error}"))),
    }
}

/// What an error of Redis means for us.
fn trouble(error: &ServerError) -> Trouble {
    let details = error.details().unwrap_or_default();
    let (code, why) = (error.code(), format!("{} {details}", error.code()));
    match code {
        // It starts, or is about to become something else, or has forgotten the steps: a new connection may find better.
        "LOADING" | "READONLY" | "MASTERDOWN" | "TRYAGAIN" | "BUSY" | "NOSCRIPT" => {
            Trouble::Lost(format!("said {why}"))
        }
        "NOAUTH" => Trouble::Lost(
            "wants a password: give it by --redis-password-file, or in --store redis://:PASSWORD@HOST".into(),
        ),
        "WRONGPASS" => Trouble::Lost("does not know this user and password".into()),
        "NOPERM" => {
            Trouble::Refused(format!("does not allow its user what is needed, see README.md ({details})"))
        }
        "OOM" => Trouble::Refused(format!("has no memory left for more ({details})")),
        _ => Trouble::Refused(format!("said {why}")),
    }
}
