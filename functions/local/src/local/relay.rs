//! The relay on this machine: each destination hears what is published, in its order and at its own pace, beside the ticks.

use std::collections::BTreeSet;
use std::time::Duration;

use portpulse_core::decide::Notification;
use portpulse_local_aws::sns::Published;
use portpulse_relay::{
    Client, Config, DestinationName, Error, ReadSecret as _, Relay, Report, RetryPolicy, ThisMachine, chain,
};
use portpulse_store::dynamo::DynamoTable;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::output::{INVALID, Stopped, UNSURE, warn_if_exposed};

/// How long the destinations may still be told once the watch has ended.
const LAST_TRIES: Duration = Duration::from_secs(5);
/// How long one try may take, all its attempts and what the destination asks to wait included.
const TRY: Duration = Duration::from_secs(60);
/// How long is waited after the first failed try; then twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// The most notifications that wait for one destination; the oldest is given up for the next.
const MAX_WAITING: usize = 500;

/// The destinations, each served by a task of its own: what one of them does delays neither a tick nor another.
pub(crate) struct Relaying {
    queues: Vec<mpsc::UnboundedSender<Notification>>,
    /// When the last tries end, once that is known.
    end: watch::Sender<Option<Instant>>,
    news: mpsc::UnboundedSender<Relayed>,
}

/// What became of a notification on its way to a destination.
#[derive(Debug)]
pub(crate) enum Relayed {
    /// The destination has taken it.
    Delivered {
        destination: DestinationName,
        id: String,
    },
    /// It is not known to have arrived, and is tried again.
    Delayed { why: String },
    /// It has not arrived, and is not tried again.
    GivenUp {
        destination: DestinationName,
        ids: Vec<String>,
        why: String,
    },
    /// Something that may lead to a notification being told twice, or not at all, or that is none.
    Warned { why: String },
}

impl Relaying {
    /// Starts serving the destinations on the current `LocalSet`. The news end once all of them have ended.
    ///
    /// # Errors
    /// When a secret cannot be read, which is better known now than at the first outage, or when this machine trusts
    /// nobody.
    pub(crate) async fn start(
        config: Config,
        secrets: &ThisMachine,
        table: &DynamoTable,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Relayed>), Stopped> {
        let missing = missing_secrets(&config, secrets).await;
        if !missing.is_empty() {
            let complaint = missing.join("\n");
            return Err(Stopped::Usage { complaint });
        }
        let (news, received) = mpsc::unbounded_channel();
        let (end, ends) = watch::channel(None);
        let mut queues = Vec::new();
        if config.destinations().next().is_some() {
            let client = Client::new().map_err(|error| Stopped::unable("relay anything", error))?;
            for (name, config) in config.apart() {
                let (queue, coming) = mpsc::unbounded_channel();
                let desk = Desk {
                    name,
                    relay: Relay::new(
                        config,
                        table.clone(),
                        secrets.clone(),
                        client.clone(),
                        RetryPolicy::default(),
                    )
                    .alone(),
                    waiting: Vec::new(),
                    coming,
                    ends: ends.clone(),
                    news: news.clone(),
                };
                tokio::task::spawn_local(desk.serve());
                queues.push(queue);
            }
        }
        Ok((Self { queues, end, news }, received))
    }

    /// Hands a message to every destination.
    pub(crate) fn notify(&self, published: &Published) {
        if self.queues.is_empty() {
            return;
        }
        for read in portpulse_relay::notifications(published.text("default")) {
            match read {
                Ok(notification) => {
                    // A destination that has ended said what it left undone.
                    let send = |queue: &mpsc::UnboundedSender<_>| drop(queue.send(notification.clone()));
                    self.queues.iter().for_each(send);
                }
                Err(error) => {
                    let why = format!("not relayed: {}", chain(&error));
                    // Nobody may be looking any more.
                    drop(self.news.send(Relayed::Warned { why }));
                }
            }
        }
    }

    /// Nothing more will come: what waits is tried once more, for five seconds at most.
    pub(crate) fn end(self) {
        self.end.send_replace(Some(Instant::now() + LAST_TRIES));
    }
}

/// The secrets that cannot be read, each with the destination that needs it and the mend. Files that others can read are
/// warned of.
async fn missing_secrets(config: &Config, secrets: &ThisMachine) -> Vec<String> {
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

/// One destination and what it has not heard yet.
struct Desk {
    name: DestinationName,
    relay: Relay<DynamoTable, ThisMachine>,
    waiting: Vec<Notification>,
    coming: mpsc::UnboundedReceiver<Notification>,
    ends: watch::Receiver<Option<Instant>>,
    news: mpsc::UnboundedSender<Relayed>,
}

/// Whether another try follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Try {
    Another,
    Last,
}

