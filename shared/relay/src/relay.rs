//! The relay: sends each destination the notifications that match its route and were not delivered before.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::Claimant;
use portpulse_core::text::excerpt;
use portpulse_store::table::Table;
use tokio::time::{Instant, sleep, timeout_at};

use crate::client::Client;
use crate::config::{Config, ConfiguredDestination, DestinationName};
use crate::delivery::{RetryPolicy, Undelivered, deliver};
use crate::entry::{ClaimAction, DeliveryAction, LedgerEntry};
use crate::error::{Error, Warning};
use crate::incident_id::split_id;
use crate::ledger::Ledger;
use crate::request::OutgoingRequest;
use crate::secret::{ReadSecret, SecretCache};

/// The maximum length of an answer in an error, in bytes.
const MAX_ANSWER_LENGTH: usize = 200;

/// Sends notifications to the destinations of a configuration. Create one relay and use it for all notifications.
pub struct Relay<T, S> {
    config: Config,
    table: T,
    secrets: SecretCache<S>,
    client: Client,
    retry_policy: RetryPolicy,
    /// The claimant of all calls; without one, each call is a claimant of its own.
    claimant: Option<Claimant>,
}

/// The result of one call.
#[derive(Debug, Default)]
pub struct DeliveryReport {
    /// The deliveries: each id once for each destination.
    pub delivered: Vec<(DestinationName, String)>,
    /// Notifications that were skipped because they had been delivered before.
    pub duplicates: Vec<(DestinationName, String)>,
    /// Notifications that were skipped because the end of their incident had been delivered.
    pub superseded: Vec<(DestinationName, String)>,
    /// Failed deliveries: call again with the same notifications.
    pub errors: Vec<Error>,
    /// Problems that may repeat or delay notifications.
    pub warnings: Vec<Warning>,
}

/// The notifications that a call can send now, and those that it cannot.
struct Batch<'a> {
    /// The notifications to send, in order.
    new: Vec<&'a Notification>,
    /// The notifications that wait for another call, in order.
    deferred: Vec<&'a Notification>,
    /// The ledger entries of all these incidents; `None` if unknown.
    entries: BTreeMap<String, Option<LedgerEntry>>,
}

impl<T: Table, S: ReadSecret> Relay<T, S> {
    /// A relay that records its deliveries in `table`.
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

    /// Declares that this relay is the only one for its destinations in the table, and that its calls do not overlap: a
    /// claim left by a cancelled call is taken over by the next call at once.
    #[must_use]
    pub fn exclusive(mut self) -> Self {
        self.claimant = Some(Claimant::new("alone"));
        self
    }

    /// Sends the notifications to all destinations whose routes match, within `remaining`. Notifications of one incident
    /// are sent in their order.
    ///
    /// All destinations are served at the same time, and none delays another. Deliveries are recorded and not repeated by
    /// later calls. Incidents that another call has claimed are waited for, and reported as
    /// [`Error::ClaimedElsewhere`] if the time is too short.
    pub async fn deliver(&self, notifications: &[Notification], remaining: Duration) -> DeliveryReport {
        let deadline = Instant::now() + remaining;
        let destinations = self.config.destinations.iter();
        let reports = join_all(destinations.map(|to| self.deliver_to(to, notifications, deadline))).await;
        let mut all = DeliveryReport::default();
        for report in reports {
            all.delivered.extend(report.delivered);
            all.duplicates.extend(report.duplicates);
            all.superseded.extend(report.superseded);
            all.errors.extend(report.errors);
            all.warnings.extend(report.warnings);
        }
        all
    }

