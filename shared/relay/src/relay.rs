//! The relay: tells each destination, at the same time, what it is to hear and has not heard.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use portpulse_alert::plain;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::Claimant;
use portpulse_store::table::Table;
use tokio::time::{Instant, sleep, timeout_at};

use crate::alert_key::place;
use crate::client::Client;
use crate::config::{Config, Configured, DestinationName};
use crate::delivery::{RetryPolicy, Undelivered, deliver};
use crate::destination::Post;
use crate::entry::{Entry, Next, Standing};
use crate::error::{Error, Warning};
use crate::ledger::Ledger;
use crate::secret::{ReadSecret, SecretCache};

/// The most bytes of an answer that an error shows.
const MAX_BANNER_LENGTH: usize = 200;

/// Tells the destinations of a configuration. Make it once, and call it for whatever was published.
pub struct Relay<T, S> {
    config: Config,
    table: T,
    secrets: SecretCache<S>,
    client: Client,
    retry_policy: RetryPolicy,
    /// Who claims an incident, if not each call by itself.
    claimant: Option<Claimant>,
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
    pub errors: Vec<Error>,
    /// What may lead to something being told twice, or later.
    pub warnings: Vec<Warning>,
}

/// What is to become of notifications now.
struct Round<'a> {
    /// What is to be told, in their order.
    new: Vec<&'a Notification>,
    /// What has to wait for another call, in their order.
    waits: Vec<&'a Notification>,
    /// The ledger's entries of all these incidents, as far as they are known.
    entries: BTreeMap<String, Option<Entry>>,
}

impl<T: Table, S: ReadSecret> Relay<T, S> {
    /// A relay that notes in `table` what it has delivered.
    pub fn new(config: Config, table: T, secrets: S, client: Client, retry_policy: RetryPolicy) -> Self {
        Self {
            config,
            table,
            secrets: SecretCache::new(secrets),
            client,
            retry_policy,
            claimant: None,
        }
    }

