//! The prober's limits, and the configuration of its name resolver.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use crate::error::Error;
pub use crate::resolve::SystemFiles;

/// The settings of a [`Prober`](crate::Prober).
#[derive(Debug, Clone)]
pub struct Settings {
    /// Maximum number of open connections, over all probes of one prober. Lowered to the limit of open files. 900
    /// leaves enough of a Lambda's 1,024 descriptors for lookups and AWS clients.
    pub sockets: usize,
    /// Descriptors reserved for the rest of the process, whatever the limit of open files is. The default is enough for
    /// the runtime, the AWS clients, standard streams and logs. A process that serves other clients adds their maximum.
    pub reserved: usize,
    /// How fast connections are started, at least: the pace rises while this process is scheduled in time. Bounds on the
    /// time of a probe must count with this pace.
    pub pace: Pace,
    /// Maximum number of concurrent DNS queries of one probe, each with its own socket. A name in both families takes
    /// two. More than 64 overflow the default socket buffers, so that answers are lost.
    pub queries: usize,
    /// Maximum time of one lookup, without the wait for a free query.
    pub lookup_timeout: Duration,
    /// The name servers.
    pub name_servers: NameServers,
    /// How addresses of this machine are treated.
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
            name_servers: NameServers::System(SystemFiles::default()),
            own_addresses: OwnAddresses::Allow,
        }
    }
}

impl Settings {
    /// The number of connections that can be open at the same time.
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

/// A pace at which connections are started: a batch, then a pause.
///
/// Connections started together are answered together. A process with a small share of a processor then reads its clock
/// late for most of them.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The number of connections in a batch.
    pub starts: usize,
    /// The time from one batch to the next.
    pub every: Duration,
}

/// The name servers to ask.
#[derive(Debug, Clone)]
pub enum NameServers {
    /// The servers in `/etc/resolv.conf`, after `/etc/hosts`; 127.0.0.1 if the file has no server (resolv.conf(5)). Each
    /// probe uses the files as they are then.
    System(SystemFiles),
    /// These servers over UDP and TCP, without hosts file and search list.
    Explicit(Vec<SocketAddr>),
}

/// How names with [an address of this machine](portpulse_core::address::is_own) are treated. A target configured as an
/// address is always checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnAddresses {
    /// All addresses are checked.
    Allow,
    /// Addresses of this machine are skipped and logged. Otherwise the owner of a name could direct the checker to
    /// services that only the checker can reach: in a Lambda, the Runtime API and the credentials of its role. A name
    /// without other addresses is [`NoData::OwnAddress`](portpulse_core::outcome::NoData::OwnAddress).
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
