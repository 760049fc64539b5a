//! The relay: tells each destination, at the same time, what it is to hear and has not heard.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use portpulse_alert::plain;
use portpulse_core::decide::Notification;
use portpulse_store::table::{Table, TableError};
use tokio::time::{Instant, timeout_at};

use crate::alert_key::end_id;
use crate::client::Client;
use crate::config::{Config, Configured, DestinationName};
use crate::delivery::{Patience, Undelivered, deliver};
use crate::destination::Post;
use crate::error::{Error, Warning};
use crate::ledger;
use crate::secret::{Keyring, ReadSecret};

/// The most bytes of an answer that an error shows.
const MOST_SAID: usize = 200;

/// Tells the destinations of a configuration. Make it once, and call it for whatever was published.
pub struct Relay<T, S> {
    config: Config,
    table: T,
    secrets: Keyring<S>,
    client: Client,
    patience: Patience,
}

/// What became of a call.
#[derive(Debug, Default)]
pub struct Report {
    /// What was taken, by whom: each id once for each destination.
    pub delivered: Vec<(DestinationName, String)>,
    /// What was not sent because its destination knew it.
    pub repeated: Vec<(DestinationName, String)>,
    /// What was not sent because its destination had already heard that it is over.
    pub overtaken: Vec<(DestinationName, String)>,
    /// What is not known to be delivered: call again with the same notifications.
    pub troubles: Vec<Error>,
    /// What may lead to something being told twice.
    pub warnings: Vec<Warning>,
}

/// What a destination has heard.
enum Heard {
    It,
    ItsEnd,
    Neither,
}

impl<T: Table, S: ReadSecret> Relay<T, S> {
    /// A relay that notes in `table` what it has delivered.
    pub fn new(config: Config, table: T, secrets: S, client: Client, patience: Patience) -> Self {
        Self {
            config,
            table,
            secrets: Keyring::new(secrets),
            client,
            patience,
        }
    }

    /// Tells every destination what it is to hear of these notifications, in their order, within `remaining`.
    ///
    /// All destinations are told at the same time; what one of them does, or does not do, delays no other. What it has
    /// taken is noted, and not posted again however often this is called.
    pub async fn deliver(&self, notifications: &[Notification], remaining: Duration) -> Report {
        let deadline = Instant::now() + remaining;
        let destinations = self.config.destinations.iter();
        let reports = join_all(destinations.map(|to| self.tell(to, notifications, deadline))).await;
        let mut all = Report::default();
        for report in reports {
            all.delivered.extend(report.delivered);
            all.repeated.extend(report.repeated);
            all.overtaken.extend(report.overtaken);
            all.troubles.extend(report.troubles);
            all.warnings.extend(report.warnings);
        }
        all
    }

    async fn tell(&self, to: &Configured, notifications: &[Notification], deadline: Instant) -> Report {
        let mut report = Report::default();
        let routed = notifications.iter().filter(|each| to.route.takes(each));
        let routed: Vec<_> = routed.collect();
        let ids = || routed.iter().map(|each| each.id.clone()).collect();
        let Ok(new) = timeout_at(deadline, self.unheard(to, &routed, &mut report)).await else {
            report.troubles.push(out_of_time(to, ids()));
            return report;
        };
        let posts = to.destination.posts(&new);
        for (index, post) in posts.iter().enumerate() {
            let Ok(sent) = timeout_at(deadline, self.send(to, post, deadline, &mut report)).await else {
                report.troubles.push(out_of_time(to, ids_from(&posts, index)));
                break;
            };
            match sent {
                Ok(()) => {}
                // This one is at fault: the next may fare better.
                Err(mut error @ Error::Refused { .. }) => {
                    if post.ids.is_empty() {
                        // It only prepares the next one.
                        *error.ids_mut() = posts
                            .get(index + 1)
                            .map(|next| next.ids.clone())
                            .unwrap_or_default();
                    }
                    report.troubles.push(error);
                }
                Err(mut error) => {
                    *error.ids_mut() = ids_from(&posts, index);
                    report.troubles.push(error);
                    break;
                }
            }
        }
        report
    }

