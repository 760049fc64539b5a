//! The relay of `portpulse local`: sends published notifications to each destination, in order and independently of the
//! schedule.

use std::collections::BTreeSet;
use std::time::Duration;

use portpulse_core::decide::Notification;
use portpulse_local_aws::sns::Published;
use portpulse_relay::{
    Client, Config, DeliveryReport, DestinationName, Error, LocalSecrets, ReadSecret as _, Relay,
    RetryPolicy, chain,
};
use portpulse_store::dynamo::DynamoTable;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::output::{BAD, CommandError, WARNING, warn_if_exposed};

/// How long deliveries may continue after the schedule has stopped.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
/// The time limit of one delivery, including its retries and the pauses that the destination asks for.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
/// The pause after the first failed delivery; it doubles after each further failure.
const MIN_RETRY_PAUSE: Duration = Duration::from_secs(5);
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(60);
/// The maximum number of notifications that wait for one destination; beyond it, the oldest is dropped.
const MAX_WAITING: usize = 500;

/// The destinations. Each has its own task, so that a slow destination delays neither checks nor other destinations.
pub(crate) struct LocalRelay {
    queues: Vec<mpsc::UnboundedSender<Notification>>,
    /// The deadline of the last deliveries; set at shutdown.
    deadline_sender: watch::Sender<Option<Instant>>,
    events: mpsc::UnboundedSender<RelayEvent>,
}

/// The result of a delivery.
#[derive(Debug)]
pub(crate) enum RelayEvent {
    /// The destination accepted the notification.
    Delivered {
        destination: DestinationName,
        id: String,
    },
    /// The delivery failed and will be retried.
    Delayed { why: String },
    /// The delivery failed and will not be retried.
    GivenUp {
        destination: DestinationName,
        ids: Vec<String>,
        why: String,
    },
    /// A problem that may cause a duplicate or lost delivery.
    Warned { why: String },
}

impl LocalRelay {
    /// Starts a task for each destination on the current `LocalSet`. The event channel closes when all tasks have ended.
    ///
    /// # Errors
    /// If a secret cannot be read (checked at start rather than at the first outage), or if this machine has no root
    /// certificates.
    pub(crate) async fn start(
        config: Config,
        secrets: &LocalSecrets,
        table: &DynamoTable,
    ) -> Result<(Self, mpsc::UnboundedReceiver<RelayEvent>), CommandError> {
        let missing = missing_secrets(&config, secrets).await;
        if !missing.is_empty() {
            return Err(CommandError::usage(missing.join("\n")));
        }
        let (events, received) = mpsc::unbounded_channel();
        let (deadline_sender, deadline) = watch::channel(None);
        let mut queues = Vec::new();
        if config.destinations().next().is_some() {
            let client = Client::new().map_err(|error| CommandError::failed("start the relay", error))?;
            for (name, config) in config.split_by_destination() {
                let (queue, incoming) = mpsc::unbounded_channel();
                let task = DestinationTask {
                    name,
                    relay: Relay::new(
                        config,
                        table.clone(),
                        secrets.clone(),
                        client.clone(),
                        RetryPolicy::default(),
                    )
                    .exclusive(),
                    waiting: Vec::new(),
                    incoming,
                    deadline: deadline.clone(),
                    events: events.clone(),
                };
                tokio::task::spawn_local(task.serve());
                queues.push(queue);
            }
        }
        Ok((
            Self {
                queues,
                deadline_sender,
                events,
            },
            received,
        ))
    }

    /// Queues the notifications of a message for every destination.
    pub(crate) fn forward(&self, published: &Published) {
        if self.queues.is_empty() {
            return;
        }
        for read in portpulse_relay::parse_notifications(published.text("default")) {
            match read {
                Ok(notification) => {
                    // A task that has ended has reported its undelivered notifications.
                    let send = |queue: &mpsc::UnboundedSender<_>| drop(queue.send(notification.clone()));
                    self.queues.iter().for_each(send);
                }
                Err(error) => {
                    let why = format!("invalid notification: {}", chain(&error));
                    // The receiver may be closed during shutdown.
                    drop(self.events.send(RelayEvent::Warned { why }));
                }
            }
        }
    }

    /// Ends the queues: waiting notifications get one last delivery within [`SHUTDOWN_TIMEOUT`].
    pub(crate) fn shut_down(self) {
        self.deadline_sender
            .send_replace(Some(Instant::now() + SHUTDOWN_TIMEOUT));
    }
}

/// The error for each secret that cannot be read, with its destination. Warns about files that other users can read.
async fn missing_secrets(config: &Config, secrets: &LocalSecrets) -> Vec<String> {
    let (mut missing, mut files) = (Vec::new(), BTreeSet::new());
    for (name, destination) in config.destinations() {
        for secret in destination.secrets() {
            match (secrets.read(secret).await, secrets.path(secret)) {
                (Err(error), _) => missing.push(format!("destinations.{name}: {}", chain(&error))),
                (Ok(_), path) => files.extend(path),
            }
        }
    }
    files.iter().for_each(|file| warn_if_exposed(file));
    missing
}

/// The task of one destination, with its undelivered notifications.
struct DestinationTask {
    name: DestinationName,
    relay: Relay<DynamoTable, LocalSecrets>,
    waiting: Vec<Notification>,
    incoming: mpsc::UnboundedReceiver<Notification>,
    deadline: watch::Receiver<Option<Instant>>,
    events: mpsc::UnboundedSender<RelayEvent>,
}

/// Whether a failed delivery is retried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DeliveryAttempt {
    Retryable,
    Final,
}

