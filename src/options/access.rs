//! What the command line says of who may do what.

use clap::Args;
use comet_chat::access::AccessSpec;
use comet_chat::address::PublicUrl;

#[derive(Args)]
#[command(next_help_heading = "Who may enter, and how much")]
pub struct AccessOptions {
    /// A name by which the server may be called, such as chat.example behind a proxy; may be given several
    /// times, and * is any. Addresses, localhost and the machine's own name (NAME, NAME.local) always work;
    /// other names could be a stranger's, pointed at this machine to read along
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,

    /// A proxy before this server: its address, its network (10.0.0.0/8), or unix for those on a unix socket;
    /// may be given several times. Only from there X-Forwarded-For is believed, and tells the address of a
    /// client: for the limits by address, and in the log
    #[arg(long, value_name = "CIDR")]
    trusted_proxy: Vec<String>,

    /// How the outside sees the server behind a proxy, such as https://chat.example.org/talk: scheme, host, port and
    /// what every path begins with. Its host is then one of the server's names. The proxy may take the prefix off a
    /// request or leave it
    #[arg(long, value_name = "URL")]
    public_url: Option<PublicUrl>,
}

impl AccessOptions {
    /// What they say.
    pub fn spec(&self) -> AccessSpec {
        AccessSpec {
            hosts: self.allow_host.clone(),
            proxies: self.trusted_proxy.clone(),
            public: self.public_url.clone(),
        }
    }
}
