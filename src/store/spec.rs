//! Which store, as the command line names it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::Error;
#[cfg(feature = "redis")]
use super::RedisSpec;

/// Which store, as `--store` says it: `memory:`, `sqlite:PATH` or `redis://HOST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreSpec {
    /// [`MemoryStore`](super::MemoryStore).
    Memory,
    /// [`SqliteStore`](super::SqliteStore) in the file at this path, which is made if it is missing.
    Sqlite(PathBuf),
    /// [`RedisStore`](super::RedisStore), which several instances of this server share.
    #[cfg(feature = "redis")]
    Redis(Box<RedisSpec>),
}

impl Default for StoreSpec {
    fn default() -> StoreSpec {
        StoreSpec::Sqlite("comet-chat.db".into())
    }
}

impl FromStr for StoreSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<StoreSpec, Error> {
        match text.split_once(':') {
            Some(("memory", "")) => Ok(StoreSpec::Memory),
            Some(("sqlite", path)) if !path.is_empty() => Ok(StoreSpec::Sqlite(path.into())),
            #[cfg(feature = "redis")]
            Some(("redis" | "rediss", _)) => Ok(StoreSpec::Redis(Box::new(RedisSpec::parse(text)?))),
            #[cfg(not(feature = "redis"))]
            Some(("redis" | "rediss", _)) => {
                Err(Error("this build keeps nothing in Redis: build it with --features redis".into()))
            }
            // What follows the first word may hold a password.
            _ => Err(Error(format!(
                "{:?} begins no store: say memory: to forget all at the end, sqlite:PATH to keep it in a file, or \
                 redis://HOST to share it with other instances",
                text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
            ))),
        }
    }
}

impl fmt::Display for StoreSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreSpec::Memory => f.write_str("memory:"),
            StoreSpec::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            #[cfg(feature = "redis")]
            StoreSpec::Redis(spec) => spec.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_by_its_kind_and_place() {
        for text in ["memory:", "sqlite:comet-chat.db", "sqlite:/var/lib/a:b.db"] {
            let spec: StoreSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
        }
        assert_eq!(StoreSpec::default().to_string(), "sqlite:comet-chat.db");
    }

    #[test]
    fn what_names_no_store_is_refused_with_those_that_are_there() {
        for text in ["", "memory", "memory:x", "sqlite", "sqlite:", "redis", "a.db"] {
            let Error(sentence) = text.parse::<StoreSpec>().unwrap_err();
            for known in ["memory:", "sqlite:PATH", "redis://HOST"] {
                assert!(sentence.contains(known), "{sentence}");
            }
        }
    }

    /// `valkey://:PASSWORD@HOST` was shown whole.
    #[test]
    fn a_password_is_not_shown_whatever_stands_before_it() {
        for text in
            ["valkey://:hunter2@host", "Redis://:hunter2@host", "redis//:hunter2@host", ":hunter2@host"]
        {
            let Error(sentence) = text.parse::<StoreSpec>().unwrap_err();
            assert!(!sentence.contains("hunter2"), "{sentence}");
        }
    }

    #[test]
    fn a_redis_is_opened_only_by_a_build_that_can() {
        let is_taken = "redis://localhost".parse::<StoreSpec>().is_ok();
        assert_eq!(is_taken, cfg!(feature = "redis"));
    }
}
