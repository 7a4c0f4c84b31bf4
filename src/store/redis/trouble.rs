//! What Redis, or the way to it, has failed to do.

use std::fmt;

use redis::ServerError;

/// Why Redis did not do what it was asked.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// It can't be reached, or it is about to start. It has done nothing of it.
    Away(String),
    /// It does not let us in, or does not prove who it is. It has done nothing of it.
    Unwelcome(String),
    /// The connection is lost, or it may soon be able to. What it has done of it is not known.
    Lost(String),
    /// It has refused this.
    Refused(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Away(why) | Trouble::Unwelcome(why) | Trouble::Lost(why) | Trouble::Refused(why) => {
                f.write_str(why)
            }
        }
    }
}

impl Trouble {
    /// What an error of Redis means for us.
    pub(super) fn of(error: &ServerError) -> Trouble {
        let details = error.details().unwrap_or_default();
        let (code, why) = (error.code(), format!("{} {details}", error.code()));
        match code {
            "LOADING" => Trouble::Away(format!("said {why}")),
            // It is about to become something else, or has forgotten the steps: a new connection may find better.
            "READONLY" | "MASTERDOWN" | "TRYAGAIN" | "BUSY" | "NOSCRIPT" => {
                Trouble::Lost(format!("said {why}"))
            }
            "NOAUTH" => Trouble::Unwelcome(
                "wants a password: give it by --redis-password-file, or in --store redis://:PASSWORD@HOST"
                    .into(),
            ),
            "WRONGPASS" => Trouble::Unwelcome("does not know this user and password".into()),
            "NOPERM" => {
                Trouble::Refused(format!("does not allow its user what is needed, see README.md ({details})"))
            }
            "OOM" => Trouble::Refused(format!("has no memory left for more ({details})")),
            _ => Trouble::Refused(format!("said {why}")),
        }
    }

    /// Whether it was refused. After anything else the connection is of no use any more.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Trouble::Refused(_))
    }
}
