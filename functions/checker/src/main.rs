//! The checker as a Lambda function: reads the settings, creates the clients and handles events.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use portpulse_alert::SnsTopic;
use portpulse_checker::{
    Checker, Error, InvalidEvent, Invocation, Metrics, Settings, SystemClock, TickEvent, chain, emf,
};
use portpulse_core::outbox::Claimant;
use portpulse_prober::{OwnAddresses, Prober};
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use serde_json::{Value, json};

/// Lambda's maximum duration of an invocation.
const MAX_INVOCATION: Duration = Duration::from_secs(15 * 60);

/// The timeout of one connection to AWS. A lost SYN is sent again after one second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The timeout of one attempt. From the farthest region, connecting and reading a full group takes about two seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// The timeout of one operation with all attempts: half of the time reserved after the checks, so that a write and a
/// read that both hang end as errors within the invocation.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .json()
        .with_current_span(false)
        .with_target(false)
        .without_time()
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let settings = Settings::parse(|name| std::env::var(name).ok())?;
    let metrics = settings.metrics;
    let home = Region::new(settings.home_region);
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(home)
        .timeout_config(timeouts())
        .load()
        .await;
    let store = Store::new(DynamoTable::new(
        aws_sdk_dynamodb::Client::new(&config),
        settings.table,
    ));
    let topic = SnsTopic::new(aws_sdk_sns::Client::new(&config), settings.topic_arn);
    let prober = Prober::new(portpulse_prober::Settings {
        own_addresses: OwnAddresses::Skip,
        ..portpulse_prober::Settings::default()
    })?;
    let checker = Checker::new(
        store,
        prober,
        topic,
        SystemClock,
        settings.location,
        settings.fallback_locations,
    );

    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let tick = TickEvent::parse(&event.payload).map_err(|error| invalid_event(&error))?;
        let report = checker.handle(&tick, &invocation(&event.context)).await;
        if let (Metrics::Emf, Some(line)) = (metrics, emf(&report))
            && let Err(error) = write_line(&line)
        {
            tracing::warn!("cannot write the metrics of a tick: {error}");
        }
        for warning in &report.warnings {
            tracing::warn!("{}", chain(warning));
        }
        if report.errors.is_empty() {
            return Ok(json!({ "tick": report.tick.to_string(), "group": report.group.to_string() }));
        }
        Err(failed(&report.errors))
    }))
    .await
}

/// Writes a line to stdout directly: CloudWatch reads metrics only from lines without log fields.
fn write_line(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}

/// The response to an invalid event.
fn invalid_event(error: &InvalidEvent) -> Diagnostic {
    Diagnostic {
        error_type: "InvalidEvent".to_owned(),
        error_message: chain(error),
    }
}

/// The response to a tick with errors. The type is the kind of the first error.
fn failed(errors: &[Error]) -> Diagnostic {
    let messages: Vec<_> = errors.iter().map(|error| chain(error)).collect();
    Diagnostic {
        error_type: errors.first().map_or("Error", Error::kind).to_owned(),
        error_message: messages.join("; "),
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

fn invocation(context: &Context) -> Invocation {
    // Some emulators of Lambda send an invalid deadline. Then the maximum applies.
    let remaining = context
        .deadline()
        .duration_since(SystemTime::now())
        .unwrap_or(MAX_INVOCATION);
    Invocation {
        claimant: Claimant::new(context.request_id.clone()),
        remaining: remaining.min(MAX_INVOCATION),
    }
}
