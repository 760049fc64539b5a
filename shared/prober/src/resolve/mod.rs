//! Name resolution in which names without an answer do not delay other names.
//!
//! Queries are limited, because each one needs a socket. Each name therefore gets a short first attempt. Names without
//! an answer are retried after all others, with their remaining time, so that unresolvable names cannot block the
//! queries of resolvable names. The wait for a free query is not part of the lookup time.

mod answer;
mod lookup;
mod system;
mod transport;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join;
use futures_util::stream::{self, StreamExt};
use hickory_resolver::Hosts;
use hickory_resolver::config::ResolverOpts;
use portpulse_core::choice::IpFamily;
use portpulse_core::target::Host;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use answer::Control;
pub(crate) use answer::{Answer, Found, ResolveError, interleave_families};
use lookup::{Lookups, Servers};
pub use system::SystemFiles;
use system::{Configuration, Content};

use crate::error::Error;
use crate::settings::{NameServers, Settings};

/// The time limit of the first attempt. A resolver answers from its own cache, or from a nearby one, in less time.
const FIRST_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(300);

/// The sockets that a name needs at the same time: one for each family.
const SOCKETS_A_NAME: usize = 2;

/// A name to look up, shared by all targets with the same name and family.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) ip: IpFamily,
    /// The longest timeout of its targets.
    pub(crate) limit: Duration,
}

/// Resolves names, with the configuration that holds at each probe.
pub(crate) struct NameResolver {
    /// The files to follow; `None` if the servers are fixed.
    files: Option<SystemFiles>,
    current: Mutex<Current>,
    /// Maximum number of concurrent lookups.
    max_concurrent: usize,
    lookup_timeout: Duration,
}

/// The lookups of the last configuration.
struct Current {
    content: Content,
    lookups: Arc<Lookups>,
}

impl NameResolver {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let limit = settings.lookup_timeout;
        let (files, content, configuration) = match &settings.name_servers {
            NameServers::System(files) => {
                let content = files.read();
                let configuration = files.configuration(&content);
                (Some(files.clone()), content, configuration)
            }
            NameServers::Explicit(servers) => {
                let configuration = Configuration {
                    servers: servers.iter().copied().map(transport::name_server).collect(),
                    options: ResolverOpts::default(),
                    rotates: false,
                    search: Vec::new(),
                    hosts: Hosts::default(),
                };
                (None, Content::default(), configuration)
            }
        };
        let lookups = Arc::new(Lookups::new(configuration, limit)?);
        Ok(Self {
            files,
            current: Mutex::new(Current { content, lookups }),
            max_concurrent: (settings.queries / SOCKETS_A_NAME).max(1),
            lookup_timeout: limit,
        })
    }

    /// The lookups of the current configuration, which is read again if its files changed.
    fn lookups(&self) -> Arc<Lookups> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(files) = &self.files {
            let content = files.read();
            if content != current.content {
                match Lookups::new(files.configuration(&content), self.lookup_timeout) {
                    Ok(lookups) => {
                        tracing::info!("the resolver configuration of the system changed");
                        current.lookups = Arc::new(lookups);
                    }
                    Err(error) => tracing::warn!(%error, "the old resolver configuration is kept"),
                }
                current.content = content;
            }
        }
        Arc::clone(&current.lookups)
    }

    /// Looks up all questions, and sends each answer with the question's position as soon as it is known.
    pub(crate) async fn look_up(&self, questions: Vec<Question>, answers: UnboundedSender<(usize, Answer)>) {
        if questions.is_empty() {
            return;
        }
        let lookups = self.lookups();
        let lookups = lookups.as_ref();
        let send_answer = |position, answer| {
            // The receiver is gone after the deadline.
            let _ = answers.send((position, answer));
        };
        let mut retries = Vec::new();
        let mut resolver_answered = false;
        let mut first = stream::iter(questions.into_iter().enumerate())
            .map(|(position, question)| async move {
                let limit = FIRST_ATTEMPT_TIMEOUT.min(self.limit(&question));
                let answer = ask(lookups, &question, Servers::First, limit).await;
                (position, question, answer)
            })
            .buffer_unordered(self.max_concurrent);
        while let Some((position, question, answer)) = first.next().await {
            match answer.found {
                Ok(_) | Err(ResolveError::NotFound) => {
                    resolver_answered |= !lookups.is_known_locally(&question.name, question.ip);
                    send_answer(position, answer);
                }
                Err(_) => retries.push((position, question, answer)),
            }
        }
        if retries.is_empty() {
            return;
        }
        let second = async {
            let (mut unanswered, mut answered) = (Vec::new(), false);
            let mut second = stream::iter(retries)
                .map(|(position, question, before)| async move {
                    let left = self.limit(&question).saturating_sub(before.elapsed);
                    if left.is_zero() {
                        return (position, before);
                    }
                    let Answer { found, elapsed } = ask(lookups, &question, Servers::All, left).await;
                    (
                        position,
                        Answer {
                            found,
                            elapsed: before.elapsed + elapsed,
                        },
                    )
                })
                .buffer_unordered(self.max_concurrent);
            while let Some((position, answer)) = second.next().await {
                match answer.found {
                    Ok(_) | Err(ResolveError::NotFound) => {
                        answered = true;
                        send_answer(position, answer);
                    }
                    // What the failure means depends on the resolver.
                    Err(_) if !resolver_answered => unanswered.push((position, answer)),
                    Err(_) => send_answer(position, answer),
                }
            }
            (unanswered, answered)
        };
        // Whether no answer at all is a fault of the names or of the resolver does not depend on the number of names.
        let control = async {
            if resolver_answered {
                Control::Works
            } else {
                lookups.control(self.lookup_timeout).await
            }
        };
        let ((unanswered, answered), control) = join(second, control).await;
        let control = if answered { Control::Works } else { control };
        for (position, answer) in unanswered {
            let found = answer.found.map_err(|error| {
                if control.blames_the_name(error) {
                    error
                } else {
                    ResolveError::ResolverDown
                }
            });
            send_answer(position, Answer { found, ..answer });
        }
    }

    /// The answer to one question, outside a probe.
    pub(crate) async fn answer(&self, question: &Question) -> Answer {
        ask(&self.lookups(), question, Servers::All, self.limit(question)).await
    }

    fn limit(&self, question: &Question) -> Duration {
        self.lookup_timeout.min(question.limit)
    }
}

async fn ask(lookups: &Lookups, question: &Question, servers: Servers, limit: Duration) -> Answer {
    let started = Instant::now();
    let Question { name, ip, .. } = question;
    let found = if Host::Name(name.clone()).is_srv() {
        let servers = lookups.ask_srv(name, *ip, servers, limit).await;
        servers.map(Found::Servers)
    } else {
        lookups.ask(name, *ip, servers, limit).await.map(Found::Addresses)
    };
    Answer {
        found,
        elapsed: started.elapsed(),
    }
}
