//! What signals ask of the server.

use std::error::Error;
use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use comet_chat::access::Access;
use comet_chat::config::STOP_TIME;
use comet_chat::door::listen::Farewell;
use crossbeam_channel::{Receiver, Sender, bounded};
use nix::sys::signal::{SigSet, Signal};

use super::successor::Successor;

/// The channel on which a signal asks the server to stop. A second signal ends the process at once.
///
/// `farewell` is how it takes leave of its listeners when it ends. For a successor it always hands them over.
pub fn listen(
    access: Arc<Access>,
    successor: Arc<Successor>,
    farewell: Farewell,
) -> Result<Receiver<Farewell>, Box<dyn Error>> {
    // ctrlc can't tell these apart, and would end a server that `nohup` must keep alive. We block them
    // before the first thread starts: every thread inherits that, and one thread waits for them.
    let others = SigSet::from_iter([Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR2]);
    others.thread_block()?;
    let (stop, stopped) = bounded(1);
    let ends_in_time = watchdog(successor.clone())?;
    let is_ending = AtomicBool::new(false);
    let end = Arc::new(move |farewell| {
        if is_ending.swap(true, Ordering::SeqCst) {
            process::exit(130);
        }
        let _ = stop.try_send(farewell);
        let _ = ends_in_time.try_send(());
    });
    ctrlc::set_handler({
        let end = end.clone();
        move || end(farewell)
    })?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        while let Ok(signal) = others.wait() {
            match signal {
                // Closing a terminal must not end the server.
                Signal::SIGHUP => reload(&access),
                Signal::SIGUSR2 if successor.is_called() => {}
                Signal::SIGUSR2 => match successor.call() {
                    Ok(()) => end(Farewell::HandOver),
                    Err(error) => tracing::error!("no upgrade, and all stays as it was: {error}"),
                },
                _ => end(farewell),
            }
        }
    })?;
    Ok(stopped)
}

/// Reads again what may be read again while the server runs.
fn reload(access: &Access) {
    match access.reload() {
        _ if access.lets_in_by().is_none() => {
            tracing::info!("a hangup changes nothing: SIGTERM ends the server");
        }
        Ok(()) => tracing::info!("a hangup: who may enter was read again; SIGTERM ends the server"),
        Err(error) => tracing::warn!("a hangup, and all stays as it was: {error}"),
    }
}

/// A thread that ends the process some time after it is told to, even if a disk, a room or a large log
/// hangs. Every message that was answered `ok` is stored by then, and the next start reads it. The thread
/// starts with the server, since at the end the machine may have no thread left to give.
fn watchdog(successor: Arc<Successor>) -> io::Result<Sender<()>> {
    let (tell, told) = bounded(1);
    let watch = move || {
        if told.recv().is_ok() {
            thread::sleep(STOP_TIME);
            tracing::warn!("something is still in the store's hands; it is not waited for");
            if successor.is_called() {
                tracing::error!("the new program does not start: {}", successor.take_over());
                process::exit(1);
            }
            process::exit(0);
        }
    };
    thread::Builder::new().name("watchdog".into()).spawn(watch)?;
    Ok(tell)
}
