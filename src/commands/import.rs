//! `comet-chat import`.

use std::error::Error;
use std::io;

use comet_chat::archive;
use comet_chat::store;

use crate::options::ImportArgs;

pub fn run(args: &ImportArgs) -> Result<(), Box<dyn Error>> {
    // Whole before anything is changed.
    let mut rooms = archive::read(io::stdin().lock())?;
    if let Some(name) = &args.room {
        match &mut rooms[..] {
            [only] => only.room = name.clone(),
            several => return Err(format!("--room is for one room, and {} were given", several.len()).into()),
        }
    }
    let store = store::open_to_add(&args.store.spec()?)?;
    for archived in &rooms {
        let added = archive::put(&*store, archived)?;
        eprintln!("comet-chat: {}: {added} of {} messages imported", archived.room, archived.said.len());
    }
    Ok(())
}