impl DestinationTask {
    async fn serve(mut self) {
        let mut pause = MIN_RETRY_PAUSE;
        while let Some(attempt) = self.next().await {
            let report = tokio::select! {
                report = self.relay.deliver(&self.waiting, ATTEMPT_TIMEOUT) => report,
                () = deadline_reached(&mut self.deadline) => return self.give_up_all(),
            };
            self.record(report, attempt);
            match (self.waiting.is_empty(), attempt) {
                (true, _) => pause = MIN_RETRY_PAUSE,
                (false, DeliveryAttempt::Retryable) => {
                    self.pause(Instant::now() + pause).await;
                    pause = (pause * 2).min(MAX_RETRY_PAUSE);
                }
                (false, DeliveryAttempt::Final) => return,
            }
        }
    }

    /// Waits for notifications; `None` when the queue is closed and empty.
    async fn next(&mut self) -> Option<DeliveryAttempt> {
        if self.waiting.is_empty() {
            let first = self.incoming.recv().await?;
            self.take(first);
        }
        while let Ok(next) = self.incoming.try_recv() {
            self.take(next);
        }
        Some(if self.incoming.is_closed() {
            DeliveryAttempt::Final
        } else {
            DeliveryAttempt::Retryable
        })
    }

    fn take(&mut self, notification: Notification) {
        if self.waiting.len() >= MAX_WAITING {
            let oldest = self.waiting.remove(0);
            let why = format!("{MAX_WAITING} newer notifications wait for `{}`", self.name);
            self.give_up(vec![oldest.id], why);
        }
        self.waiting.push(notification);
    }

    /// Waits before the next delivery; returns early when the queue is closed.
    async fn pause(&mut self, deadline: Instant) {
        loop {
            tokio::select! {
                () = sleep_until(deadline) => return,
                next = self.incoming.recv() => match next {
                    Some(next) => self.take(next),
                    None => return,
                },
            }
        }
    }

    /// Emits the results of a delivery, and keeps the notifications to retry.
    fn record(&mut self, report: DeliveryReport, attempt: DeliveryAttempt) {
        for (destination, id) in report.delivered {
            self.emit(RelayEvent::Delivered { destination, id });
        }
        for warning in &report.warnings {
            let why = chain(warning);
            self.emit(RelayEvent::Warned { why });
        }
        for (destination, id) in report.superseded {
            let why = format!("{id} was not sent to `{destination}`, which already received its recovery");
            self.emit(RelayEvent::Warned { why });
        }
        let mut to_retry = BTreeSet::new();
        for error in &report.errors {
            let (why, ids) = (chain(error), error.ids().to_vec());
            match (error, attempt) {
                (Error::Refused { .. }, _) | (_, DeliveryAttempt::Final) => self.give_up(ids, why),
                (
                    Error::Request { .. }
                    | Error::Unavailable { .. }
                    | Error::NoAnswer { .. }
                    | Error::ClaimedElsewhere { .. }
                    | Error::OutOfTime { .. },
                    DeliveryAttempt::Retryable,
                ) => {
                    to_retry.extend(ids);
                    self.emit(RelayEvent::Delayed { why });
                }
            }
        }
        match attempt {
            DeliveryAttempt::Retryable => self.waiting.retain(|each| to_retry.contains(&each.id)),
            DeliveryAttempt::Final => self.waiting.clear(),
        }
    }

    fn give_up_all(mut self) {
        while let Ok(next) = self.incoming.try_recv() {
            self.waiting.push(next);
        }
        let ids = self.waiting.iter().map(|each| each.id.clone()).collect();
        let why = format!(
            "`{}` did not accept it within {SHUTDOWN_TIMEOUT:?} after shutdown",
            self.name
        );
        self.give_up(ids, why);
    }

    fn give_up(&self, ids: Vec<String>, why: String) {
        let destination = self.name.clone();
        self.emit(RelayEvent::GivenUp {
            destination,
            ids,
            why,
        });
    }

    fn emit(&self, events: RelayEvent) {
        // The receiver may be closed during shutdown.
        drop(self.events.send(events));
    }
}

/// Resolves at the deadline of the last deliveries.
async fn deadline_reached(deadline: &mut watch::Receiver<Option<Instant>>) {
    let at = match deadline.wait_for(Option::is_some).await {
        Ok(at) => *at,
        // The sender is gone: no deadline will be set.
        Err(_) => None,
    };
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

impl RelayEvent {
    /// The line for a terminal; `None` for a successful delivery.
    pub(crate) fn line(&self) -> Option<String> {
        match self {
            Self::Delivered { .. } => None,
            Self::Delayed { why } => Some(format!("{WARNING}delivery failed, will retry: {why}{WARNING:#}")),
            Self::GivenUp {
                destination,
                ids,
                why,
            } => {
                let ids = ids.join(", ");
                Some(format!(
                    "{BAD}not delivered to `{destination}`: {ids}: {why}{BAD:#}"
                ))
            }
            Self::Warned { why } => Some(format!("{WARNING}warning: {why}{WARNING:#}")),
        }
    }

    /// The JSON object: `delivered` or `undelivered`; `None` for retries and warnings.
    pub(crate) fn json(&self) -> Option<Value> {
        match self {
            Self::Delivered { destination, id } => {
                let destination = destination.as_str();
                Some(json!({ "type": "delivered", "destination": destination, "id": id }))
            }
            Self::GivenUp {
                destination,
                ids,
                why,
            } => {
                let destination = destination.as_str();
                Some(json!({ "type": "undelivered", "destination": destination, "ids": ids, "reason": why }))
            }
            Self::Delayed { .. } | Self::Warned { .. } => None,
        }
    }
}
