//! Guarantees 1 to 3 of the design across `kill -9`: clients publish and follow over HTTP while the
//! server is killed at random times and started again, and then the records are compared.

use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Traffic;
use crate::server::Server;
use crate::talk::talk_while;

const KILLS: usize = 30;

/// On a machine that is too busy for the clients to send much, kills go on until they have met enough requests,
/// or there are this many.
const KILLS_MAX: usize = 120;
const PATIENCE: Duration = Duration::from_secs(600);

on_every_engine![nothing_is_lost_doubled_or_reordered_by_kill_9];

fn nothing_is_lost_doubled_or_reordered_by_kill_9(engine: &'static str) {
    let seed = match std::env::var("SEED") {
        Ok(seed) => seed.parse().expect("SEED is a number"),
        Err(_) => fastrand::u64(..),
    };
    println!("the times of the kills repeat with SEED={seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut server = Server::start(engine);
    let deadline = Instant::now() + PATIENCE;
    let talk = talk_while(&[server.url()], deadline, |talk| {
        for kill in 0..KILLS_MAX {
            if kill >= KILLS && talk.traffic.iter().all(|traffic| is_enough(traffic)) {
                break;
            }
            let before = talk.published();
            // This is not a wait for a state: the moment of the kill is random.
            thread::sleep(Duration::from_millis(rng.u64(20..400)));
            // On a busy machine the server lives longer, until it has published a message in each room.
            talk.goes_on_from(before, deadline);
            server.crash();
        }
    });
    assert!(talk.traffic.iter().all(|traffic| is_enough(traffic)), "the kills met no traffic");
}

/// Whether the kills met requests: as many messages and as many repeated requests as there are kills.
fn is_enough(traffic: &Traffic) -> bool {
    [&traffic.published, &traffic.retries].iter().all(|count| count.load(Relaxed) > KILLS as u64)
}
