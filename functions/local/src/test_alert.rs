//! `portpulse test-alert`: sends a test notification and shows which subscribers and destinations it reaches.

mod render;
mod subscribers;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_sns::Client;
use portpulse_alert::{Message, Publish as _, SnsTopic, messages};
use portpulse_core::decide::Notification;
use portpulse_core::definition::Monitor;
use portpulse_core::time::parse_duration;
use portpulse_local_aws::sns::TOPIC_ARN;
use portpulse_relay::{DestinationName, is_delivered};
use tokio::time::{Instant, sleep};

use crate::ExitStatus;
use crate::local;
use crate::monitor_selection::find_monitor;
use crate::output::{CommandError, Output};
use crate::overview::Overview;
use crate::table_access::{MissingData, OpenTable, TableArgs, TableKind, with_table};
use subscribers::TopicSubscribers;

/// The interval at which the relay's ledger is read.
const PAUSE: Duration = Duration::from_millis(250);
/// The maximum tags of the message. It has the tags of all monitors, so that it passes filters by tag.
const MAX_TAGS: usize = 50;

const EXAMPLES: &str = "\
Examples:
  portpulse test-alert --topic arn:aws:sns:eu-west-1:123456789012:portpulse --table portpulse --region eu-west-1
  portpulse test-alert --relay infra/relay.yaml        # while `portpulse local` is running";

/// Send a test notification, and show which subscribers and destinations it reaches
///
/// The message is published to the topic like every notification. It has all severities, kinds and statuses and the tags
/// in use, so that it passes filter policies; destinations of the relay receive it regardless of their routes. With
/// --monitor, it is sent only where notifications of that monitor are sent. For subscriptions, AWS reports whether they are
/// confirmed and what they filter, not whether a message was received; for destinations, the ledger of the relay records
/// deliveries.
///
/// Exit status: 0 all subscribers and destinations are reached, 1 at least one may not be reached, 2 invalid usage or an
/// error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The ARN of the SNS topic
    #[arg(long, value_name = "ARN", env = "PORTPULSE_TOPIC_ARN")]
    topic: Option<String>,

    /// The destinations file of the relay, whose deliveries are verified
    #[arg(long, value_name = "FILE")]
    relay: Option<PathBuf>,

    /// Send the message as a notification of this monitor
    #[arg(long, value_name = "ID")]
    monitor: Option<String>,

    /// How long to wait for the deliveries of the relay
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = parse_duration)]
    wait: Duration,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    source: TableArgs,
}

/// The result of the test.
struct TestAlertResult {
    id: String,
    topic: String,
    /// The subscribers of the topic; `None` for a local table.
    subscribers: Option<TopicSubscribers>,
    /// The destinations of the relay, and whether the message was delivered.
    destinations: Vec<(DestinationName, bool)>,
    waited: Duration,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let config = local::destinations(args.relay.as_deref())?;
    let destinations: Vec<_> = config.destinations().map(|(name, _)| name.clone()).collect();
    with_table(&args.source, MissingData::Refuse, async |table| {
        let (client, arn) = topic(args, table)?;
        let notification = notification(args, table).await?;
        let [message] = <[Message; 1]>::try_from(messages(std::slice::from_ref(&notification)))
            .map_err(|_| CommandError::failed("make a message", "a notification makes one message"))?;
        let sent = SnsTopic::new(client.clone(), arn.clone()).publish(&message).await;
        sent.map_err(|error| CommandError::failed("send the test message", error))?;
        let subscribers = match table.kind {
            TableKind::Aws => Some(TopicSubscribers::look(&client, &arn, &message.attributes).await?),
            TableKind::LocalRunning | TableKind::LocalStopped => None,
        };
        let sent = TestAlertResult {
            destinations: wait_for_deliveries(table, destinations, &notification.id, args.wait).await?,
            id: notification.id,
            topic: arn,
            subscribers,
            waited: args.wait,
        };
        match args.json {
            true => output.json(&render::json(&sent, &table.to_string()))?,
            false => output.lines(render::lines(&sent))?,
        }
        Ok(ExitStatus::success_if(sent.reaches_all()))
    })
}

/// The topic: the one of --topic in AWS, or that of the running `portpulse local`.
fn topic(args: &Args, table: &OpenTable) -> Result<(Client, String), CommandError> {
    match (table.kind, &args.topic) {
        (TableKind::LocalRunning, _) => Ok((table.sns.clone(), TOPIC_ARN.to_owned())),
        (TableKind::LocalStopped, _) => {
            let message = format_args!("cannot send a test message with {table}");
            Err(CommandError::usage_with_help(
                message,
                "start `portpulse local` first",
            ))
        }
        (TableKind::Aws, None) => {
            let help = "add --topic, or set PORTPULSE_TOPIC_ARN";
            Err(CommandError::usage_with_help(
                "--topic is required with a table in AWS",
                help,
            ))
        }
        (TableKind::Aws, Some(arn)) => {
            let Some(region) = arn.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2)) else {
                let message = format_args!("--topic {arn} is not the ARN of a topic");
                let help = "use the form arn:aws:sns:REGION:ACCOUNT:NAME";
                return Err(CommandError::usage_with_help(message, help));
            };
            let region = aws_sdk_sns::config::Region::new(region.to_owned());
            let config = table.sns.config().to_builder().region(region);
            Ok((Client::from_conf(config.build()), arn.clone()))
        }
    }
}

async fn notification(args: &Args, table: &OpenTable) -> Result<Notification, CommandError> {
    let overview = Overview::of_table(table).await?;
    let mut monitors = overview
        .snapshot
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
    let (id, _) = find_monitor(table, id).await?;
    let monitor: Option<&Monitor> = monitors.find(|monitor| *monitor.id() == id);
    let Some(monitor) = monitor else {
        let message = format!("--monitor {id}: the monitor is disabled, or its definition is invalid");
        return Err(CommandError::usage(message));
    };
    Ok(Notification::test(Some(monitor), table.now()))
}

/// Waits until the ledger of the relay records the message for every destination, or the timeout expires.
async fn wait_for_deliveries(
    table: &OpenTable,
    destinations: Vec<DestinationName>,
    id: &str,
    wait: Duration,
) -> Result<Vec<(DestinationName, bool)>, CommandError> {
    let until = Instant::now() + wait;
    let mut known: Vec<_> = destinations.into_iter().map(|name| (name, false)).collect();
    loop {
        for (name, delivered) in known.iter_mut().filter(|(_, delivered)| !delivered) {
            let found = is_delivered(table.store.table(), name, id).await;
            *delivered = found.map_err(|error| {
                CommandError::failed(format!("read the relay's ledger in {table}"), error)
            })?;
        }
        if Instant::now() >= until || known.iter().all(|(_, delivered)| *delivered) {
            return Ok(known);
        }
        sleep(PAUSE).await;
    }
}

impl TestAlertResult {
    fn reaches_all(&self) -> bool {
        let reaches_subscribers = self
            .subscribers
            .as_ref()
            .is_none_or(TopicSubscribers::reaches_all);
        let has_no_receivers = self.destinations.is_empty()
            && self
                .subscribers
                .as_ref()
                .is_some_and(|subscribers| subscribers.subscribers.is_empty());
        reaches_subscribers && !has_no_receivers && self.destinations.iter().all(|(_, delivered)| *delivered)
    }
}
