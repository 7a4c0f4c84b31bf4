//! The crowd: clients that wait, speak and fail as they are told, in a process of their own, so that they weigh on
//! nothing that is measured here. This is what is said to it and what it tells.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::failures::Failure;
use super::levers::Levers;
use crate::config::CROWD_REPORTS;

/// What it is told.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    /// Where the levers stand.
    Levers(Levers),
    /// Whether it fails in this way.
    Failure(Failure, bool),
}

impl Order {
    /// A line of JSON.
    pub fn line(&self) -> String {
        let order = match self {
            Order::Levers(levers) => serde_json::json!(levers),
            Order::Failure(failure, on) => serde_json::json!({"failure": failure.name(), "on": on}),
        };
        format!("{order}\n")
    }
}

/// What it tells of the time since its last line.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub struct Report {
    /// How many wait now.
    waiting: u64,
    /// What did not reach them.
    #[serde(default)]
    lost: u64,
    /// What became of messages: how many had each, and how long it took.
    #[serde(default)]
    posts: Vec<Value>,
    /// What its failures did.
    #[serde(default)]
    did: BTreeMap<String, u64>,
    /// Why somebody was refused or cut off, if somebody was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    /// Why it is there no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
}

/// What the crowd has told lately.
#[derive(Debug, Default)]
pub struct Heard(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    reports: VecDeque<Report>,
    /// How many there were before these.
    forgotten: u64,
    is_there: bool,
    waiting: u64,
    ended: Option<String>,
}

impl Heard {
    /// Takes in a line. One that can't be read is left out: it comes from another version of the program.
    pub fn take(&self, line: &str) {
        let Ok(report) = serde_json::from_str::<Report>(line) else { return };
        let mut inner = self.lock();
        inner.waiting = report.waiting;
        inner.reports.push_back(report);
        if inner.reports.len() > CROWD_REPORTS {
            inner.reports.pop_front();
            inner.forgotten += 1;
        }
    }

    /// It is there.
    pub fn begins(&self) {
        let mut inner = self.lock();
        (inner.is_there, inner.ended) = (true, None);
    }

    /// Whether it is there.
    pub fn is_there(&self) -> bool {
        self.lock().is_there
    }

    /// It is there no more.
    pub fn ends(&self, why: String) {
        let mut inner = self.lock();
        (inner.is_there, inner.waiting) = (false, 0);
        inner.ended.get_or_insert(why);
    }

    /// All that was heard after so many reports, as one, and how many reports that makes.
    pub fn since(&self, seen: u64) -> (Report, u64) {
        let inner = self.lock();
        let mut all = Report { waiting: inner.waiting, ended: inner.ended.clone(), ..Report::default() };
        for report in inner.reports.iter().skip(seen.saturating_sub(inner.forgotten) as usize) {
            all.lost += report.lost;
            all.posts.extend_from_slice(&report.posts);
            for (what, times) in &report.did {
                *all.did.entry(what.clone()).or_default() += times;
            }
            all.trouble = report.trouble.clone().or(all.trouble);
        }
        (all, inner.forgotten + inner.reports.len() as u64)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under this lock can panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_who_looks_is_told_what_came_since() {
        let heard = Heard::default();
        let (_, seen) = heard.since(0);
        heard.take(r#"{"waiting":10,"lost":1,"posts":[{"of":10}],"did":{"vanished":5},"new":1}"#);
        heard.take("nonsense");
        heard.take(r#"{"waiting":12,"lost":2,"posts":[{"of":12}],"did":{"vanished":6}}"#);
        let (all, now) = heard.since(seen);
        assert_eq!((all.waiting, all.lost, all.posts.len(), all.did["vanished"]), (12, 3, 2, 11));
        let (all, _) = heard.since(now);
        assert_eq!((all.waiting, all.lost, all.posts.len()), (12, 0, 0));
        heard.ends("it broke".to_owned());
        assert_eq!(heard.since(now).0.waiting, 0);
        for _ in 0..2 * CROWD_REPORTS {
            heard.take(r#"{"waiting":1,"lost":1}"#);
        }
        assert_eq!(heard.since(now).0.lost, CROWD_REPORTS as u64);
    }
}