    async fn deliver_to(
        &self,
        to: &ConfiguredDestination,
        notifications: &[Notification],
        deadline: Instant,
    ) -> DeliveryReport {
        let mut report = DeliveryReport::default();
        let own = || Claimant::new(format!("{:032x}", fastrand::u128(..)));
        let claimant = self.claimant.clone().unwrap_or_else(own);
        let ledger = Ledger::new(&self.table, &to.name, claimant, deadline);
        let routed = notifications.iter().filter(|each| to.route.matches(each));
        let mut pending: Vec<_> = routed.collect();
        // Without a ledger, send. But once another call was seen to hold the claim, wait for it.
        let mut fallback = DeliveryAction::Send;
        loop {
            let claims = claim(to, &ledger, &pending, fallback, &mut report);
            let Ok(mut batch) = timeout_at(deadline, claims).await else {
                report.errors.push(out_of_time(to, ids_of(&pending)));
                return report;
            };
            let sent = self
                .send_new(to, &ledger, &mut batch, deadline, &mut report)
                .await;
            if !matches!(sent, Err(Error::OutOfTime { .. })) {
                // If the time is over, a request may be in progress, so its claim is left to expire.
                release_claims(to, &ledger, &batch.entries, &mut report).await;
            }
            pending = batch.deferred;
            if let Err(mut error) = sent {
                error.ids_mut().extend(ids_of(&pending));
                report.errors.push(error);
                return report;
            }
            if pending.is_empty() {
                return report;
            }
            let pause = self.retry_policy.initial_pause();
            if Instant::now() + pause + to.destination.settings.timeout() >= deadline {
                // A request that may not be answered in time is left to the next call.
                report.errors.push(Error::ClaimedElsewhere {
                    destination: to.name.clone(),
                    ids: ids_of(&pending),
                });
                return report;
            }
            sleep(pause).await;
            fallback = DeliveryAction::Defer;
        }
    }

