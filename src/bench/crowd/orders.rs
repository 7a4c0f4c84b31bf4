//! The orders that come on stdin: a line of JSON each.

use std::io::{self, BufRead};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, bounded};
use serde::Deserialize;

use super::news::say;
use crate::config::{CROWD_ORDERS, CROWD_RATES, TEXT_LIMIT};

/// What the crowd is told to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Order {
    /// New places of some levers.
    Levers(Levers),
    /// A failure is switched on or off.
    Failure(Failure, bool),
}

/// The levers that an order moves.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Levers {
    /// How many wait.
    pub waiters: Option<usize>,
    /// How many messages a second are said.
    pub rate: Option<f64>,
    /// How many bytes a message has, at least enough for its number.
    pub size: Option<usize>,
}

/// What a crowd can do to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failure {
    /// Clients vanish while they wait.
    Vanish,
    /// Some follow a stream and read nothing of it.
    Slow,
    /// Many connections come at once.
    Burst,
    /// Some call what blocks.
    Stall,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    waiters: Option<usize>,
    rate: Option<f64>,
    size: Option<usize>,
    failure: Option<Failure>,
    on: Option<bool>,
}

/// Reads orders until stdin ends. Then the channel is disconnected, and the thread ends.
pub fn listen() -> io::Result<(Receiver<Order>, JoinHandle<()>)> {
    let (sender, orders) = bounded(CROWD_ORDERS);
    let read = move || {
        for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
            match parse(&line) {
                Ok(order) if sender.send(order).is_err() => return,
                Ok(_) => {}
                Err(why) => say(&format!("not an order: {}: {why}", String::from_utf8_lossy(&line))),
            }
        }
    };
    Ok((orders, thread::Builder::new().name("orders".to_owned()).spawn(read)?))
}

fn parse(line: &[u8]) -> Result<Order, String> {
    let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let levers = Levers { waiters: line.waiters, rate: line.rate, size: line.size };
    match (line.failure, line.on) {
        (Some(failure), Some(on)) if levers == Levers::default() => Ok(Order::Failure(failure, on)),
        (None, None) => match levers {
            Levers { rate: Some(rate), .. } if rate != 0.0 && !CROWD_RATES.contains(&rate) => {
                Err(format!("a rate is 0, or from {} to {}", CROWD_RATES.start(), CROWD_RATES.end()))
            }
            Levers { size: Some(size), .. } if size > TEXT_LIMIT => {
                Err(format!("a message has at most {TEXT_LIMIT} bytes"))
            }
            levers => Ok(Order::Levers(levers)),
        },
        _ => Err("it has levers, or a failure and whether it is on".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_moves_some_levers_or_switches_one_failure() {
        let some = Levers { waiters: Some(1000), rate: Some(0.5), size: None };
        assert_eq!(parse(br#"{"waiters":1000,"rate":0.5}"#), Ok(Order::Levers(some)));
        let order = parse(br#"{"failure":"vanish","on":true}"#);
        assert_eq!(order, Ok(Order::Failure(Failure::Vanish, true)));
    }

    #[test]
    fn what_is_not_an_order_is_refused() {
        for line in [
            "",
            "waiters",
            "{\"waiters\":-1}",
            "{\"waiter\":1}",
            "{\"rate\":1e9}",
            "{\"rate\":-1}",
            "{\"size\":65537}",
            "{\"failure\":\"flood\",\"on\":true}",
            "{\"failure\":\"slow\"}",
            "{\"failure\":\"slow\",\"on\":true,\"size\":1}",
            "{\"on\":true}",
        ] {
            assert!(parse(line.as_bytes()).is_err(), "{line:?} was obeyed");
        }
    }
}