    /// Says that nobody else tells these destinations by this table, and that no two calls do at once: what a call left
    /// behind that was cut short is taken over by the next, instead of waited for.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.claimant = Some(Claimant::new("alone"));
        self
    }

    /// Tells every destination what it is to hear of these notifications, those of one incident in their order, within
    /// `remaining`.
    ///
    /// All destinations are told at the same time; what one of them does, or does not do, delays no other. What it has
    /// taken is noted, and not posted again however often this is called. What another call is telling of waits, and is
    /// [`Error::Waited`] where the time does not suffice.
    pub async fn deliver(&self, notifications: &[Notification], remaining: Duration) -> Report {
        let deadline = Instant::now() + remaining;
        let destinations = self.config.destinations.iter();
        let reports = join_all(destinations.map(|to| self.notify(to, notifications, deadline))).await;
        let mut all = Report::default();
        for report in reports {
            all.delivered.extend(report.delivered);
            all.repeated.extend(report.repeated);
            all.overtaken.extend(report.overtaken);
            all.errors.extend(report.errors);
            all.warnings.extend(report.warnings);
        }
        all
    }

    async fn notify(&self, to: &Configured, notifications: &[Notification], deadline: Instant) -> Report {
        let mut report = Report::default();
        let own = || Claimant::new(format!("{:032x}", fastrand::u128(..)));
        let claimant = self.claimant.clone().unwrap_or_else(own);
        let ledger = Ledger::new(&self.table, &to.name, claimant, deadline);
        let routed = notifications.iter().filter(|each| to.route.takes(each));
        let mut left: Vec<_> = routed.collect();
        // Of what nothing is known; once somebody was seen to be telling of it, that is known.
        let mut unknown = Standing::New;
        loop {
            let claims = claim(to, &ledger, &left, unknown, &mut report);
            let Ok(mut round) = timeout_at(deadline, claims).await else {
                report.errors.push(out_of_time(to, ids_of(&left)));
                return report;
            };
            let notified = self
                .notify_new(to, &ledger, &mut round, deadline, &mut report)
                .await;
            if !matches!(notified, Err(Error::OutOfTime { .. })) {
                // Where no time is left, a request may be under way: its claim ends by itself.
                release(to, &ledger, &round.entries, &mut report).await;
            }
            left = round.waits;
            if let Err(mut error) = notified {
                error.ids_mut().extend(ids_of(&left));
                report.errors.push(error);
                return report;
            }
            if left.is_empty() {
                return report;
            }
            let pause = self.retry_policy.first();
            if Instant::now() + pause + to.timeout >= deadline {
                // What may not be answered in time is left to whoever calls again.
                report.errors.push(Error::Waited {
                    destination: to.name.clone(),
                    ids: ids_of(&left),
                });
                return report;
            }
            sleep(pause).await;
            unknown = Standing::Waits;
        }
    }

    /// Posts what is new in a round, until an error says that what follows would fare no better.
    async fn notify_new(
        &self,
        to: &Configured,
        ledger: &Ledger<'_, T>,
        round: &mut Round<'_>,
        deadline: Instant,
        report: &mut Report,
    ) -> Result<(), Error> {
        let posts = to.destination.posts(&round.new);
        let mut left = posts.as_slice();
        while let Some((post, rest)) = left.split_first() {
            let Ok(sent) = timeout_at(deadline, self.send(to, post, deadline)).await else {
                return Err(out_of_time(to, ids_from(left)));
            };
            match sent {
                Ok(()) => note(to, ledger, post, rest, &mut round.entries, report).await,
                // This one is at fault: the next may fare better.
                Err(mut error @ Error::Refused { .. }) => {
                    if post.ids.is_empty() {
                        // It only prepares the next one.
                        *error.ids_mut() = rest.first().map(|next| next.ids.clone()).unwrap_or_default();
                    }
                    report.errors.push(error);
                }
                Err(mut error) => {
                    *error.ids_mut() = ids_from(left);
                    return Err(error);
                }
            }
            left = rest;
        }
        Ok(())
    }

    /// Posts until it is taken.
    async fn send(&self, to: &Configured, post: &Post, deadline: Instant) -> Result<(), Error> {
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
            &self.retry_policy,
            deadline,
            asked,
        );
        match sent.await {
            Ok(()) => Ok(()),
            Err(Undelivered::Refused(answer)) => {
                let said = self.said(&answer.body);
                // It may be that a secret is no longer the right one.
                self.secrets.forget(&to.destination.secrets());
                Err(Error::Refused {
                    destination: destination(),
                    ids: ids(),
                    status: answer.status,
                    said,
                })
            }
            Err(Undelivered::PutOff { answer, attempts }) => Err(Error::PutOff {
                destination: destination(),
                ids: ids(),
                attempts,
                status: answer.status,
                said: self.said(&answer.body),
            }),
            Err(Undelivered::Unanswered { error, attempts }) => Err(Error::Unanswered {
                destination: destination(),
                ids: ids(),
                attempts,
                source: error,
            }),
        }
    }

    /// What a destination said, fit for a log.
    fn said(&self, body: &str) -> String {
        plain(&self.secrets.redact(body), MAX_BANNER_LENGTH)
    }
}

