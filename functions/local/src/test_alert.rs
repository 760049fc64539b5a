//! `portpulse test-alert`: a message that says nothing is wrong, sent the whole way, and whom it reached.

mod account;
mod shown;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_sns::Client;
use portpulse_alert::{Message, Publish as _, SnsTopic, messages};
use portpulse_core::decide::Notification;
use portpulse_core::definition::Monitor;
use portpulse_core::time::parse_duration;
use portpulse_local_aws::sns::TOPIC_ARN;
use portpulse_relay::{DestinationName, has_heard};
use tokio::time::{Instant, sleep};

use crate::ExitStatus;
use crate::control::find;
use crate::local;
use crate::output::{Output, Stopped};
use crate::overview::Overview;
use crate::place::{Fresh, Kind, Opened, Which, with_table};
use account::Account;

/// How often the relay's ledger is looked at.
const PAUSE: Duration = Duration::from_millis(250);
/// The most tags that the message carries, so that every filter by tag takes it.
const MAX_TAGS: usize = 50;

const EXAMPLES: &str = "\
Examples:
  portpulse test-alert --topic arn:aws:sns:eu-west-1:123456789012:portpulse --table portpulse --region eu-west-1
  portpulse test-alert --relay infra/relay.yaml        # of `portpulse local`, while it runs";

/// Send a test message to everybody who would be alerted, and say whom it has reached
///
/// It goes through the topic as every alert does, and carries every severity, kind and verdict and the tags in use, so
/// that no usual filter leaves it out; destinations of the relay get it whatever their routes say. With --monitor it goes
/// only where messages of that monitor go. AWS tells whether a subscription is confirmed and what it filters, not
/// whether an email was read; for the relay's destinations, the ledger tells what was posted.
///
/// Exit status: 0 as far as can be told it reaches everybody, 1 somebody may not get it, 2 wrong usage, or it was not sent.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The topic in AWS
    #[arg(long, value_name = "ARN", env = "PORTPULSE_TOPIC_ARN")]
    topic: Option<String>,

    /// The relay's destinations, whose ledger is to be looked at
    #[arg(long, value_name = "FILE")]
    relay: Option<PathBuf>,

    /// Send it as a message of this monitor
    #[arg(long, value_name = "ID")]
    monitor: Option<String>,

    /// How long to wait for the relay
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = parse_duration)]
    wait: Duration,

    /// Write one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Which,
}

/// What became of the message.
struct Sent {
    id: String,
    topic: String,
    /// What the account says of the topic; absent on this machine.
    account: Option<Account>,
    /// The relay's destinations, and whether they have it.
    destinations: Vec<(DestinationName, bool)>,
    waited: Duration,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, Stopped> {
    let config = local::destinations(args.relay.as_deref())?;
    let destinations: Vec<_> = config.destinations().map(|(name, _)| name.clone()).collect();
    with_table(&args.place, Fresh::Refused, async |table| {
        let (client, arn) = topic(args, table)?;
        let notification = notification(args, table).await?;
        let [message] = <[Message; 1]>::try_from(messages(std::slice::from_ref(&notification)))
            .map_err(|_| Stopped::unable("make a message", "a notification makes one message"))?;
        let sent = SnsTopic::new(client.clone(), arn.clone()).publish(&message).await;
        sent.map_err(|error| Stopped::unable("send the test message", error))?;
        let account = match table.kind {
            Kind::Aws => Some(Account::look(&client, &arn, &message.attributes).await?),
            Kind::Running | Kind::Resting => None,
        };
        let sent = Sent {
            destinations: posted(table, destinations, &notification.id, args.wait).await?,
            id: notification.id,
            topic: arn,
            account,
            waited: args.wait,
        };
        let lines = if args.json {
            vec![shown::json(&sent, &table.to_string())?]
        } else {
            shown::lines(&sent)
        };
        for line in lines {
            output.line(line)?;
        }
        Ok(if sent.reaches_everybody() {
            ExitStatus::Good
        } else {
            ExitStatus::Bad
        })
    })
}

/// The topic beside the table: in AWS the one that is named, on this machine that of the watch.
fn topic(args: &Args, table: &Opened) -> Result<(Client, String), Stopped> {
    match (table.kind, &args.topic) {
        (Kind::Running, _) => Ok((table.sns.clone(), TOPIC_ARN.to_owned())),
        (Kind::Resting, _) => {
            let complaint = format!("{table}: nobody would get the message (start `portpulse local` first)");
            Err(Stopped::Usage { complaint })
        }
        (Kind::Aws, None) => {
            let complaint = "to which topic? (add --topic, or set PORTPULSE_TOPIC_ARN)".to_owned();
            Err(Stopped::Usage { complaint })
        }
        (Kind::Aws, Some(arn)) => {
            let Some(region) = arn.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2)) else {
                let complaint =
                    format!("--topic {arn}: is not the ARN of a topic, arn:aws:sns:REGION:ACCOUNT:NAME");
                return Err(Stopped::Usage { complaint });
            };
            let region = aws_sdk_sns::config::Region::new(region.to_owned());
            let config = table.sns.config().to_builder().region(region);
            Ok((Client::from_conf(config.build()), arn.clone()))
        }
    }
}

async fn notification(args: &Args, table: &Opened) -> Result<Notification, Stopped> {
    let overview = Overview::read(&table.store, table.now()).await;
    let overview = overview.map_err(|error| Stopped::unable(format!("read {table}"), error))?;
    let mut monitors = overview
        .known
        .groups
        .values()
        .flat_map(|group| group.definitions.monitors.values());
    let Some(id) = &args.monitor else {
        let mut notification = Notification::test(None, table.now());
        let tags: BTreeSet<&String> = monitors
            .flat_map(|monitor| &monitor.alert_policy().tags)
            .collect();
        notification.tags = tags.into_iter().take(MAX_TAGS).cloned().collect();
        return Ok(notification);
    };
    let (id, _) = find(table, id).await?;
    let monitor: Option<&Monitor> = monitors.find(|monitor| *monitor.id() == id);
    let Some(monitor) = monitor else {
        let complaint = format!("--monitor {id}: it is disabled, or its definition cannot be read");
        return Err(Stopped::Usage { complaint });
    };
    Ok(Notification::test(Some(monitor), table.now()))
}

/// Waits until the relay's ledger says that every destination has the message, or the time is up.
async fn posted(
    table: &Opened,
    destinations: Vec<DestinationName>,
    id: &str,
    wait: Duration,
) -> Result<Vec<(DestinationName, bool)>, Stopped> {
    let until = Instant::now() + wait;
    let mut known: Vec<_> = destinations.into_iter().map(|name| (name, false)).collect();
    loop {
        for (name, has_it) in known.iter_mut().filter(|(_, has_it)| !has_it) {
            let heard = has_heard(table.store.table(), name, id).await;
            *has_it = heard
                .map_err(|error| Stopped::unable(format!("read the relay's ledger in {table}"), error))?;
        }
        if Instant::now() >= until || known.iter().all(|(_, has_it)| *has_it) {
            return Ok(known);
        }
        sleep(PAUSE).await;
    }
}

impl Sent {
    fn reaches_everybody(&self) -> bool {
        let account = self.account.as_ref().is_none_or(Account::reaches_everybody);
        let nobody = self.destinations.is_empty()
            && self
                .account
                .as_ref()
                .is_some_and(|account| account.subscribers.is_empty());
        account && !nobody && self.destinations.iter().all(|(_, has_it)| *has_it)
    }
}
