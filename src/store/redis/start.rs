//! What must hold of a Redis before messages are trusted to it.

use std::collections::HashMap;
use std::thread;
use std::time::Instant;

use redis::{Value, cmd};

use super::link::{Link, read};
use super::spec::{Durability, RedisSpec};
use super::stream;
use super::tls::WANTS_US;
use super::trouble::Trouble;
use crate::config::{REDIS_LEAST, REDIS_PAUSES, REDIS_WAITAOF};
use crate::store::Error;

/// Connects. While Redis can't be reached, as when both start at once, it is looked for again, as long as `spec` says.
pub(super) fn connect(spec: &RedisSpec) -> Result<Link, Trouble> {
    let began = Instant::now();
    let mut pause = REDIS_PAUSES.0;
    loop {
        match Link::open(spec) {
            Err(Trouble::Away(why)) if began.elapsed() < spec.patience => {
                if pause == REDIS_PAUSES.0 {
                    let patience = spec.patience.as_secs();
                    tracing::warn!("{spec} {why}; it is looked for again, for {patience} s");
                }
            }
            Err(Trouble::Lost(_)) if stream::wants_tls(spec) => {
                return Err(Trouble::Unwelcome("speaks TLS on this port: say rediss://".into()));
            }
            Err(Trouble::Lost(why)) if spec.tls.is_some() => {
                return Err(Trouble::Unwelcome(format!("{why}; {WANTS_US}")));
            }
            outcome => return outcome,
        }
        thread::sleep(pause);
        pause = (pause * 2).min(REDIS_PAUSES.1);
    }
}

/// Refuses a Redis that would lose what it has confirmed, or can't do what is needed; the sentence says what to do
/// about it. What may be meant so is only warned of.
pub(super) fn check(link: &mut Link, spec: &RedisSpec) -> Result<(), Error> {
    let refuse = |why: &dyn std::fmt::Display| Err(Error(format!("{spec} {why}")));
    let facts = match facts(link) {
        Ok(facts) => facts,
        Err(Trouble::Refused(why)) => {
            tracing::warn!("{spec} does not say what it is ({why}): see README.md for what must hold of it");
            return Ok(());
        }
        Err(trouble) => return refuse(&trouble),
    };
    match findings(&facts, spec.durability) {
        Findings { refusal: Some(why), .. } => refuse(&why),
        Findings { warnings, .. } => {
            warnings.iter().for_each(|why| tracing::warn!("{spec} {why}"));
            Ok(())
        }
    }
}

/// What a Redis says of itself.
type Facts = HashMap<String, String>;

fn facts(link: &mut Link) -> Result<Facts, Trouble> {
    let text: String = link.ask(&cmd("INFO"))?;
    let fact =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    let mut facts: Facts = text.lines().filter_map(fact).collect();
    // Many services forbid this, and then it is not known.
    let saves = link.ask_all(&[cmd("CONFIG").arg("GET").arg("save").take()])?;
    if let Some(Ok(saves)) = saves.into_iter().next().map(read::<Vec<Value>>)
        && let Some(Ok(save)) = saves.into_iter().nth(1).map(read::<String>)
    {
        facts.insert("save".into(), save);
    }
    Ok(facts)
}

#[derive(Debug, Default, PartialEq)]
struct Findings {
    refusal: Option<String>,
    warnings: Vec<String>,
}

