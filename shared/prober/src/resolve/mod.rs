//! Name resolution in which names without an answer do not delay other names.
//!
//! Queries are limited, because each one needs a socket. Each name therefore gets a short first attempt. Names without
//! an answer are retried after all others, with their remaining time, so that unresolvable names cannot block the
//! queries of resolvable names. The wait for a free query is not part of the lookup time.

mod answer;
mod transport;

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::stream::{self, StreamExt};
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{Hosts, Resolver, system_conf};
use portpulse_core::choice::IpFamily;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, timeout};

use answer::Addresses;
pub(crate) use answer::{Answer, ResolveError, interleave_families};
use transport::SingleSocketProvider;

use crate::error::Error;
use crate::settings::{NameServers, Settings};

/// The time limit of the first attempt. A resolver answers from its own cache, or from a nearby one, in less time.
const FIRST_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(300);

/// The "Resolution Delay" of RFC 8305, section 3: how long one family waits for the other.
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// If at least so many names are unanswered and no name is answered, the resolver itself is checked.
const RESOLVER_CHECK_THRESHOLD: usize = 3;

/// A name to look up, shared by all targets with the same name and family.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) ip: IpFamily,
    /// The longest timeout of its targets.
    pub(crate) limit: Duration,
}

/// Resolves names.
pub(crate) struct NameResolver {
    resolver: Resolver<SingleSocketProvider>,
    hosts: Hosts,
    search: Vec<Name>,
    /// Names with fewer dots are tried with the search list first.
    ndots: usize,
    /// Maximum number of concurrent lookups.
    max_concurrent: usize,
    lookup_timeout: Duration,
}