    /// Those that the destination does not know yet, and of whose end it does not know either: one that is tried again
    /// may come after the recovery, which another call has brought, and would stay open for ever.
    async fn unheard<'a>(
        &self,
        to: &Configured,
        routed: &[&'a Notification],
        report: &mut Report,
    ) -> Vec<&'a Notification> {
        let known = join_all(routed.iter().map(|each| self.heard(to, each)));
        let mut unheard = Vec::new();
        for (notification, known) in routed.iter().zip(known.await) {
            let (name, id) = (to.name.clone(), notification.id.clone());
            match known {
                Ok(Heard::It) => report.repeated.push((name, id)),
                Ok(Heard::ItsEnd) => report.overtaken.push((name, id)),
                Ok(Heard::Neither) => unheard.push(*notification),
                Err(source) => {
                    report.warnings.push(Warning::Unread {
                        destination: name,
                        id,
                        source,
                    });
                    unheard.push(*notification);
                }
            }
        }
        unheard
    }

    /// What a destination knows of a notification.
    async fn heard(&self, to: &Configured, notification: &Notification) -> Result<Heard, TableError> {
        if ledger::is_known(&self.table, &to.name, &notification.id).await? {
            return Ok(Heard::It);
        }
        let Some(end) = end_id(notification) else {
            return Ok(Heard::Neither);
        };
        let is_over = ledger::is_known(&self.table, &to.name, &end).await?;
        Ok(if is_over { Heard::ItsEnd } else { Heard::Neither })
    }

    /// Posts, then notes that it was taken.
    async fn send(
        &self,
        to: &Configured,
        post: &Post,
        deadline: Instant,
        report: &mut Report,
    ) -> Result<(), Error> {
        let destination = || to.name.clone();
        let ids = || post.ids.clone();
        let request = to
            .destination
            .request(post, &self.secrets, Timestamp::now())
            .await;
        let request = request.map_err(|source| Error::Address {
            destination: destination(),
            ids: ids(),
            source,
        })?;
        let asked = |body: &str| to.destination.pause_asked(body);
        let sent = deliver(
            &self.client,
            &request,
            to.timeout,
            &self.patience,
            deadline,
            asked,
        );
        match sent.await {
            Ok(()) => {}
            Err(Undelivered::Refused(answer)) => {
                let said = self.said(&answer.body);
                // It may be that a secret is no longer the right one.
                self.secrets.forget(&to.destination.secrets());
                return Err(Error::Refused {
                    destination: destination(),
                    ids: ids(),
                    status: answer.status,
                    said,
                });
            }
            Err(Undelivered::PutOff { answer, attempts }) => {
                return Err(Error::PutOff {
                    destination: destination(),
                    ids: ids(),
                    attempts,
                    status: answer.status,
                    said: self.said(&answer.body),
                });
            }
            Err(Undelivered::Unanswered { error, attempts }) => {
                return Err(Error::Unanswered {
                    destination: destination(),
                    ids: ids(),
                    attempts,
                    source: error,
                });
            }
        }
        report
            .delivered
            .extend(post.ids.iter().map(|id| (destination(), id.clone())));
        let now = Timestamp::now();
        let notes = post
            .ids
            .iter()
            .map(|id| ledger::note(&self.table, &to.name, id, now));
        for (id, noted) in post.ids.iter().zip(join_all(notes).await) {
            if let Err(source) = noted {
                report.warnings.push(Warning::Unnoted {
                    destination: destination(),
                    id: id.clone(),
                    source,
                });
            }
        }
        Ok(())
    }

    /// What a destination said, fit for a log.
    fn said(&self, body: &str) -> String {
        plain(&self.secrets.redact(body), MOST_SAID)
    }
}

fn ids_from(posts: &[Post], index: usize) -> Vec<String> {
    posts
        .iter()
        .skip(index)
        .flat_map(|post| post.ids.clone())
        .collect()
}

fn out_of_time(to: &Configured, ids: Vec<String>) -> Error {
    Error::OutOfTime {
        destination: to.name.clone(),
        ids,
    }
}
