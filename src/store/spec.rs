//! Which store, as the command line names it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::Error;

/// Which store, as `--store` says it: `memory:` or `sqlite:PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreSpec {
    /// [`MemoryStore`](super::MemoryStore).
    Memory,
    /// [`SqliteStore`](super::SqliteStore) in the file at this path, which is made if it is missing.
    Sqlite(PathBuf),
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
            _ => Err(Error(format!(
                "{text:?} is not a store: say memory: to forget all at the end, or sqlite:PATH to keep it in a file"
            ))),
        }
    }
}

impl fmt::Display for StoreSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreSpec::Memory => f.write_str("memory:"),
            StoreSpec::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
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
    fn what_names_no_store_is_refused_with_the_two_that_are_there() {
        for text in ["", "memory", "memory:x", "sqlite", "sqlite:", "redis://localhost", "a.db"] {
            let Error(sentence) = text.parse::<StoreSpec>().unwrap_err();
            assert!(sentence.contains("memory:") && sentence.contains("sqlite:PATH"));
        }
    }
}
