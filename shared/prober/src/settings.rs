//! How many sockets, starts and lookups the prober allows itself, and whom it asks for names.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use crate::error::Error;

/// The limits a [`Prober`](crate::Prober) works within.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Connections in flight at most, over all probes of one prober. Lowered to what the limit of open files
    /// allows: 900 leaves a Lambda (1,024 descriptors) enough for lookups and its own clients.
    pub sockets: usize,
    /// Descriptors left to the rest of the process, whatever the limit of open files is. The default is enough for the
    /// runtime, the AWS clients, standard streams and logs; a process that serves others adds what they may take.
    pub reserved: usize,
    /// How fast connections are started.
    pub pace: Pace,
    /// DNS queries in flight at most for one probe, each a socket of its own; a name of both families takes two.
    /// More than 64 overflow default socket buffers, and so lose answers.
    pub queries: usize,
    /// The time one name may take, waiting for a place not counted.
    pub lookup_timeout: Duration,
    /// Whom to ask for names.
    pub name_servers: NameServers,
    /// Where names may lead.
    pub own_addresses: OwnAddresses,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sockets: 900,
            reserved: 48,
            pace: Pace {
                starts: 10,
                every: Duration::from_millis(10),
            },
            queries: 64,
            lookup_timeout: Duration::from_millis(2_500),
            name_servers: NameServers::System,
            own_addresses: OwnAddresses::Allow,
        }
    }
}

impl Settings {
    /// How many connections may really be open at once.
    pub(crate) fn usable_sockets(&self) -> Result<usize, Error> {
        let positive = [
            ("sockets", self.sockets > 0),
            ("pace.starts", self.pace.starts > 0),
            ("pace.every", !self.pace.every.is_zero()),
            ("queries", self.queries > 0),
            ("lookup_timeout", !self.lookup_timeout.is_zero()),
        ];
        if let Some((setting, _)) = positive.into_iter().find(|(_, is_positive)| !is_positive) {
            return Err(Error::ZeroSetting { setting });
        }
        let Some(limit) = getrlimit(Resource::Nofile).current else {
            return Ok(self.sockets);
        };
        let reserved = self.reserved.saturating_add(self.queries) as u64;
        match limit.saturating_sub(reserved) {
            0 => Err(Error::TooFewDescriptors { limit, reserved }),
            free => Ok(self.sockets.min(usize::try_from(free).unwrap_or(usize::MAX))),
        }
    }
}

/// How fast connections are started: a batch, then a pause.
///
/// Connections started all at once answer all at once, and a process with a small share of a processor then reads
/// its clock late for most of them.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Connections started together.
    pub starts: usize,
    /// The time from one batch to the next.
    pub every: Duration,
}

/// Whom to ask for names.
#[derive(Debug, Clone)]
pub enum NameServers {
    /// What `/etc/resolv.conf` says, after `/etc/hosts`; 127.0.0.1 if it names no server, as resolv.conf(5) has it.
    System,
    /// These, over UDP and TCP, and nothing else: no hosts file, no search list.
    Explicit(Vec<SocketAddr>),
}

/// Where names may lead. A target that is written as an address is checked whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnAddresses {
    /// To every address.
    Allow,
    /// To no [address of the machine's own](portpulse_core::address::is_own): whoever owns a name could else point the
    /// checker at what only it may reach, in a Lambda the Runtime API and the credentials of its role. A name that has
    /// nothing else is [`NoData::OwnAddress`](portpulse_core::outcome::NoData::OwnAddress), and the log names the
    /// address.
    Skip,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usable_sockets_respect_open_file_limit() {
        let limit = getrlimit(Resource::Nofile)
            .current
            .map_or(usize::MAX, |n| n as usize);
        let greedy = Settings {
            sockets: usize::MAX,
            ..Settings::default()
        };
        let usable = greedy.usable_sockets().unwrap();
        assert!(usable <= limit.saturating_sub(greedy.queries + greedy.reserved));
        let serving = Settings {
            reserved: greedy.reserved + 100,
            ..greedy
        };
        assert_eq!(serving.usable_sockets().unwrap(), usable - 100);
        let modest = Settings {
            sockets: 3,
            ..Settings::default()
        };
        assert_eq!(modest.usable_sockets().unwrap(), 3);
    }

    #[test]
    fn zero_setting_is_rejected_by_name() {
        let none = Settings {
            queries: 0,
            ..Settings::default()
        };
        assert!(matches!(
            none.usable_sockets(),
            Err(Error::ZeroSetting { setting: "queries" })
        ));
        let hasty = Pace {
            every: Duration::ZERO,
            ..none.pace
        };
        let hasty = Settings {
            pace: hasty,
            ..Settings::default()
        };
        assert!(matches!(
            hasty.usable_sockets(),
            Err(Error::ZeroSetting {
                setting: "pace.every"
            })
        ));
    }
}
