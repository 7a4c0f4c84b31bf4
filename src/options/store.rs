//! What the command line says of the store.

use std::error::Error;

use clap::Args;
use comet_chat::store::StoreSpec;

#[cfg(feature = "redis")]
use super::redis::RedisOptions;

#[derive(Args)]
pub struct StoreOptions {
    /// Where messages are kept: sqlite:PATH in a file, across crashes and restarts; memory: forgets them
    /// at the end; redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] shares them with other instances, rediss://
    /// does so by TLS (in a build with --features redis)
    // Text, since clap shows what it can't read, and this may hold a password.
    #[arg(long, value_name = "STORE", help_heading = None::<&'static str>, default_value_t = StoreSpec::default().to_string())]
    store: String,

    #[cfg(feature = "redis")]
    #[command(flatten)]
    redis: RedisOptions,
}

impl StoreOptions {
    /// What they say.
    pub fn spec(&self) -> Result<StoreSpec, Box<dyn Error>> {
        let spec: StoreSpec = self.store.parse()?;
        #[cfg(feature = "redis")]
        let spec = self.redis.complete(spec)?;
        Ok(spec)
    }
}
