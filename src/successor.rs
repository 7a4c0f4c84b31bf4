//! The program that takes this one's place, in the same process and on the same sockets: how a new version is put in
//! while clients come.
//!
//! The sockets are handed over as systemd does it. They listen all the while, so nobody is refused: who connects
//! meanwhile waits for the successor.

use std::env;
use std::ffi::OsString;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

use comet_chat::door::listen::{Farewell, Listener};
use rustix::io::{dup2, fcntl_dupfd_cloexec};

use super::options::PREDECESSOR;

/// The first descriptor that is handed over (`SD_LISTEN_FDS_START`).
const FIRST: RawFd = 3;

/// What takes this program's place when it is called.
pub struct Successor {
    program: PathBuf,
    arguments: Vec<OsString>,
    farewell: Farewell,
    sockets: Mutex<Vec<OwnedFd>>,
    is_called: AtomicBool,
}

impl Successor {
    /// Whatever will stand at this program's path, with the same arguments. `farewell` is how this program takes leave
    /// of its listeners when it ends.
    pub fn new(farewell: Farewell) -> io::Result<Successor> {
        let mut arguments = env::args_os();
        // A path by which it was called may go through a link, which may lead to another version by then.
        let called = arguments.next().map(PathBuf::from).filter(|path| path.components().count() > 1);
        let program = called.map_or_else(env::current_exe, std::path::absolute)?;
        Ok(Successor {
            program,
            arguments: arguments.collect(),
            farewell,
            sockets: Mutex::default(),
            is_called: AtomicBool::new(false),
        })
    }

    /// Keeps these open for it.
    pub fn keep(&self, listeners: &[Listener]) -> io::Result<()> {
        let kept: io::Result<Vec<_>> =
            listeners.iter().map(|listener| listener.as_fd().try_clone_to_owned()).collect();
        *self.sockets.lock().unwrap_or_else(PoisonError::into_inner) = kept?;
        Ok(())
    }

    /// Calls it, if it runs on this machine: a program that does not even say its version must not take over.
    pub fn call(&self) -> io::Result<()> {
        let said = Command::new(&self.program).arg("--version").stdin(Stdio::null()).output()?;
        if !said.status.success() {
            return Err(io::Error::other(format!("{} --version: {}", self.program.display(), said.status)));
        }
        tracing::info!(
            version = String::from_utf8_lossy(&said.stdout).trim(),
            "an upgrade: who waits is sent back, and a new program goes on"
        );
        self.is_called.store(true, SeqCst);
        Ok(())
    }

    /// Whether it was called.
    pub fn is_called(&self) -> bool {
        self.is_called.load(SeqCst)
    }

    /// Becomes it. Returns only if that fails.
    #[allow(unsafe_code, reason = "std and rustix give no other way to choose a descriptor's number")]
    pub fn take_over(&self) -> io::Error {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let count = sockets.len() as RawFd;
        let above = |socket: &OwnedFd| fcntl_dupfd_cloexec(socket, FIRST + count);
        let copies = match sockets.iter().map(above).collect::<Result<Vec<_>, _>>() {
            Ok(copies) => copies,
            Err(error) => return error.into(),
        };
        for (number, socket) in (FIRST..).zip(&copies) {
            // SAFETY: whatever this descriptor was is closed by that, which is no harm, as this program ends here:
            // nothing of it is written or read any more. It is not closed a second time.
            let mut place = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(number) });
            if let Err(error) = dup2(socket.as_fd(), &mut place) {
                return error.into();
            }
        }
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command.env("LISTEN_FDS", count.to_string()).env("LISTEN_PID", process::id().to_string());
        if self.farewell == Farewell::Close {
            // Nobody else has them.
            command.env("LISTEN_FDNAMES", vec![PREDECESSOR; sockets.len()].join(":"));
        }
        command.exec()
    }
}