    /// Sends the new notifications of a batch, until an error that the remaining requests would meet too.
    async fn send_new(
        &self,
        to: &ConfiguredDestination,
        ledger: &Ledger<'_, T>,
        batch: &mut Batch<'_>,
        deadline: Instant,
        report: &mut DeliveryReport,
    ) -> Result<(), Error> {
        let requests = to.destination.requests(&batch.new);
        let mut left = requests.as_slice();
        while let Some((request, rest)) = left.split_first() {
            let Ok(sent) = timeout_at(deadline, self.send(to, request, deadline)).await else {
                return Err(out_of_time(to, ids_from(left)));
            };
            match sent {
                Ok(()) => record(to, ledger, request, rest, &mut batch.entries, report).await,
                // The refusal concerns this request; the next one may be accepted.
                Err(mut error @ Error::Refused { .. }) => {
                    if request.ids.is_empty() {
                        // The request prepares the next one.
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

    /// Sends a request until it is accepted or fails.
    async fn send(
        &self,
        to: &ConfiguredDestination,
        request: &OutgoingRequest,
        deadline: Instant,
    ) -> Result<(), Error> {
        let destination = || to.name.clone();
        let ids = || request.ids.clone();
        let complete = to.destination.complete(request, &self.secrets, Timestamp::now());
        let complete = complete.await.map_err(|source| Error::Request {
            destination: destination(),
            ids: ids(),
            source,
        })?;
        let sent = deliver(
            &self.client,
            &complete,
            to.destination.settings.timeout(),
            &self.retry_policy,
            deadline,
            |answer| to.destination.kind.meaning(answer),
        );
        match sent.await {
            Ok(()) => Ok(()),
            Err(Undelivered::Refused(answer)) => {
                let text = self.answer_text(&answer.body);
                // The secret may have changed, so it is read again next time.
                self.secrets.forget(&to.destination.secrets());
                Err(Error::Refused {
                    destination: destination(),
                    ids: ids(),
                    status: answer.status,
                    answer: text,
                })
            }
            Err(Undelivered::Unavailable { answer, attempts }) => Err(Error::Unavailable {
                destination: destination(),
                ids: ids(),
                attempts,
                status: answer.status,
                answer: self.answer_text(&answer.body),
            }),
            Err(Undelivered::NoAnswer { error, attempts }) => Err(Error::NoAnswer {
                destination: destination(),
                ids: ids(),
                attempts,
                source: error,
            }),
        }
    }

    /// The start of an answer for logs, without secrets.
    fn answer_text(&self, body: &str) -> String {
        excerpt(&self.secrets.redact(body), MAX_ANSWER_LENGTH)
    }
}

/// Claims the incidents with notifications to send that no other call has claimed. `fallback` is the action for
/// notifications whose ledger entry cannot be read.
async fn claim<'a, T: Table>(
    to: &ConfiguredDestination,
    ledger: &Ledger<'_, T>,
    notifications: &[&'a Notification],
    fallback: DeliveryAction,
    report: &mut DeliveryReport,
) -> Batch<'a> {
    let mut incidents = BTreeMap::<String, Vec<_>>::new();
    for (index, notification) in notifications.iter().enumerate() {
        let numbered = incidents.entry(split_id(&notification.id).0).or_default();
        numbered.push((index, *notification));
    }
    let claims = incidents.iter().map(|(incident, numbered)| async {
        let numbered: Vec<_> = numbered.iter().map(|(_, notification)| *notification).collect();
        ledger.claim(incident, &numbered).await
    });
    let claims = join_all(claims).await;
    let (mut new, mut deferred, mut entries) = (Vec::new(), Vec::new(), BTreeMap::new());
    for ((incident, numbered), claim) in incidents.into_iter().zip(claims) {
        let actions = match claim {
            Ok((entry, actions)) => {
                entries.insert(incident, Some(entry));
                actions
            }
            Err(source) => {
                let numbered: Vec<_> = numbered.iter().map(|(_, notification)| *notification).collect();
                report.warnings.push(Warning::ReadFailed {
                    destination: to.name.clone(),
                    ids: ids_of(&numbered),
                    source,
                });
                // The claim may have been written.
                entries.insert(incident, None);
                vec![fallback; numbered.len()]
            }
        };
        for ((index, notification), action) in numbered.into_iter().zip(actions) {
            let delivery = || (to.name.clone(), notification.id.clone());
            match action {
                DeliveryAction::Send => new.push((index, notification)),
                DeliveryAction::Duplicate => report.duplicates.push(delivery()),
                DeliveryAction::Superseded => report.superseded.push(delivery()),
                DeliveryAction::Defer => deferred.push((index, notification)),
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
    Batch {
        new: in_order(new),
        deferred: in_order(deferred),
        entries,
    }
}

/// Records the delivery of a request, and releases the claims of incidents without further requests.
async fn record<T: Table>(
    to: &ConfiguredDestination,
    ledger: &Ledger<'_, T>,
    request: &OutgoingRequest,
    rest: &[OutgoingRequest],
    entries: &mut BTreeMap<String, Option<LedgerEntry>>,
    report: &mut DeliveryReport,
) {
    let mut notified = BTreeMap::<String, Vec<String>>::new();
    for id in &request.ids {
        report.delivered.push((to.name.clone(), id.clone()));
        notified.entry(split_id(id).0).or_default().push(id.clone());
    }
    let records = notified.iter().map(|(incident, ids)| {
        let continues = rest
            .iter()
            .flat_map(|request| &request.ids)
            .any(|id| split_id(id).0 == *incident);
        let next = if continues {
            ClaimAction::Keep
        } else {
            ClaimAction::Release
        };
        let entry = entries.get(incident).cloned().flatten();
        ledger.record(incident, entry, ids, next)
    });
    let recorded = join_all(records).await;
    for ((incident, ids), recorded) in notified.into_iter().zip(recorded) {
        match recorded {
            Ok(entry) => drop(entries.insert(incident, Some(entry))),
            Err(source) => {
                entries.insert(incident, None);
                report.warnings.push(Warning::RecordFailed {
                    destination: to.name.clone(),
                    ids,
                    source,
                });
            }
        }
    }
}

/// Releases the claims that are still held after failed deliveries.
async fn release_claims<T: Table>(
    to: &ConfiguredDestination,
    ledger: &Ledger<'_, T>,
    entries: &BTreeMap<String, Option<LedgerEntry>>,
    report: &mut DeliveryReport,
) {
    // An entry that this call has no claim on does not change, and is not written.
    let released = entries.iter().map(|(incident, entry)| async {
        let released = ledger
            .record(incident, entry.clone(), &[], ClaimAction::Release)
            .await;
        released.map_err(|source| Warning::ReleaseFailed {
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

fn ids_from(requests: &[OutgoingRequest]) -> Vec<String> {
    requests.iter().flat_map(|request| request.ids.clone()).collect()
}

fn out_of_time(to: &ConfiguredDestination, ids: Vec<String>) -> Error {
    Error::OutOfTime {
        destination: to.name.clone(),
        ids,
    }
}
