//! What the command line says of who may do what.

use clap::Args;
use comet_chat::access::AccessSpec;

#[derive(Args)]
#[command(next_help_heading = "Who may enter, and how much")]
pub struct AccessOptions {
    /// A name by which the server may be called, such as chat.example behind a proxy; may be given several
    /// times, and * is any. Addresses, localhost and the machine's own name (NAME, NAME.local) always work;
    /// other names could be a stranger's, pointed at this machine to read along
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,
}

impl AccessOptions {
    /// What they say.
    pub fn spec(&self) -> AccessSpec {
        AccessSpec { hosts: self.allow_host.clone() }
    }
}
