//! `comet-chat export`.

use std::error::Error;
use std::io::{self, BufWriter, Write};

use comet_chat::archive;
use comet_chat::message::RoomName;
use comet_chat::store::{self, Order, Store};

use crate::options::ExportArgs;

pub fn run(args: &ExportArgs) -> Result<(), Box<dyn Error>> {
    let store = store::open_to_read(&args.store.spec()?)?;
    let rooms = match &args.room[..] {
        [] => all(&*store)?,
        named => named.to_vec(),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    for room in &rooms {
        if store.newest(room, 0)?.latest.sequence == 0 {
            return Err(format!("there is no room {room}").into());
        }
        let entries = archive::write(&*store, room, &mut out)?;
        eprintln!("comet-chat: {room}: {entries} entries");
    }
    Ok(out.flush()?)
}

fn all(store: &dyn Store) -> Result<Vec<RoomName>, store::Error> {
    let rooms = store.rooms(Order::Name, None, usize::MAX)?;
    Ok(rooms.into_iter().map(|summary| summary.room).collect())
}
