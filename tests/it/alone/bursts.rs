//! Many connections at once, each with a GET, and then one POST.
//!
//! A server may hand a connection to a thread that it takes for idle, although the thread still reads another
//! connection. That strands the new connection: neither its GET nor the POST is read until another one
//! closes.

use crate::client::Connection;
use crate::harness::{Alone, make_room_for};

on_every_engine![
    four_at_once_are_all_answered,
    twenty_at_once_are_all_answered,
    a_hundred_at_once_are_all_answered,
    four_hundred_at_once_are_all_answered,
    a_thousand_at_once_are_all_answered,
    a_burst_after_silent_connections_is_answered,
];

fn four_at_once_are_all_answered(alone: Alone) {
    burst(alone, 4, 20);
}

fn twenty_at_once_are_all_answered(alone: Alone) {
    burst(alone, 20, 20);
}

fn a_hundred_at_once_are_all_answered(alone: Alone) {
    burst(alone, 100, 20);
}

fn four_hundred_at_once_are_all_answered(alone: Alone) {
    burst(alone, 400, 10);
}

fn a_thousand_at_once_are_all_answered(alone: Alone) {
    burst(alone, 1_000, 6);
}

/// Several bursts. Each but the first comes right after as many connections have closed.
fn burst(Alone(launch): Alone, size: u64, rounds: usize) {
    make_room_for(size);
    let server = launch.start();
    let chat = server.chat();
    for round in 0..rounds {
        let get = chat.get(&format!("?wait=60&after={}", chat.cursor()));
        let mut crowd: Vec<Connection>;
        if round % 2 == 0 {
            crowd = (0..size).map(|_| server.connect()).collect();
            crowd.iter_mut().for_each(|connection| connection.send(&get));
        } else {
            let connect_and_ask = |_| {
                let mut connection = server.connect();
                connection.send(&get);
                connection
            };
            crowd = (0..size).map(connect_and_ask).collect();
        }
        let text = format!("round {round}");
        let said = chat.says(&text);
        for connection in &mut crowd {
            let reply = connection.reply().is(200);
            assert_eq!((reply.text(), reply.cursor()), (text.as_str(), said.clone()));
        }
    }
}

fn a_burst_after_silent_connections_is_answered(Alone(launch): Alone) {
    make_room_for(400);
    let server = launch.start();
    let chat = server.chat();
    for round in 0..20 {
        // A hundred silent connections stay, and a hundred more come and go.
        let silent: Vec<Connection> = (0..100).map(|_| server.connect()).collect();
        drop((0..100).map(|_| server.connect()).collect::<Vec<_>>());
        let get = chat.get(&format!("?wait=60&after={}", chat.cursor()));
        let mut crowd: Vec<Connection> = (0..100).map(|_| server.connect()).collect();
        crowd.iter_mut().for_each(|connection| connection.send(&get));
        let text = format!("round {round}");
        chat.says(&text);
        for connection in &mut crowd {
            assert_eq!(connection.reply().is(200).text(), text);
        }
        drop(silent);
    }
}
