//! A frame: all that is seen behind the stage at one moment.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::crowd::Report;
use super::levers::Levers;
use super::process::Figures;
use super::scene::Scene;
use crate::config::{FRAME_ROOMS, KERNEL_STACK};
use crate::message::RoomName;
use crate::metrics::METRICS;
use crate::room::mailbox::{Kind, Mailbox};
use crate::room::registry::Census;

/// Counts by their names.
pub type Named = BTreeMap<&'static str, usize>;

/// A frame as it goes over the wire.
#[derive(Serialize)]
pub struct Frame {
    engine: &'static str,
    at: u64,
    cells: String,
    waiters: usize,
    rooms: Vec<Room>,
    threads: Named,
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<Named>,
    memory: Memory,
    files: u64,
    switches: Switches,
    cpu: Cpu,
    deliveries: u64,
    cores: u32,
    levers: Levers,
    crowd: Report,
    failures: BTreeMap<&'static str, bool>,
    restarts: Restarts,
}

#[derive(Serialize)]
struct Room {
    room: RoomName,
    waiting: usize,
    people: usize,
    mailbox: Named,
    /// The most of each kind since the last frame.
    most: Named,
    taken: u64,
}

#[derive(Serialize)]
struct Memory {
    resident: u64,
    kernel_stacks: u64,
}

#[derive(Serialize)]
struct Switches {
    voluntary: i64,
    involuntary: i64,
}

#[derive(Serialize)]
struct Cpu {
    user: f64,
    system: f64,
}

#[derive(Serialize)]
struct Restarts {
    rooms: u64,
    store: u64,
}

/// What a frame is made of beside the scene.
pub struct Around {
    /// Milliseconds since the server's start.
    pub at: u64,
    /// A byte for each who waits.
    pub cells: Vec<u8>,
    /// What the kernel knows.
    pub process: Figures,
    /// Where the levers stand.
    pub levers: Levers,
    /// What the crowd has told since the last frame.
    pub crowd: Report,
    /// Which failures there are.
    pub failures: BTreeMap<&'static str, bool>,
    /// Threads of the program itself.
    pub program: Program,
}

/// The threads that a program has whatever its engine.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Those of the store.
    pub store: usize,
    /// The others: they hear signals, and so on.
    pub other: usize,
    /// At how many addresses it listens.
    pub addresses: usize,
}

impl Frame {
    /// The frame of a scene.
    pub fn of(scene: Scene, around: Around) -> Frame {
        let Around { at, cells, process, levers, crowd, failures, program } = around;
        let rooms = scene.now.rooms;
        Frame {
            engine: scene.engine,
            at,
            cells: STANDARD.encode(cells),
            waiters: scene.now.waiters,
            threads: threads(&scene, &process, program),
            tasks: scene.tasks.map(|all| {
                // Each address has a task that accepts.
                let connections = all.saturating_sub(rooms + program.addresses);
                Named::from([("connections", connections), ("rooms", rooms)])
            }),
            memory: Memory {
                resident: process.resident,
                kernel_stacks: process.threads as u64 * KERNEL_STACK,
            },
            files: process.files,
            switches: Switches { voluntary: process.switches.0, involuntary: process.switches.1 },
            cpu: Cpu { user: process.cpu.0.as_secs_f64(), system: process.cpu.1.as_secs_f64() },
            deliveries: METRICS.deliveries.get(),
            cores: process.cores,
            levers,
            crowd,
            failures,
            restarts: Restarts { rooms: METRICS.room_restarts.get(), store: scene.now.store.restarts },
            rooms: busiest(scene),
        }
    }
}

/// Who is told of: the busiest rooms.
fn busiest(scene: Scene) -> Vec<Room> {
    let mut rooms: Vec<_> =
        scene.rooms.into_iter().filter(|(name, _)| !name.is_internal() && !name.is_private()).collect();
    rooms.sort_by_cached_key(|(name, census)| (Reverse(census.read().0), name.clone()));
    rooms.truncate(FRAME_ROOMS);
    rooms.into_iter().map(|(room, census)| look_into(room, &census)).collect()
}

fn look_into(room: RoomName, census: &Census) -> Room {
    let (waiting, people) = census.read();
    let by_kind = |count: fn(&Mailbox, Kind) -> usize| {
        let all = |mailbox: &Mailbox| Named::from(Kind::ALL.map(|(kind, name)| (name, count(mailbox, kind))));
        census.mailbox().map(all).unwrap_or_default()
    };
    let (mailbox, most) = (by_kind(Mailbox::holds), by_kind(Mailbox::held_at_most));
    Room { room, waiting, people, mailbox, most, taken: census.mailbox().map_or(0, Mailbox::taken) }
}

/// The threads by what they do. Some are not counted: they are what is left.
fn threads(scene: &Scene, process: &Figures, program: Program) -> Named {
    let names = scene.threads.map(|(name, _)| name);
    let mut threads: Named = names.into_iter().zip(process.counted).collect();
    threads.insert("store", program.store);
    threads.insert("other", program.other + scene.own * program.addresses);
    let left = process.threads.saturating_sub(threads.values().sum());
    *threads.entry(scene.others).or_default() += left;
    threads.insert("all", process.threads);
    threads
}
