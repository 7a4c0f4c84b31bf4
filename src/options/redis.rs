//! What the command line says of a store on Redis.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::Args;
use comet_chat::config::{REDIS_PREFIX, REDIS_START};
use comet_chat::store::{Durability, Secret, StoreSpec, Tls};

/// Where the password may stand, so that nobody reads it in a list of processes.
const PASSWORD: &str = "COMET_CHAT_REDIS_PASSWORD";

#[derive(Args)]
#[command(next_help_heading = "With --store redis://")]
pub struct RedisOptions {
    /// What the names of all keys begin with: several chats may share one Redis
    #[arg(long, value_name = "PREFIX", default_value = REDIS_PREFIX, value_parser = prefix)]
    redis_prefix: String,

    /// A file that holds the password of Redis. It may also stand in the environment, as
    /// COMET_CHAT_REDIS_PASSWORD
    #[arg(long, value_name = "FILE")]
    redis_password_file: Option<PathBuf>,

    /// With rediss://: a file of the certificates (PEM) of those who may vouch for Redis; without it, those whom
    /// this system trusts may
    #[arg(long, value_name = "FILE")]
    redis_ca: Option<PathBuf>,

    /// With rediss://: the file of our own certificate (PEM), for a Redis that wants to know who we are
    #[arg(long, value_name = "FILE", requires = "redis_key")]
    redis_cert: Option<PathBuf>,

    /// The file of the key (PEM) of that certificate
    #[arg(long, value_name = "FILE", requires = "redis_cert")]
    redis_key: Option<PathBuf>,

    /// When a message counts as stored: local, when Redis has it, as safely as its own appendfsync says; WAIT:N,
    /// when N replicas have it too; WAITAOF:N, when it is on the disk, here and on N replicas
    #[arg(long, value_name = "DURABILITY", default_value_t)]
    redis_durability: Durability,
}

impl RedisOptions {
    /// Adds these to a store on Redis, and changes no other.
    pub fn complete(&self, mut spec: StoreSpec) -> Result<StoreSpec, Box<dyn Error>> {
        if let StoreSpec::Redis(redis) = &mut spec {
            redis.prefix = self.redis_prefix.clone();
            redis.durability = self.redis_durability;
            redis.patience = REDIS_START;
            if redis.tls.is_some() {
                redis.tls = Some(self.tls());
            } else if self.tls() != Tls::default() {
                return Err("--redis-ca and --redis-cert are for TLS: say --store rediss://HOST".into());
            }
            if let Some(password) = self.password()? {
                redis.password = Some(password);
            }
        }
        Ok(spec)
    }

    fn tls(&self) -> Tls {
        Tls { authorities: self.redis_ca.clone(), own: self.redis_cert.clone().zip(self.redis_key.clone()) }
    }

    fn password(&self) -> Result<Option<Secret>, Box<dyn Error>> {
        let read = |path: &Path| {
            fs::read_to_string(path)
                .map_err(|error| format!("can't read the password in {}: {error}", path.display()))
        };
        let given = self.redis_password_file.as_deref().map(read).transpose()?;
        Ok(given.or_else(|| env::var(PASSWORD).ok()).map(|text| Secret::new(&text)))
    }
}

/// Braces would say to Redis what belongs together, and spaces end a word in a notice.
fn prefix(text: &str) -> Result<String, String> {
    let is_fit = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"{}*?[]\\".contains(&b));
    match is_fit {
        true => Ok(text.to_owned()),
        false => Err("a prefix is of visible ASCII characters, without {}*?[]\\".to_owned()),
    }
}
