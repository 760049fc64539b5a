//! Lookups of one name, by the search list and the name servers in their order, as in glibc; of SRV records, with the addresses
//! of their hosts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{Either, select};
use hickory_resolver::config::{ResolveHosts, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{Hosts, Resolver};
use portpulse_core::choice::IpFamily;
use portpulse_core::target::Host;
use tokio::time::{Instant, timeout};

use super::answer::{self, Addresses, Control, ResolveError, Server, SrvRecord};
use super::system::Configuration;
use super::transport::SingleSocketProvider;
use crate::error::Error;

/// The maximum number of hosts of SRV records that are tried.
const MAX_SRV_HOSTS: usize = 8;

/// Converts the resolver library's result.
type Read<T> = fn(Result<Lookup, NetError>) -> Result<T, ResolveError>;

/// The "Resolution Delay" of RFC 8305, section 3: how long one family waits for the other.
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// Looks up names with one configuration.
pub(super) struct Lookups {
    /// One for each name server, because their order matters: the answer of the first one counts, and only if there is none
    /// is the next one asked.
    resolvers: Vec<Resolver<SingleSocketProvider>>,
    /// The first server to ask; changes if the configuration rotates them.
    next: AtomicUsize,
    rotates: bool,
    hosts: Hosts,
    search: Vec<Name>,
    /// Names with fewer dots are tried with the search list first.
    ndots: usize,
    /// The maximum time to wait for one server.
    timeout: Duration,
    /// How often all servers are asked.
    attempts: usize,
}

/// The servers to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Servers {
    /// Only the first one.
    First,
    /// All, one after the other, until one answers.
    All,
}

/// The names to try.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Candidates {
    names: Vec<Name>,
    /// The position of the name without a domain of the search list.
    bare: usize,
}

impl Lookups {
    pub(super) fn new(configuration: Configuration, limit: Duration) -> Result<Self, Error> {
        let Configuration {
            servers,
            options,
            rotates,
            search,
            hosts,
        } = configuration;
        let (ndots, timeout, attempts) = (options.ndots, options.timeout, options.attempts);
        let resolvers = servers.into_iter().map(|server| {
            let mut options = options.clone();
            // Each probe must see the current addresses, so that answers are not cached between probes.
            options.cache_size = 0;
            // This module reads the hosts file: a name in the file is not queried, not even in the other family.
            options.use_hosts_file = ResolveHosts::Never;
            // This module makes the retries, because a waiting name must release its query.
            options.attempts = 0;
            options.timeout = limit;
            options.num_concurrent_reqs = 1;
            Resolver::builder_with_config(
                ResolverConfig::from_name_servers(vec![server]),
                SingleSocketProvider::default(),
            )
            .with_options(options)
            .build()
            .map_err(|source| Error::Resolver { source })
        });
        Ok(Self {
            resolvers: resolvers.collect::<Result<_, _>>()?,
            next: AtomicUsize::new(0),
            rotates,
            hosts,
            search,
            ndots,
            timeout,
            attempts,
        })
    }

    /// Looks up a name.
    pub(super) async fn ask(&self, name: &str, ip: IpFamily, servers: Servers, limit: Duration) -> Addresses {
        let candidates = self.candidates(name);
        if let Some(found) = self.in_hosts_file(&candidates, ip) {
            return Ok(found);
        }
        match ip {
            IpFamily::V4 => {
                self.first_name(&candidates, RecordType::A, answer::read, servers, limit)
                    .await
            }
            IpFamily::V6 => {
                self.first_name(&candidates, RecordType::AAAA, answer::read, servers, limit)
                    .await
            }
            IpFamily::Any => self.both_families(&candidates, servers, limit).await,
        }
    }

    /// Looks up the SRV records of a name, and the addresses of their hosts, one host after the other, because a question
    /// may use two sockets.
    ///
    /// A host without an address is left out. In a first attempt, its servers must say so.
    pub(super) async fn ask_srv(
        &self,
        name: &str,
        ip: IpFamily,
        servers: Servers,
        limit: Duration,
    ) -> Result<Vec<Server>, ResolveError> {
        let started = Instant::now();
        let mut records = self
            .first_name(
                &self.candidates(name),
                RecordType::SRV,
                answer::read_srv,
                servers,
                limit,
            )
            .await?;
        records.truncate(MAX_SRV_HOSTS);
        let mut found = Vec::new();
        let mut worst = ResolveError::NotFound;
        let count = records.len();
        for (position, SrvRecord { host, port }) in records.into_iter().enumerate() {
            let waiting = u32::try_from(count - position).unwrap_or(u32::MAX);
            let share = limit.saturating_sub(started.elapsed()) / waiting;
            let addresses = match &host {
                Host::Address(address) => Ok(vec![*address]),
                // The name is complete: the search list is for names that people write.
                Host::Name(name) => self.ask(&format!("{name}."), ip, servers, share).await,
            };
            match addresses {
                Ok(addresses) => found.push(Server {
                    host,
                    port,
                    addresses,
                }),
                Err(error) => worst = worst.max(error),
            }
        }
        let is_incomplete = servers == Servers::First && worst != ResolveError::NotFound;
        if found.is_empty() || is_incomplete {
            return Err(worst);
        }
        Ok(found)
    }