impl NameResolver {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let (config, mut options, hosts) = match &settings.name_servers {
            NameServers::System => {
                let (config, options) = system_conf::read_system_conf().unwrap_or_else(|error| {
                    tracing::warn!(%error, "no name server in /etc/resolv.conf; using 127.0.0.1");
                    let local = NameServerConfig::udp_and_tcp([127, 0, 0, 1].into());
                    (
                        ResolverConfig::from_name_servers(vec![local]),
                        ResolverOpts::default(),
                    )
                });
                (config, options, Hosts::from_system().unwrap_or_default())
            }
            NameServers::Explicit(servers) => {
                let servers = servers.iter().copied().map(transport::name_server).collect();
                (
                    ResolverConfig::from_name_servers(servers),
                    ResolverOpts::default(),
                    Hosts::default(),
                )
            }
        };
        // Each probe must see the current addresses, so that answers are not cached between probes.
        options.cache_size = 0;
        // This module reads the hosts file: a name in the file is not queried, not even in the other family.
        options.use_hosts_file = ResolveHosts::Never;
        // This module makes the retries, because a waiting name must release its query.
        options.attempts = 0;
        options.timeout = settings.lookup_timeout;
        options.num_concurrent_reqs = config.name_servers().len().clamp(1, 2);
        let sockets_a_name = 2 * options.num_concurrent_reqs;
        let ndots = options.ndots;
        let (_, search, servers) = config.into_parts();
        let resolver = Resolver::builder_with_config(
            ResolverConfig::from_name_servers(servers),
            SingleSocketProvider::default(),
        )
        .with_options(options)
        .build()
        .map_err(|source| Error::Resolver { source })?;
        Ok(Self {
            resolver,
            hosts,
            search,
            ndots,
            max_concurrent: (settings.queries / sockets_a_name).max(1),
            lookup_timeout: settings.lookup_timeout,
        })
    }

    /// Looks up all questions, and sends each answer with the question's position as soon as it is known.
    pub(crate) async fn look_up(&self, questions: Vec<Question>, answers: UnboundedSender<(usize, Answer)>) {
        let send_answer = |position, answer| {
            // The receiver is gone after the deadline.
            let _ = answers.send((position, answer));
        };
        let mut retries = Vec::new();
        let mut resolver_answered = false;
        let mut first = stream::iter(questions.into_iter().enumerate())
            .map(|(position, question)| async move {
                let answer = self
                    .ask(&question, FIRST_ATTEMPT_TIMEOUT.min(self.limit(&question)))
                    .await;
                (position, question, answer)
            })
            .buffer_unordered(self.max_concurrent);
        while let Some((position, question, answer)) = first.next().await {
            match answer.addresses {
                Ok(_) | Err(ResolveError::NotFound) => {
                    resolver_answered |= !self.is_known_locally(&question);
                    send_answer(position, answer);
                }
                Err(_) => retries.push((position, question, answer)),
            }
        }
        if !resolver_answered && retries.len() >= RESOLVER_CHECK_THRESHOLD && !self.resolver_works().await {
            for (position, _, Answer { elapsed, .. }) in retries {
                send_answer(
                    position,
                    Answer {
                        addresses: Err(ResolveError::ResolverDown),
                        elapsed,
                    },
                );
            }
            return;
        }
        let mut second = stream::iter(retries)
            .map(|(position, question, before)| async move {
                let left = self.limit(&question).saturating_sub(before.elapsed);
                if left.is_zero() {
                    return (position, before);
                }
                let Answer { addresses, elapsed } = self.ask(&question, left).await;
                (
                    position,
                    Answer {
                        addresses,
                        elapsed: before.elapsed + elapsed,
                    },
                )
            })
            .buffer_unordered(self.max_concurrent);
        while let Some((position, answer)) = second.next().await {
            send_answer(position, answer);
        }
    }

    /// Whether the name resolves without a name server.
    fn is_known_locally(&self, question: &Question) -> bool {
        let names = self.candidates(&question.name);
        names.iter().any(Name::is_localhost) || self.in_hosts_file(&names, question.ip).is_some()
    }

    fn limit(&self, question: &Question) -> Duration {
        self.lookup_timeout.min(question.limit)
    }

    async fn ask(&self, question: &Question, limit: Duration) -> Answer {
        let started = Instant::now();
        let names = self.candidates(&question.name);
        let addresses = match self.in_hosts_file(&names, question.ip) {
            Some(found) => Ok(found),
            None => match question.ip {
                IpFamily::V4 => self.one_family(&names, RecordType::A, limit).await,
                IpFamily::V6 => self.one_family(&names, RecordType::AAAA, limit).await,
                IpFamily::Any => self.both_families(&names, limit).await,
            },
        };
        Answer {
            addresses,
            elapsed: started.elapsed(),
        }
    }

    /// Looks up both families concurrently; the first one to succeed waits [`RESOLUTION_DELAY`] for the other.
    async fn both_families(&self, names: &[Name], limit: Duration) -> Addresses {
        let v4 = Box::pin(self.one_family(names, RecordType::A, limit));
        let v6 = Box::pin(self.one_family(names, RecordType::AAAA, limit));
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

    async fn one_family(&self, names: &[Name], kind: RecordType, limit: Duration) -> Addresses {
        let found = timeout(limit, async {
            for name in names {
                match answer::read(self.resolver.lookup(name.clone(), kind).await) {
                    // Only if a name does not exist is the next name of the search list tried.
                    Err(ResolveError::NotFound) => {}
                    known => return known,
                }
            }
            Err(ResolveError::NotFound)
        });
        found.await.unwrap_or(Err(ResolveError::Timeout))
    }

    /// The names to try in order (resolv.conf(5), `search` and `ndots`).
    fn candidates(&self, name: &str) -> Vec<Name> {
        let Ok(mut bare) = Name::from_str_relaxed(name) else {
            return Vec::new();
        };
        let searched = self
            .search
            .iter()
            .filter_map(|domain| bare.clone().append_domain(domain).ok());
        let mut names: Vec<Name> = if bare.is_localhost() {
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
        names
    }

    fn in_hosts_file(&self, names: &[Name], ip: IpFamily) -> Option<Vec<IpAddr>> {
        let kinds: &[RecordType] = match ip {
            IpFamily::V4 => &[RecordType::A],
            IpFamily::V6 => &[RecordType::AAAA],
            IpFamily::Any => &[RecordType::A, RecordType::AAAA],
        };
        names.iter().find_map(|name| {
            let found: Vec<_> = kinds
                .iter()
                .filter_map(|kind| self.hosts.lookup_static_host(&Query::query(name.clone(), *kind)))
                .flat_map(|lookup| answer::addresses(&lookup))
                .collect();
            (!found.is_empty()).then_some(found)
        })
    }

    /// Asks for the root's name servers, which every working resolver answers or refuses immediately.
    async fn resolver_works(&self) -> bool {
        let control = self.resolver.lookup(Name::root(), RecordType::NS);
        timeout(self.lookup_timeout, control)
            .await
            .is_ok_and(|answer| answer::shows_working_resolver(&answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A resolver with a hosts file and a search list, but without name servers.
    fn names(hosts: &str, search: &[&str]) -> NameResolver {
        let settings = Settings {
            name_servers: NameServers::Explicit(vec![]),
            ..Settings::default()
        };
        let mut names = NameResolver::new(&settings).unwrap();
        names.hosts.read_hosts_conf(hosts.as_bytes()).unwrap();
        names.search = search
            .iter()
            .map(|domain| Name::from_ascii(domain).unwrap())
            .collect();
        names
    }

    #[test]
    fn search_list_comes_first_only_for_names_without_dots() {
        let names = names("", &["corp.test.", "lan."]);
        let tried =
            |name: &str| -> Vec<String> { names.candidates(name).iter().map(Name::to_string).collect() };
        assert_eq!(tried("db"), ["db.corp.test.", "db.lan.", "db."]);
        assert_eq!(
            tried("db.east"),
            ["db.east.", "db.east.corp.test.", "db.east.lan."]
        );
        assert_eq!(tried("localhost"), ["localhost."]);
    }

    #[tokio::test]
    async fn name_in_hosts_file_is_never_queried() {
        let names = names("127.0.0.9 db.test alias.test\n::9 six.test\n", &["test."]);
        let check = async |name: &str, ip: IpFamily, expected: Result<&str, ResolveError>| {
            let question = Question {
                name: name.to_owned(),
                ip,
                limit: Duration::from_secs(1),
            };
            let found = names.ask(&question, Duration::from_secs(1)).await.addresses;
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
