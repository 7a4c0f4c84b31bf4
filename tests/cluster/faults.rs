//! Guarantees 1 to 4 over three instances while they, Redis, the network between them and the balancer fail at
//! random: nothing acknowledged is lost, doubled or swapped, and nobody is told of a gap.

use std::env;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::balancer::Balancer;
use crate::instances::{DURABLE, Instances};
use crate::talk::{Talk, talk_while};

const FAULTS: usize = 30;

/// How long the longest cut of a network lasts. It is longer than a room waits for its store.
const LONG_CUT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
enum Fault {
    KillInstance,
    StopInstance,
    KillRedis,
    StopRedis,
    Cut(Duration),
    Reset,
    Reload,
}

#[test]
fn thirty_faults_lose_double_and_swap_nothing() {
    let number = |name: &str| env::var(name).ok().map(|number| number.parse().expect("a number"));
    let seed = number("SEED").unwrap_or_else(|| fastrand::u64(..));
    let faults = number("FAULTS").map_or(FAULTS, |faults| faults as usize);
    println!("the faults repeat with SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let mut instances = Instances::start(&DURABLE);
    let balancer = Balancer::before(&instances.servers);
    let mut urls = instances.urls();
    urls.push(balancer.url());
    let deadline = Instant::now() + Duration::from_secs(240) * (1 + faults / FAULTS) as u32;
    let long = rng.usize(..faults);
    let talk = talk_while(&urls, deadline, |talk| {
        for count in 0..faults {
            let before = talk.published();
            // This is not a wait for a state: the moment of the fault is random.
            thread::sleep(Duration::from_millis(rng.u64(20..400)));
            talk.goes_on_from(before, deadline);
            let fault = if count == long { Fault::Cut(LONG_CUT) } else { draw(&mut rng) };
            let start = Instant::now();
            happens(fault, &mut instances, &balancer, &mut rng, talk, deadline);
            println!("{count}: {fault:?}, {:?}", start.elapsed());
        }
    });
    let retries = talk.traffic.map(|traffic| traffic.retries.load(Relaxed));
    assert!(retries.iter().sum::<u64>() > 0, "the faults met no traffic");
}

fn draw(rng: &mut Rng) -> Fault {
    match rng.u8(..10) {
        0..3 => Fault::KillInstance,
        3 => Fault::StopInstance,
        4..6 => Fault::KillRedis,
        6 => Fault::StopRedis,
        7 => Fault::Cut(Duration::from_millis(rng.u64(100..1_500))),
        8 => Fault::Reset,
        _ => Fault::Reload,
    }
}

fn happens(
    fault: Fault,
    instances: &mut Instances,
    balancer: &Balancer,
    rng: &mut Rng,
    talk: &Talk,
    deadline: Instant,
) {
    let chosen = rng.usize(..instances.servers.len());
    let server = &mut instances.servers[chosen];
    let link = &instances.links[chosen];
    // How long it stays so is random, and no wait for a state.
    let a_while = Duration::from_millis(rng.u64(..800));
    match fault {
        Fault::KillInstance => server.crash(),
        Fault::StopInstance => {
            server.signal("STOP");
            thread::sleep(a_while);
            server.signal("CONT");
        }
        Fault::KillRedis => {
            instances.redis.crash();
            thread::sleep(a_while);
            instances.redis.starts_again();
        }
        Fault::StopRedis => {
            instances.redis.freeze();
            thread::sleep(a_while);
            instances.redis.thaw();
        }
        Fault::Cut(length) => {
            let before = talk.published();
            link.cut();
            thread::sleep(length);
            if length == LONG_CUT {
                talk.goes_on_from(before, deadline);
            }
            link.mend();
        }
        Fault::Reset => link.reset(),
        Fault::Reload => balancer.reload(),
    }
}
