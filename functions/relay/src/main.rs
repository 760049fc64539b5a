//! The relay as a Lambda: settings, clients, wiring, and nothing else.

use std::time::{Duration, SystemTime};

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use portpulse_core::text::quoted;
use portpulse_relay::{Client, Relay, RetryPolicy, chain};
use portpulse_relay_function::{ParameterStore, Settings, notifications};
use portpulse_store::dynamo::DynamoTable;
use serde_json::{Value, json};

/// The longest an invocation may take: Lambda's own limit.
const MAX_LENGTH: Duration = Duration::from_secs(15 * 60);
/// How long a connection to AWS may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one try may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long one operation may take with all its tries: a table that does not answer delays alerts, and stops none.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);
/// What is left of an invocation to say how it went.
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
        let (notified, bad) = notifications(&event.payload);
        let report = relay.deliver(&notified, remaining(&event.context)).await;
        report
            .warnings
            .iter()
            .for_each(|warning| tracing::warn!("{}", chain(warning)));
        for (destination, id) in &report.overtaken {
            tracing::info!(
                "`{destination}` has heard that {} is over, and is not told of it any more",
                quoted(id)
            );
        }
        let bad = bad.iter().map(|error| chain(error));
        let errors: Vec<_> = bad
            .chain(report.errors.iter().map(|error| chain(error)))
            .collect();
        if errors.is_empty() {
            let (delivered, repeated) = (report.delivered.len(), report.repeated.len());
            return Ok(json!({ "delivered": delivered, "repeated": repeated }));
        }
        // So the event comes again, and after that goes to the dead-letter queue.
        Err(Diagnostic {
            error_type: if report.errors.is_empty() {
                "BadRecord"
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
    // Some stand-ins send a deadline that is no time at all; then the longest must do.
    let remaining = context.deadline().duration_since(SystemTime::now());
    remaining
        .unwrap_or(MAX_LENGTH)
        .min(MAX_LENGTH)
        .saturating_sub(MARGIN)
}
