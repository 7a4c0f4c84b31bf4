//! Clients that read, read slowly and do not read, with large replies to all of them at once.

use std::io::{ErrorKind, Read};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Connection, Request};
use crate::harness::{Alone, make_room_for, seed, wait_until};
use crate::pages::{HELD_MAX, MESSAGES, connect_from, page, say_much};

on_async_engine![
    a_client_that_reads_nothing_makes_room_for_others,
    honest_readers_get_every_page_whole_among_slow_and_deaf_ones,
];

/// 22 connections that never read, each with a page of 6 MB, kept everybody else from replies over 16 KiB,
/// for as long as they came again.
fn a_client_that_reads_nothing_makes_room_for_others(Alone(launch): Alone) {
    let server = launch.start();
    let chat = server.chat();
    say_much(&chat);
    let page = page(&chat, MESSAGES);
    let deaf: Vec<Connection> = (0..30)
        .map(|_| {
            let mut connection = Connection::over(connect_from(server.address(), 2));
            connection.send(&page);
            connection
        })
        .collect();
    let mut inside = server.connect();
    let mut held = || {
        let figures = inside.ask(&Request::get("/metrics")).is(200);
        let figure = figures.text().lines().find_map(|line| line.strip_prefix("comet_chat_held_bytes "));
        figure.expect("the figure").parse::<f64>().expect("a number")
    };
    wait_until("there is no more room", || held() > HELD_MAX * 0.95);
    for _ in 0..5 {
        let reply = chat.ask(&page).is(200);
        assert_eq!(reply.json()["messages"].as_array().expect("a list").len(), MESSAGES);
    }
    assert!(held() <= HELD_MAX, "{} are held", held());
    drop(deaf);
    wait_until("nothing is held for clients that have gone", || held() == 0.0);
}

fn honest_readers_get_every_page_whole_among_slow_and_deaf_ones(Alone(launch): Alone) {
    make_room_for(400);
    let seed = seed();
    let server = &launch.start();
    let chat = &server.chat();
    say_much(chat);
    let whole: Vec<usize> = (0..=MESSAGES)
        .map(|messages| if messages == 0 { 0 } else { chat.ask(&page(chat, messages)).is(200).body.len() })
        .collect();
    let whole = &whole;
    let over = &AtomicBool::new(false);
    thread::scope(|scope| {
        for reader in 0..30_u64 {
            let mut random = fastrand::Rng::with_seed(seed.wrapping_add(reader));
            // Each of two addresses is far beyond its share.
            let (from, is_slow) = (2 + (reader % 2) as u8, reader % 4 == 0);
            scope.spawn(move || {
                while !over.load(SeqCst) {
                    let mut connection = Connection::over(connect_from(server.address(), from));
                    let _ = connection.try_send(&page(chat, random.usize(MESSAGES / 2..=MESSAGES)));
                    connection.set_patience(Duration::from_millis(50));
                    let mut stream = connection.into_stream();
                    let patience = Instant::now() + Duration::from_millis(random.u64(100..15_000));
                    let mut buffer = vec![0; random.usize(1..20_000)];
                    while !over.load(SeqCst) && Instant::now() < patience {
                        thread::sleep(Duration::from_millis(10));
                        if is_slow {
                            match stream.read(&mut buffer) {
                                Ok(0) => break,
                                Err(error) if error.kind() != ErrorKind::WouldBlock => break,
                                _ => {}
                            }
                        }
                    }
                }
            });
        }
        let honest: Vec<_> = (100..103)
            .map(|reader| {
                let mut random = fastrand::Rng::with_seed(seed.wrapping_add(reader));
                scope.spawn(move || {
                    for _ in 0..8 {
                        let messages = random.usize(1..=MESSAGES);
                        // The time depends on the machine, but the request is never refused.
                        let reply = chat.connect().try_ask(&page(chat, messages));
                        let reply = reply.unwrap_or_else(|error| panic!("{error}, seed {seed}"));
                        assert_eq!(reply.status, 200, "seed {seed}");
                        assert_eq!(reply.body.len(), whole[messages], "seed {seed}");
                    }
                })
            })
            .collect();
        let served: Vec<_> = honest.into_iter().map(|reader| reader.join()).collect();
        over.store(true, SeqCst);
        assert!(served.iter().all(Result::is_ok), "seed {seed}");
    });
    let peak = server.peak_kib() / 1_024;
    assert!(peak < 400, "{peak} MiB, seed {seed}");
}
