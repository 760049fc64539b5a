//! The resolver configuration of the system, followed while it changes.

use std::path::PathBuf;

use hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::proto::rr::Name;
use hickory_resolver::{Hosts, system_conf};

/// The number of name servers that are used, as in glibc (`MAXNS`).
const MAX_NAME_SERVERS: usize = 3;

/// The files that configure name resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemFiles {
    /// The file with name servers, search list and options (resolv.conf(5)).
    pub resolv_conf: PathBuf,
    /// The file with names that need no server (hosts(5)).
    pub hosts: PathBuf,
    /// The port of the name servers.
    pub port: u16,
}

impl Default for SystemFiles {
    fn default() -> Self {
        Self {
            resolv_conf: "/etc/resolv.conf".into(),
            hosts: "/etc/hosts".into(),
            port: 53,
        }
    }
}

/// The content of the files at one time. A file that cannot be read is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    resolv_conf: Vec<u8>,
    hosts: Vec<u8>,
}

/// What the files say.
pub(super) struct Configuration {
    pub(super) servers: Vec<NameServerConfig>,
    pub(super) options: ResolverOpts,
    pub(super) rotates: bool,
    pub(super) search: Vec<Name>,
    pub(super) hosts: Hosts,
}

impl SystemFiles {
    /// Reads the files. Their content is compared rather than their times, because a file may be replaced within the
    /// resolution of its time, and both are short.
    pub(super) fn read(&self) -> Content {
        Content {
            resolv_conf: std::fs::read(&self.resolv_conf).unwrap_or_default(),
            hosts: std::fs::read(&self.hosts).unwrap_or_default(),
        }
    }

    /// What a content says.
    pub(super) fn configuration(&self, content: &Content) -> Configuration {
        let mut hosts = Hosts::default();
        if let Err(error) = hosts.read_hosts_conf(content.hosts.as_slice()) {
            tracing::warn!(%error, "invalid {}", self.hosts.display());
        }
        let (config, options) = self.resolv_conf(&content.resolv_conf);
        let (_, search, servers) = config.into_parts();
        Configuration {
            servers: servers
                .into_iter()
                .take(MAX_NAME_SERVERS)
                .map(|mut server| {
                    for connection in &mut server.connections {
                        connection.port = self.port;
                    }
                    server
                })
                .collect(),
            options,
            rotates: rotates(&content.resolv_conf),
            search,
            hosts,
        }
    }

    fn resolv_conf(&self, text: &[u8]) -> (ResolverConfig, ResolverOpts) {
        if let Some(read) = parsed(text) {
            return read;
        }
        // Without a server, or without a file, the server is on this machine (resolv.conf(5)).
        tracing::warn!(
            "no name server in {}; using 127.0.0.1",
            self.resolv_conf.display()
        );
        let with_server = [text, b"\nnameserver 127.0.0.1\n"].concat();
        parsed(&with_server).unwrap_or_else(|| {
            let local = NameServerConfig::udp_and_tcp([127, 0, 0, 1].into());
            (
                ResolverConfig::from_name_servers(vec![local]),
                ResolverOpts::default(),
            )
        })
    }
}

/// The configuration in a file that names at least one server.
#[cfg(not(target_vendor = "apple"))]
fn parsed(resolv_conf: &[u8]) -> Option<(ResolverConfig, ResolverOpts)> {
    system_conf::parse_resolv_conf(resolv_conf).ok()
}

/// The configuration of the system, whose programs do not read the file.
#[cfg(target_vendor = "apple")]
fn parsed(_: &[u8]) -> Option<(ResolverConfig, ResolverOpts)> {
    system_conf::read_system_conf().ok()
}

/// Whether `options rotate` is set, which the library does not report.
fn rotates(resolv_conf: &[u8]) -> bool {
    let text = String::from_utf8_lossy(resolv_conf);
    text.lines()
        .filter_map(|line| line.trim_start().strip_prefix("options"))
        .any(|options| options.split_whitespace().any(|option| option == "rotate"))
}

#[cfg(test)]
impl SystemFiles {
    /// The configuration in these texts.
    pub(super) fn parsed(resolv_conf: &str, hosts: &str) -> Configuration {
        let content = Content {
            resolv_conf: resolv_conf.as_bytes().to_vec(),
            hosts: hosts.as_bytes().to_vec(),
        };
        Self::default().configuration(&content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_servers_are_read_as_in_glibc() {
        let check = |text: &str, servers: &[&str], rotates: bool, ndots: usize| {
            let configuration = SystemFiles::parsed(text, "");
            let found: Vec<_> = configuration
                .servers
                .iter()
                .map(|server| server.ip.to_string())
                .collect();
            assert_eq!(found, servers, "{text}");
            assert_eq!(
                (configuration.rotates, configuration.options.ndots),
                (rotates, ndots),
                "{text}"
            );
        };
        check("", &["127.0.0.1"], false, 1);
        check("search lan\noptions ndots:3", &["127.0.0.1"], false, 3);
        let four = "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n";
        check(four, &["192.0.2.1", "192.0.2.2", "192.0.2.3"], false, 1);
        check(
            "nameserver ::1\noptions timeout:1 rotate attempts:3",
            &["::1"],
            true,
            1,
        );
        assert_eq!(SystemFiles::parsed("search corp.test lan", "").search.len(), 2);
    }
}
