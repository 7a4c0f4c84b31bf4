//! A few connections that read. With a write-ahead log a reader sees the last commit before it began and
//! waits for no writer. So history and resume never wait for the disk.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::{Connection, Transaction};

use super::open;
use crate::config::READERS;
use crate::store::Error;

/// The connections, and the indices of those that are idle.
pub(super) struct Readers {
    path: PathBuf,
    connections: Vec<Mutex<Connection>>,
    idle: Receiver<usize>,
    give_back: Sender<usize>,
}

impl Readers {
    pub(super) fn open(path: &Path) -> Result<Readers, Error> {
        let (give_back, idle) = bounded(READERS);
        let mut connections = Vec::new();
        for index in 0..READERS {
            connections.push(Mutex::new(open::reader(path)?));
            give_back.send(index).ok();
        }
        Ok(Readers { path: path.to_owned(), connections, idle, give_back })
    }

    /// Reads within one transaction, and so from one state of the file.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let turn = self.turn()?;
        // An index is given to one caller at a time, so this never waits. After a query that panicked, the
        // transaction is rolled back and the connection is as before.
        let mut connection = self.connections[turn.index].lock().unwrap_or_else(PoisonError::into_inner);
        connection
            .transaction()
            .and_then(|transaction| query(&transaction))
            .map_err(|error| open::sentence(&self.path, &error))
    }

    fn turn(&self) -> Result<Turn<'_>, Error> {
        let index = self.idle.recv().map_err(|_| Error("the store is closed".into()))?;
        Ok(Turn { index, give_back: &self.give_back })
    }
}

/// The right to use one connection. When it is dropped, the next caller gets it.
struct Turn<'a> {
    index: usize,
    give_back: &'a Sender<usize>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.give_back.send(self.index).ok();
    }
}