/// Claims the incidents of these notifications that have news for the destination and that nobody else is telling;
/// `unknown` is what becomes of those of which the ledger cannot be asked.
async fn claim<'a, T: Table>(
    to: &Configured,
    ledger: &Ledger<'_, T>,
    notifications: &[&'a Notification],
    unknown: Standing,
    report: &mut Report,
) -> Round<'a> {
    let mut incidents = BTreeMap::<String, Vec<_>>::new();
    for (index, notification) in notifications.iter().enumerate() {
        let of_it = incidents.entry(place(&notification.id).0).or_default();
        of_it.push((index, *notification));
    }
    let claims = incidents.iter().map(|(incident, of_it)| async {
        let of_it: Vec<_> = of_it.iter().map(|(_, notification)| *notification).collect();
        ledger.claim(incident, &of_it).await
    });
    let claims = join_all(claims).await;
    let (mut new, mut waits, mut entries) = (Vec::new(), Vec::new(), BTreeMap::new());
    for ((incident, of_it), claim) in incidents.into_iter().zip(claims) {
        let standings = match claim {
            Ok((entry, standings)) => {
                entries.insert(incident, Some(entry));
                standings
            }
            Err(source) => {
                let of_it: Vec<_> = of_it.iter().map(|(_, notification)| *notification).collect();
                report.warnings.push(Warning::Unread {
                    destination: to.name.clone(),
                    ids: ids_of(&of_it),
                    source,
                });
                // It may have been claimed all the same.
                entries.insert(incident, None);
                vec![unknown; of_it.len()]
            }
        };
        for ((index, notification), standing) in of_it.into_iter().zip(standings) {
            let notified = || (to.name.clone(), notification.id.clone());
            match standing {
                Standing::New => new.push((index, notification)),
                Standing::Known => report.repeated.push(notified()),
                Standing::Overtaken => report.overtaken.push(notified()),
                Standing::Waits => waits.push((index, notification)),
            }
        }
    }
    let in_order = |mut numbered: Vec<(usize, &'a Notification)>| {
        numbered.sort_by_key(|(index, _)| *index);
        numbered
            .into_iter()
            .map(|(_, notification)| notification)
            .collect()
    };
    Round {
        new: in_order(new),
        waits: in_order(waits),
        entries,
    }
}

/// Notes that a post was taken, and gives back the incidents of which no other post is to follow.
async fn note<T: Table>(
    to: &Configured,
    ledger: &Ledger<'_, T>,
    post: &Post,
    rest: &[Post],
    entries: &mut BTreeMap<String, Option<Entry>>,
    report: &mut Report,
) {
    let mut notified = BTreeMap::<String, Vec<String>>::new();
    for id in &post.ids {
        report.delivered.push((to.name.clone(), id.clone()));
        notified.entry(place(id).0).or_default().push(id.clone());
    }
    let notes = notified.iter().map(|(incident, ids)| {
        let goes_on = rest
            .iter()
            .flat_map(|post| &post.ids)
            .any(|id| place(id).0 == *incident);
        let next = if goes_on { Next::More } else { Next::Nothing };
        let entry = entries.get(incident).cloned().flatten();
        ledger.note(incident, entry, ids, next)
    });
    let noted = join_all(notes).await;
    for ((incident, ids), noted) in notified.into_iter().zip(noted) {
        match noted {
            Ok(entry) => drop(entries.insert(incident, Some(entry))),
            Err(source) => {
                entries.insert(incident, None);
                report.warnings.push(Warning::Unnoted {
                    destination: to.name.clone(),
                    ids,
                    source,
                });
            }
        }
    }
}

/// Gives back the incidents of which something could not be told.
async fn release<T: Table>(
    to: &Configured,
    ledger: &Ledger<'_, T>,
    entries: &BTreeMap<String, Option<Entry>>,
    report: &mut Report,
) {
    let is_held = |entry: &Option<Entry>| entry.as_ref().is_none_or(|entry| ledger.holds(entry));
    let held = entries.iter().filter(|(_, entry)| is_held(entry));
    let released = held.map(|(incident, entry)| async {
        let released = ledger.note(incident, entry.clone(), &[], Next::Nothing).await;
        released.map_err(|source| Warning::Unreleased {
            destination: to.name.clone(),
            incident: incident.clone(),
            source,
        })
    });
    let released = join_all(released).await;
    report
        .warnings
        .extend(released.into_iter().filter_map(Result::err));
}

fn ids_of(notifications: &[&Notification]) -> Vec<String> {
    notifications.iter().map(|each| each.id.clone()).collect()
}

fn ids_from(posts: &[Post]) -> Vec<String> {
    posts.iter().flat_map(|post| post.ids.clone()).collect()
}

fn out_of_time(to: &Configured, ids: Vec<String>) -> Error {
    Error::OutOfTime {
        destination: to.name.clone(),
        ids,
    }
}