    /// Whether a name resolves without a name server.
    pub(super) fn is_known_locally(&self, name: &str, ip: IpFamily) -> bool {
        let candidates = self.candidates(name);
        candidates.names.iter().any(Name::is_localhost) || self.in_hosts_file(&candidates, ip).is_some()
    }

    /// Asks for the root's name servers, which every working resolver answers or refuses immediately.
    pub(super) async fn control(&self, limit: Duration) -> Control {
        let share = self.share(limit);
        let mut best = Control::Fails;
        for resolver in &self.resolvers {
            let answer = timeout(share, resolver.lookup(Name::root(), RecordType::NS)).await;
            best = best.max(answer.map_or(Control::Fails, |answer| Control::read(&answer)));
            if best == Control::Works {
                break;
            }
        }
        best
    }

    /// Looks up both families concurrently; the first one to succeed waits [`RESOLUTION_DELAY`] for the other.
    async fn both_families(&self, names: &Candidates, servers: Servers, limit: Duration) -> Addresses {
        let v4 = Box::pin(self.first_name(names, RecordType::A, answer::read, servers, limit));
        let v6 = Box::pin(self.first_name(names, RecordType::AAAA, answer::read, servers, limit));
        let (found, other) = match select(v4, v6).await {
            Either::Left((found, other)) | Either::Right((found, other)) => (found, other),
        };
        match found {
            Ok(mut addresses) => {
                if let Ok(Ok(more)) = timeout(RESOLUTION_DELAY, other).await {
                    addresses.extend(more);
                }
                Ok(addresses)
            }
            Err(first) => other.await.map_err(|second| first.max(second)),
        }
    }

    /// Tries the names in order, as `__res_context_search` of glibc: after a failure of the servers the next name of the
    /// search list; after silence only the bare name; in the end the error of the bare name if it came first, else the
    /// worst one.
    async fn first_name<T>(
        &self,
        names: &Candidates,
        kind: RecordType,
        read: Read<T>,
        servers: Servers,
        limit: Duration,
    ) -> Result<T, ResolveError> {
        let started = Instant::now();
        let mut errors: Vec<ResolveError> = Vec::new();
        let mut is_silent = false;
        for (position, name) in names.names.iter().enumerate() {
            let is_bare = position == names.bare;
            if is_silent && !is_bare {
                continue;
            }
            let mut left = limit.saturating_sub(started.elapsed());
            if names.bare > position {
                // The bare name comes last and keeps its time, however silent the servers of a domain are.
                left /= 2;
            }
            let asked = timeout(left, self.ask_servers(name, kind, read, servers, left)).await;
            match asked.unwrap_or(Err(ResolveError::Timeout)) {
                Ok(found) => return Ok(found),
                Err(error) => {
                    is_silent |= matches!(error, ResolveError::Timeout | ResolveError::ResolverDown);
                    errors.push(error);
                }
            }
        }
        let error = if names.bare == 0 {
            errors.first().copied()
        } else {
            errors.into_iter().max()
        };
        Err(error.unwrap_or(ResolveError::NotFound))
    }

    /// Asks the servers in order until one knows whether the name exists.
    async fn ask_servers<T>(
        &self,
        name: &Name,
        kind: RecordType,
        read: Read<T>,
        servers: Servers,
        limit: Duration,
    ) -> Result<T, ResolveError> {
        let count = self.resolvers.len();
        let start = if self.rotates && count > 0 {
            self.next.fetch_add(1, Ordering::Relaxed) % count
        } else {
            0
        };
        let (share, asked, rounds) = match servers {
            Servers::First => (limit, 1, 1),
            Servers::All => (self.share(limit), count, self.attempts.max(1)),
        };
        let mut last = ResolveError::ResolverDown;
        for _ in 0..rounds {
            let mut is_silent = false;
            for resolver in self.resolvers.iter().cycle().skip(start).take(asked.min(count)) {
                let answer = timeout(share, resolver.lookup(name.clone(), kind)).await;
                match answer.map_or(Err(ResolveError::Timeout), read) {
                    Err(error @ (ResolveError::Timeout | ResolveError::ResolverDown)) => {
                        is_silent = true;
                        last = error;
                    }
                    Err(error @ (ResolveError::Refused | ResolveError::ServerFailure)) => last = error,
                    known @ (Ok(_) | Err(ResolveError::NotFound)) => return known,
                }
            }
            if !is_silent {
                break;
            }
        }
        Err(last)
    }

