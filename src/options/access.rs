//! What the command line says of who may do what.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use comet_chat::access::{AccessSpec, EntrySpec, LimitsSpec};
use comet_chat::address::PublicUrl;
use comet_chat::config::{ADDRESS_BYTES, ADDRESS_MESSAGES, ADDRESS_ROOMS, ADDRESS_WAITS, ROOM_MESSAGES};

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

    /// The header in which a trusted proxy tells who somebody is, such as Remote-User: that is the person's name, and
    /// nobody can choose another. Who does not come through the proxy is refused
    #[arg(long, value_name = "NAME")]
    trust_header: Option<String>,

    /// A file whose first line is the passphrase of this chat: page and API ask for it. A browser stays in for 30
    /// days; who is in can invite others for a day, by link or QR code; curl sends it as -u NAME:PASSPHRASE. Read
    /// again on SIGHUP: another passphrase ends all sessions
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,

    /// A file of tokens for scripts, sent as Authorization: Bearer TOKEN. Each line has TOKEN RIGHTS ROOMS and
    /// perhaps a label, such as: 4f9c2b76d01e85a3 read,write build-*,lobby CI. Nobody else may enter, unless there is
    /// a passphrase. Read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    tokens_file: Option<PathBuf>,

    /// A file of tokens for operators, who may change every message of their rooms, also where everybody may enter.
    /// Each line has TOKEN ROOMS and perhaps a label, such as: 4f9c2b76d01e85a3 * anna. Read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    operators_file: Option<PathBuf>,

    /// Another site whose pages may use this server as its own do, such as https://app.example or
    /// http://localhost:3000; may be given several times. * lets every page that somebody here opens read what needs no
    /// login, and nothing else: give it only if anybody may read
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,

    /// How many messages a second one address may send, of IPv6 one /64 network, and wider ones more; ten times as
    /// many at once. This, and the other limits of addresses, do not hold on this machine; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = ADDRESS_MESSAGES)]
    limit_messages: u32,

    /// How many bytes a second one address may send; ten times as many at once
    #[arg(long, value_name = "BYTES", default_value_t = ADDRESS_BYTES)]
    limit_bytes: u32,

    /// How many rooms a minute one address may open, or wake from their sleep
    #[arg(long, value_name = "N", default_value_t = ADDRESS_ROOMS)]
    limit_rooms: u32,

    /// How many requests of one address may wait at once
    #[arg(long, value_name = "N", default_value_t = ADDRESS_WAITS)]
    limit_waits: u32,

    /// How many messages a second one room takes from other machines; ten times as many at once
    #[arg(long, value_name = "N", default_value_t = ROOM_MESSAGES)]
    limit_room_messages: u32,

    /// Whether a name belongs to whoever holds it by a key of their own, as pages do, until they leave; or is free
    /// for anybody
    #[arg(long, value_enum, default_value_t = Names::Held)]
    names: Names,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Names {
    /// Nobody else may use a name that is held, or one that looks like it
    Held,
    /// Everybody may use any name
    Free,
}

impl AccessOptions {
    /// What they say, of a server that the outside sees at this address, perhaps with a backstage, which takes files up to so
    /// many bytes.
    pub fn spec(&self, public: Option<&PublicUrl>, has_backstage: bool, upload_limit: usize) -> AccessSpec {
        let entry = EntrySpec {
            passphrase: self.passphrase_file.clone(),
            tokens: self.tokens_file.clone(),
            operators: self.operators_file.clone(),
        };
        AccessSpec {
            hosts: self.allow_host.clone(),
            proxies: self.trusted_proxy.clone(),
            header: self.trust_header.clone(),
            public: public.cloned(),
            origins: self.allow_origin.clone(),
            limits: LimitsSpec {
                messages: NonZeroU32::new(self.limit_messages),
                bytes: NonZeroU32::new(self.limit_bytes),
                rooms: NonZeroU32::new(self.limit_rooms),
                waits: NonZeroU32::new(self.limit_waits),
                room_messages: NonZeroU32::new(self.limit_room_messages),
            },
            entry,
            has_backstage,
            upload_limit,
            has_free_names: self.names == Names::Free,
        }
    }
}