fn findings(facts: &Facts, durability: Durability) -> Findings {
    let fact = |name: &str| facts.get(name).map_or("", String::as_str);
    let refuse = |why: String| Findings { refusal: Some(why), warnings: Vec::new() };
    let version = fact("redis_version");
    let at_least = |least: (u32, u32)| {
        let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= least
    };
    if !version.is_empty() && !at_least(REDIS_LEAST) {
        let (major, minor) = REDIS_LEAST;
        return refuse(format!(
            "is version {version}: comet-chat needs Redis {major}.{minor} or later, or Valkey"
        ));
    }
    match fact("redis_mode") {
        "cluster" => {
            return refuse(
                "is part of a Redis Cluster, over which notices can't be trusted: use one Redis with replicas".into(),
            );
        }
        "sentinel" => {
            return refuse(
                "is a Sentinel and holds no data: give the address of the Redis that it watches".into(),
            );
        }
        _ => {}
    }
    if fact("role") == "slave" {
        return refuse(format!(
            "is a replica and takes no messages: give the address of its master ({}:{})",
            fact("master_host"),
            fact("master_port")
        ));
    }
    if matches!(durability, Durability::WaitAof(_)) {
        if !at_least(REDIS_WAITAOF) {
            return refuse(format!(
                "is version {version}: WAITAOF needs Redis 7.2 or later, or Valkey; say WAIT:N or local"
            ));
        }
        if fact("aof_enabled") == "0" {
            return refuse(
                "has no append-only file to wait for: set appendonly yes there, or say WAIT:N or local"
                    .into(),
            );
        }
    }
    let policy = fact("maxmemory_policy");
    let is_bounded = !matches!(fact("maxmemory"), "" | "0");
    if is_bounded && policy.starts_with("allkeys") {
        return refuse(format!(
            "throws away messages when its memory is full (maxmemory-policy {policy}): set it to noeviction there"
        ));
    }
    let mut warnings = Vec::new();
    if is_bounded && policy.starts_with("volatile") {
        warnings.push(format!(
            "forgets senders' ids when its memory is full (maxmemory-policy {policy}), and a message that is sent again \
             may then be published twice: noeviction is safe"
        ));
    }
    if fact("aof_enabled") == "0" {
        let saves = match facts.get("save").map(String::as_str) {
            Some("") => {
                "keeps nothing on a disk (appendonly no, save \"\"): a restart of it loses all messages"
            }
            _ => "keeps no append-only file: a crash of it loses what was said since its last snapshot",
        };
        warnings.push(format!("{saves}; clients are told of such a loss"));
    }
    Findings { refusal: None, warnings }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a Redis says of itself.
    type Says = &'static [(&'static str, &'static str)];

    fn found(facts: Says, durability: Durability) -> Findings {
        let facts = facts.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        findings(&facts.collect(), durability)
    }

    #[test]
    fn a_redis_that_could_lose_what_it_has_confirmed_is_refused_in_words() {
        let cases: [(Says, Durability, &str); 7] = [
            (&[("redis_version", "6.2.14")], Durability::Local, "needs Redis 7.0"),
            (&[("redis_version", "7.2.4"), ("redis_mode", "cluster")], Durability::Local, "Cluster"),
            (&[("redis_version", "7.2.4"), ("redis_mode", "sentinel")], Durability::Local, "Sentinel"),
            (
                &[("role", "slave"), ("master_host", "10.0.0.7"), ("master_port", "6379")],
                Durability::Local,
                "10.0.0.7:6379",
            ),
            (&[("maxmemory", "1000"), ("maxmemory_policy", "allkeys-lru")], Durability::Local, "noeviction"),
            (&[("redis_version", "7.0.15"), ("aof_enabled", "1")], Durability::WaitAof(1), "7.2"),
            (&[("redis_version", "7.2.4"), ("aof_enabled", "0")], Durability::WaitAof(0), "appendonly yes"),
        ];
        for (facts, durability, word) in cases {
            let refusal = found(facts, durability).refusal.unwrap_or_default();
            assert!(refusal.contains(word), "{facts:?}: {refusal}");
        }
    }

    #[test]
    fn what_may_be_meant_so_is_warned_of() {
        let cases: [(Says, &str); 3] = [
            (
                &[("maxmemory", "1000"), ("maxmemory_policy", "volatile-ttl"), ("aof_enabled", "1")],
                "published twice",
            ),
            (&[("aof_enabled", "0"), ("save", "3600 1")], "snapshot"),
            (&[("aof_enabled", "0"), ("save", "")], "restart"),
        ];
        for (facts, word) in cases {
            let Findings { refusal, warnings } = found(facts, Durability::Local);
            assert!(
                refusal.is_none() && warnings.len() == 1 && warnings[0].contains(word),
                "{facts:?}: {warnings:?}"
            );
        }
    }

    #[test]
    fn a_redis_that_keeps_all_is_taken_without_a_word() {
        let facts: Says = &[
            ("redis_version", "7.2.4"),
            ("redis_mode", "standalone"),
            ("role", "master"),
            ("aof_enabled", "1"),
            ("maxmemory", "0"),
            ("maxmemory_policy", "allkeys-lru"),
        ];
        assert_eq!(found(facts, Durability::WaitAof(1)), Findings::default());
    }
}
