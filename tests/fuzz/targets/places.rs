//! Where messages are kept, as the command line says it. No word about it may hold the password.

use comet_chat::store::{Error, StoreSpec};

use super::{Target, assert_comes_back, assert_is_a_sentence, text};

const PASSWORD: &str = "hunter2";

pub const TARGET: Target = Target {
    name: "places",
    seeds: &[
        "memory:",
        "sqlite:comet-chat.db",
        "redis://:hunter2@127.0.0.1:6379/3",
        "rediss://ann:hunter2@[::1]:7000",
        "redis://host",
    ],
    check,
};

fn check(bytes: &[u8]) {
    let text = &*text(bytes);
    match text.parse::<StoreSpec>() {
        Ok(StoreSpec::Sqlite(path)) => assert_eq!(text.split_once(':').map(|(_, path)| path), path.to_str()),
        Ok(spec @ StoreSpec::Memory) => assert_comes_back(&spec),
        #[cfg(feature = "redis")]
        Ok(StoreSpec::Redis(spec)) => {
            let host = spec.host.contains(PASSWORD);
            assert!(host || !format!("{spec} {spec:?}").contains(PASSWORD) || !is_secret(&spec), "{spec:?}");
        }
        Err(Error(sentence)) => {
            assert_is_a_sentence(&sentence);
            // The first word says which kind of store is meant.
            let kind = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            assert!(!sentence.contains(PASSWORD) || kind.contains(PASSWORD), "{sentence}");
        }
    }
}

/// Whether the word is the password, and nothing else in the address.
#[cfg(feature = "redis")]
fn is_secret(spec: &comet_chat::store::RedisSpec) -> bool {
    spec.password.as_ref() == Some(&comet_chat::store::Secret::new(PASSWORD))
        && !spec.user.as_deref().unwrap_or_default().contains(PASSWORD)
}
