//! The Lambda function of the relay: reads settings, creates clients and forwards each event.

use std::time::{Duration, SystemTime};

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use portpulse_core::text::quoted;
use portpulse_relay::{Client, Relay, RetryPolicy, chain};
use portpulse_relay_function::{ParameterStore, Settings, notifications_in};
use portpulse_store::dynamo::DynamoTable;
use serde_json::{Value, json};

/// The maximum duration of an invocation: the limit of Lambda.
const MAX_DURATION: Duration = Duration::from_secs(15 * 60);
/// The timeout of a connection to AWS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The timeout of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// The timeout of one operation with all its attempts. A table that does not answer delays notifications, but stops none.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);
/// The time reserved at the end of an invocation for the answer.
const MARGIN: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    tracing_subscriber::fmt()
        .json()
        .with_current_span(false)
        .with_target(false)
        .without_time()
        .init();
    let settings =
        Settings::parse(|name| std::env::var(name).ok()).inspect_err(|error| tracing::error!("{error}"))?;
    let home = Region::new(settings.home_region);
    let aws = aws_config::defaults(BehaviorVersion::latest())
        .region(home)
        .timeout_config(timeouts())
        .load()
        .await;
    let table = DynamoTable::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    let secrets = ParameterStore::new(aws_sdk_ssm::Client::new(&aws));
    let relay = Relay::new(
        settings.config,
        table,
        secrets,
        Client::new()?,
        RetryPolicy::default(),
    );

    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let (notifications, invalid) = notifications_in(&event.payload);
        let report = relay.deliver(&notifications, remaining(&event.context)).await;
        report
            .warnings
            .iter()
            .for_each(|warning| tracing::warn!("{}", chain(warning)));
        for (destination, id) in &report.superseded {
            tracing::info!(
                "{} was not sent to `{destination}`: the end of the incident was delivered before",
                quoted(id)
            );
        }
        let errors: Vec<_> = invalid
            .iter()
            .map(|error| chain(error))
            .chain(report.errors.iter().map(|error| chain(error)))
            .collect();
        if errors.is_empty() {
            let (delivered, duplicates) = (report.delivered.len(), report.duplicates.len());
            return Ok(json!({ "delivered": delivered, "duplicates": duplicates }));
        }
        // Lambda retries a failed event, and then moves it to the dead-letter queue.
        Err(Diagnostic {
            error_type: if report.errors.is_empty() {
                "InvalidRecord"
            } else {
                "Undelivered"
            }
            .to_owned(),
            error_message: errors.join("; "),
        })
    }))
    .await
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

fn remaining(context: &Context) -> Duration {
    // Some Lambda emulators send no valid deadline; then the maximum is used.
    let remaining = context.deadline().duration_since(SystemTime::now());
    remaining
        .unwrap_or(MAX_DURATION)
        .min(MAX_DURATION)
        .saturating_sub(MARGIN)
}