impl Desk {
    async fn serve(mut self) {
        let mut pause = FIRST_PAUSE;
        while let Some(this) = self.next().await {
            let report = tokio::select! {
                report = self.relay.deliver(&self.waiting, TRY) => report,
                () = ended(&mut self.ends) => return self.give_up_all(),
            };
            self.note(report, this);
            match (self.waiting.is_empty(), this) {
                (true, _) => pause = FIRST_PAUSE,
                (false, Try::Another) => {
                    self.pause(Instant::now() + pause).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
                (false, Try::Last) => return,
            }
        }
    }

    /// Waits until there is something to tell; `None` if nothing ever comes.
    async fn next(&mut self) -> Option<Try> {
        if self.waiting.is_empty() {
            let first = self.coming.recv().await?;
            self.take(first);
        }
        while let Ok(next) = self.coming.try_recv() {
            self.take(next);
        }
        Some(if self.coming.is_closed() {
            Try::Last
        } else {
            Try::Another
        })
    }

    fn take(&mut self, notification: Notification) {
        if self.waiting.len() >= MAX_WAITING {
            let oldest = self.waiting.remove(0);
            let why = format!("{MAX_WAITING} others wait for `{}`", self.name);
            self.give_up(vec![oldest.id], why);
        }
        self.waiting.push(notification);
    }

    /// Waits before the next try, but no longer than anything can still come.
    async fn pause(&mut self, until: Instant) {
        loop {
            tokio::select! {
                () = sleep_until(until) => return,
                next = self.coming.recv() => match next {
                    Some(next) => self.take(next),
                    None => return,
                },
            }
        }
    }

    /// Keeps what is worth another try, and tells what became of everything.
    fn note(&mut self, report: Report, this: Try) {
        for (destination, id) in report.delivered {
            self.say(Relayed::Delivered { destination, id });
        }
        for warning in &report.warnings {
            let why = chain(warning);
            self.say(Relayed::Warned { why });
        }
        for (destination, id) in report.overtaken {
            let why = format!("`{destination}` has heard that {id} is over, and is not told of it any more");
            self.say(Relayed::Warned { why });
        }
        let mut again = BTreeSet::new();
        for error in &report.errors {
            let (why, ids) = (chain(error), error.ids().to_vec());
            match (error, this) {
                (Error::Refused { .. }, _) | (_, Try::Last) => self.give_up(ids, why),
                (
                    Error::Address { .. }
                    | Error::PutOff { .. }
                    | Error::Unanswered { .. }
                    | Error::Waited { .. }
                    | Error::OutOfTime { .. },
                    Try::Another,
                ) => {
                    again.extend(ids);
                    self.say(Relayed::Delayed { why });
                }
            }
        }
        match this {
            Try::Another => self.waiting.retain(|each| again.contains(&each.id)),
            Try::Last => self.waiting.clear(),
        }
    }

    fn give_up_all(mut self) {
        while let Ok(next) = self.coming.try_recv() {
            self.waiting.push(next);
        }
        let ids = self.waiting.iter().map(|each| each.id.clone()).collect();
        let why = format!("`{}` did not take it within the last {LAST_TRIES:?}", self.name);
        self.give_up(ids, why);
    }

    fn give_up(&self, ids: Vec<String>, why: String) {
        let destination = self.name.clone();
        self.say(Relayed::GivenUp {
            destination,
            ids,
            why,
        });
    }

    fn say(&self, news: Relayed) {
        // Nobody may be looking any more.
        drop(self.news.send(news));
    }
}

/// Resolves when the last tries are over.
async fn ended(ends: &mut watch::Receiver<Option<Instant>>) {
    let at = match ends.wait_for(Option::is_some).await {
        Ok(at) => *at,
        // Whoever could say so is gone, and nothing more comes.
        Err(_) => None,
    };
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

impl Relayed {
    /// What people are told, and in which tone; `None` of what went well.
    pub(crate) fn line(&self) -> Option<String> {
        match self {
            Self::Delivered { .. } => None,
            Self::Delayed { why } => Some(format!("{UNSURE}will try again: {why}{UNSURE:#}")),
            Self::GivenUp {
                destination,
                ids,
                why,
            } => {
                let ids = ids.join(", ");
                Some(format!(
                    "{INVALID}`{destination}` was not told of {ids}: {why}{INVALID:#}"
                ))
            }
            Self::Warned { why } => Some(format!("{UNSURE}{why}{UNSURE:#}")),
        }
    }

    /// The same for programs: what was delivered, or given up.
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
                Some(json!({ "type": "undelivered", "destination": destination, "ids": ids, "why": why }))
            }
            Self::Delayed { .. } | Self::Warned { .. } => None,
        }
    }
}
