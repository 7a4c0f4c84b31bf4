//! The stagehand: a thread that starts the crowd and tells it what to do, and ends what must not last.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use super::cores::{Thread, this_thread};
use super::crowd::{Heard, Order};
use super::failures::Failure;
use super::levers::Levers;
use crate::config::FILES_FAIL;

/// What others have of it.
pub struct Stagehand {
    /// What it is to do; none when the lesson is over.
    orders: Mutex<Option<Sender<Order>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    id: Arc<OnceLock<Option<Thread>>>,
    /// What the crowd has told.
    pub heard: Arc<Heard>,
}

/// The crowd's process.
struct Hired {
    process: Child,
    /// If this is closed, the crowd ends.
    orders: ChildStdin,
    listening: Option<JoinHandle<()>>,
}

/// What the crowd is to be like, however often it is started.
#[derive(Default)]
struct Wanted {
    levers: Levers,
    failures: Vec<Failure>,
}

impl Stagehand {
    /// Starts it. The crowd goes to this room, once somebody moves a lever.
    pub fn start(room: Option<String>, end_files: fn()) -> io::Result<Stagehand> {
        let (orders, taken) = unbounded();
        let (heard, id) = (Arc::new(Heard::default()), Arc::new(OnceLock::new()));
        let run = {
            let (heard, id) = (heard.clone(), id.clone());
            move || {
                id.get_or_init(this_thread);
                run(room.as_deref(), &taken, &heard, end_files);
            }
        };
        let thread = thread::Builder::new().name("stagehand".to_owned()).spawn(run)?;
        Ok(Stagehand { orders: Mutex::new(Some(orders)), thread: Mutex::new(Some(thread)), id, heard })
    }

    /// Tells it what to do. It does so when it has time, and what fails is told in the frames.
    pub fn tell(&self, order: Order) {
        if let Some(orders) = &*self.orders.lock().unwrap_or_else(PoisonError::into_inner) {
            // It ends only when this is closed.
            let _ = orders.send(order);
        }
    }

    /// Its thread.
    pub fn id(&self) -> Option<Thread> {
        self.id.get().copied().flatten()
    }

    /// Ends it, and the crowd.
    pub fn end(&self) {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = thread.map(JoinHandle::join);
    }
}

fn run(room: Option<&str>, orders: &Receiver<Order>, heard: &Arc<Heard>, end_files: fn()) {
    let mut wanted = Wanted::default();
    let mut crowd: Option<Hired> = None;
    let mut files_until: Option<Instant> = None;
    loop {
        let order = match files_until {
            Some(until) => orders.recv_deadline(until),
            None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let order = match order {
            Ok(Order::Failure(Failure::Files, on)) => {
                files_until = on.then(|| Instant::now() + FILES_FAIL);
                continue;
            }
            Ok(order) => order,
            Err(RecvTimeoutError::Timeout) => {
                files_until = None;
                end_files();
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        wanted.note(order);
        let is_told = crowd.as_mut().is_some_and(|crowd| crowd.tell(&order).is_ok());
        if is_told {
            continue;
        }
        drop(crowd.take());
        match hire(room, heard, &wanted) {
            Ok(hired) => crowd = Some(hired),
            Err(error) => heard.ends(format!("the crowd can't be started: {error}")),
        }
    }
}

/// Starts the crowd.
fn hire(room: Option<&str>, heard: &Arc<Heard>, wanted: &Wanted) -> io::Result<Hired> {
    let room = room.ok_or_else(|| io::Error::other("this server has no address, only a path"))?;
    let mut command = Command::new(env::current_exe()?);
    command.args(["bench", room, "--crowd"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    // What the server was told is not for the crowd.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("COMET_CHAT_") || name.starts_with("LISTEN_")) {
            command.env_remove(name);
        }
    }
    let mut process = command.spawn()?;
    let (Some(orders), Some(told)) = (process.stdin.take(), process.stdout.take()) else {
        return Err(io::Error::other("it has no pipes"));
    };
    heard.begins();
    let listen = {
        let heard = heard.clone();
        move || {
            BufReader::new(told).lines().map_while(Result::ok).for_each(|line| heard.take(&line));
            heard.ends("the crowd has ended; the next move of a lever starts another".to_owned());
        }
    };
    let listening = thread::Builder::new().name("crowd".to_owned()).spawn(listen);
    let mut hired = Hired { process, orders, listening: None };
    hired.listening = Some(listening?);
    for order in wanted.orders() {
        hired.tell(&order)?;
    }
    Ok(hired)
}

impl Wanted {
    fn note(&mut self, order: Order) {
        match order {
            Order::Levers(levers) => self.levers = levers,
            Order::Failure(failure, on) => {
                self.failures.retain(|there| *there != failure);
                self.failures.extend(on.then_some(failure));
            }
        }
    }

    fn orders(&self) -> impl Iterator<Item = Order> {
        let failures = self.failures.iter().map(|failure| Order::Failure(*failure, true));
        [Order::Levers(self.levers)].into_iter().chain(failures)
    }
}

impl Hired {
    fn tell(&mut self, order: &Order) -> io::Result<()> {
        self.orders.write_all(order.line().as_bytes())
    }
}

impl Drop for Hired {
    fn drop(&mut self) {
        // It has nothing that it must end well. It fails only if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = self.listening.take().map(JoinHandle::join);
    }
}
