//! `comet-chat backup`.

use std::error::Error;

use comet_chat::store;

use crate::options::BackupArgs;

pub fn run(args: &BackupArgs) -> Result<(), Box<dyn Error>> {
    Ok(store::back_up(&args.store.spec()?, &args.file)?)
}
