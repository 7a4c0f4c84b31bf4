//! Which Redis, and what it must promise, as the command line says it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use redis::{ConnectionAddr, ConnectionInfo};

use crate::config::{REDIS_LEASE, REDIS_PREFIX};
use crate::store::Error;

/// Where a Redis is, as `--store redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]` says it, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisSpec {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The number of its database.
    pub database: i64,
    /// Who we are there, if not the default user.
    pub user: Option<String>,
    /// The password of that user.
    pub password: Option<Secret>,
    /// How it and we prove by TLS who we are; `None` without TLS, `Some` with `rediss://`.
    pub tls: Option<Tls>,
    /// What the names of all keys begin with: several servers may share one Redis.
    pub prefix: String,
    /// When a message counts as stored.
    pub durability: Durability,
    /// How long an instance without a sign of life counts as alive.
    pub lease: Duration,
    /// How long it is looked for at the start, while it can't be reached.
    pub patience: Duration,
}

/// How a Redis and we prove by TLS who we are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// A file of the certificates (PEM) of those who may vouch for it; if there is none, whom this system trusts.
    pub authorities: Option<PathBuf>,
    /// The files of our certificate and its key (PEM), if it wants to know who we are.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// What is never shown, nor written to a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a password. A newline at its end is not part of it: that is how most files end.
    pub fn new(text: &str) -> Secret {
        Secret(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a secret)")
    }
}

/// When a message counts as stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// When this Redis has it, as safely as its own `appendfsync` says.
    #[default]
    Local,
    /// When so many replicas have it too.
    Wait(u32),
    /// When it is in this Redis's append-only file on the disk, and in those of so many replicas.
    WaitAof(u32),
}

impl FromStr for Durability {
    type Err = Error;

    fn from_str(text: &str) -> Result<Durability, Error> {
        let replicas = |count: &str| count.parse::<u32>().ok();
        let read = match text.split_once(':') {
            None if text == "local" => Some(Durability::Local),
            Some(("WAIT", count)) => replicas(count).filter(|count| *count > 0).map(Durability::Wait),
            Some(("WAITAOF", count)) => replicas(count).map(Durability::WaitAof),
            _ => None,
        };
        read.ok_or_else(|| {
            Error(format!(
                "{text:?} is no durability: say local, WAIT:N to wait for N replicas, or WAITAOF:N to wait for the \
                 file on the disk, here and on N replicas"
            ))
        })
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Durability::Local => f.write_str("local"),
            Durability::Wait(replicas) => write!(f, "WAIT:{replicas}"),
            Durability::WaitAof(replicas) => write!(f, "WAITAOF:{replicas}"),
        }
    }
}

impl RedisSpec {
    /// Reads an address. The error never holds the password.
    pub fn parse(url: &str) -> Result<RedisSpec, Error> {
        let unknown = |_| {
            Error(
                "this is not the address of a Redis: say redis://HOST, or redis://:PASSWORD@HOST:PORT/DB"
                    .into(),
            )
        };
        // The library knows this word only where it does TLS itself.
        let (url, tls) = match url.strip_prefix("rediss:") {
            Some(rest) => (&*format!("redis:{rest}"), Some(Tls::default())),
            None => (url, None),
        };
        let info = ConnectionInfo::from_str(url).map_err(unknown)?;
        let ConnectionAddr::Tcp(host, port) = info.addr() else {
            return Err(Error("comet-chat finds a Redis by its host and port: say redis://HOST:PORT".into()));
        };
        let settings = info.redis_settings();
        Ok(RedisSpec {
            host: host.clone(),
            port: *port,
            database: settings.db(),
            user: settings.username().map(str::to_owned),
            password: settings.password().map(Secret::new),
            tls,
            prefix: REDIS_PREFIX.into(),
            durability: Durability::Local,
            lease: REDIS_LEASE,
            patience: Duration::ZERO,
        })
    }
}

/// The address without its password.
impl fmt::Display for RedisSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host: &dyn fmt::Display = match self.host.contains(':') {
            true => &format!("[{}]", self.host),
            false => &self.host,
        };
        let scheme = if self.tls.is_some() { "rediss" } else { "redis" };
        write!(f, "{scheme}://{host}:{}/{}", self.port, self.database)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redis_is_named_by_its_address_and_its_password_is_not_shown() {
        let spec = RedisSpec::parse("redis://ann:s%40cret@[::1]:7000/3").unwrap();
        assert_eq!((spec.host.as_str(), spec.port, spec.database), ("::1", 7000, 3));
        assert_eq!(spec.user.as_deref(), Some("ann"));
        assert_eq!(spec.password, Some(Secret::new("s@cret\n")));
        assert_eq!(spec.to_string(), "redis://[::1]:7000/3");
        assert!(!format!("{spec:?}").contains("cret\"") && !format!("{spec:?}").contains("s@cret"));
        assert_eq!(RedisSpec::parse("redis://localhost").unwrap().to_string(), "redis://localhost:6379/0");
        let safe = RedisSpec::parse("rediss://:secret@[::1]:7000").unwrap();
        assert_eq!((safe.tls.is_some(), safe.to_string()), (true, "rediss://[::1]:7000/0".to_owned()));
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for url in [
            "redis://:secret@host:port",
            "rediss://:secret@host:port",
            "redis://:secret@host/db",
            "redis+unix:///x",
        ] {
            let Error(sentence) = RedisSpec::parse(url).unwrap_err();
            assert!(sentence.contains("redis://") && !sentence.contains("secret"), "{url}: {sentence}");
        }
    }

    #[test]
    fn a_durability_reads_back_as_it_was_written() {
        for durability in [Durability::Local, Durability::Wait(2), Durability::WaitAof(0)] {
            assert_eq!(durability.to_string().parse(), Ok(durability));
        }
        for text in ["", "WAIT", "WAIT:0", "WAIT:x", "wait:1", "WAITAOF:", "always"] {
            assert!(text.parse::<Durability>().is_err(), "{text:?}");
        }
    }
}