    /// The time for one server, so that each one has its turn.
    fn share(&self, limit: Duration) -> Duration {
        let count = u32::try_from(self.resolvers.len()).unwrap_or(u32::MAX);
        self.timeout.min(limit / count.max(1))
    }

    /// The names to try in order (resolv.conf(5), `search` and `ndots`). A final dot ends the search.
    pub(super) fn candidates(&self, name: &str) -> Candidates {
        let none = Candidates {
            names: Vec::new(),
            bare: 0,
        };
        let Ok(mut bare) = Name::from_str_relaxed(name) else {
            return none;
        };
        let searched = self
            .search
            .iter()
            .filter_map(|domain| bare.clone().append_domain(domain).ok());
        let mut names: Vec<Name> = if bare.is_localhost() || name.ends_with('.') {
            Vec::new()
        } else {
            searched.collect()
        };
        let position = if name.matches('.').count() >= self.ndots {
            0
        } else {
            names.len()
        };
        bare.set_fqdn(true);
        names.insert(position, bare);
        Candidates {
            names,
            bare: position,
        }
    }

    fn in_hosts_file(&self, candidates: &Candidates, ip: IpFamily) -> Option<Vec<std::net::IpAddr>> {
        let kinds: &[RecordType] = match ip {
            IpFamily::V4 => &[RecordType::A],
            IpFamily::V6 => &[RecordType::AAAA],
            IpFamily::Any => &[RecordType::A, RecordType::AAAA],
        };
        candidates.names.iter().find_map(|name| {
            let found: Vec<_> = kinds
                .iter()
                .filter_map(|kind| self.hosts.lookup_static_host(&Query::query(name.clone(), *kind)))
                .flat_map(|lookup| answer::addresses(&lookup))
                .collect();
            (!found.is_empty()).then_some(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::system::SystemFiles;
    use super::*;

    /// Lookups with a hosts file and a search list, but without name servers.
    fn lookups(hosts: &str, resolv_conf: &str) -> Lookups {
        let mut configuration = SystemFiles::parsed(resolv_conf, hosts);
        configuration.servers.clear();
        Lookups::new(configuration, Duration::from_secs(1)).unwrap()
    }

    #[test]
    fn search_list_precedes_names_with_few_dots_only() {
        let check = |resolv_conf: &str, name: &str, expected: &[&str]| {
            let candidates = lookups("", resolv_conf).candidates(name);
            let tried: Vec<_> = candidates.names.iter().map(Name::to_string).collect();
            assert_eq!(tried, expected, "{resolv_conf} {name}");
        };
        let usual = "search corp.test lan";
        check(usual, "db", &["db.corp.test.", "db.lan.", "db."]);
        check(
            usual,
            "db.east",
            &["db.east.", "db.east.corp.test.", "db.east.lan."],
        );
        check(usual, "db.", &["db."]);
        check(usual, "db.east.", &["db.east."]);
        check(usual, "localhost", &["localhost."]);
        let many = "search corp.test\noptions ndots:5";
        check(many, "db.east.a.b", &["db.east.a.b.corp.test.", "db.east.a.b."]);
        check(many, "db.east.a.b.", &["db.east.a.b."]);
    }

    #[tokio::test]
    async fn name_in_hosts_file_is_never_queried() {
        let lookups = lookups("127.0.0.9 db.test alias.test\n::9 six.test\n", "search test");
        let check = async |name: &str, ip: IpFamily, expected: Result<&str, ResolveError>| {
            let found = lookups.ask(name, ip, Servers::All, Duration::from_secs(1)).await;
            assert_eq!(
                found,
                expected.map(|address| vec![address.parse().unwrap()]),
                "{name} {ip}"
            );
        };
        check("db.test", IpFamily::Any, Ok("127.0.0.9")).await;
        check("alias.test", IpFamily::V4, Ok("127.0.0.9")).await;
        check("db", IpFamily::Any, Ok("127.0.0.9")).await;
        check("six.test", IpFamily::Any, Ok("::9")).await;
        check("db.test", IpFamily::V6, Err(ResolveError::ResolverDown)).await;
        check("other.test", IpFamily::Any, Err(ResolveError::ResolverDown)).await;
    }
}
