//! The checker as a Lambda: settings, clients, wiring, and nothing else.

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

/// The longest an invocation may take: Lambda's own limit.
const MAX_LENGTH: Duration = Duration::from_secs(15 * 60);

/// The time one connection to AWS may take: a lost SYN is sent again after one second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The time one attempt may take: from the farthest location, connecting and reading a whole group takes about two.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// The time one operation may take with all its attempts: half of what a tick keeps back after its checks, so that
/// even a write and a read that both hang end within the invocation, as errors that say so.
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
        let tick = TickEvent::parse(&event.payload).map_err(|error| no_tick(&error))?;
        let report = checker.handle(&tick, &invocation(&event.context)).await;
        if let (Metrics::Emf, Some(line)) = (metrics, emf(&report))
            && let Err(error) = write_line(&line)
        {
            tracing::warn!("cannot write the metrics of a tick: {error}");
        }
        for late in &report.warnings {
            tracing::warn!("{}", chain(late));
        }
        if report.errors.is_empty() {
            return Ok(json!({ "tick": report.tick.to_string(), "group": report.group.to_string() }));
        }
        Err(failed(&report.errors))
    }))
    .await
}

/// CloudWatch reads metrics only from lines that hold nothing else, so this one goes past the log.
fn write_line(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}

/// How Lambda tells of an event that names no tick.
fn no_tick(error: &InvalidEvent) -> Diagnostic {
    Diagnostic {
        error_type: "BadEvent".to_owned(),
        error_message: chain(error),
    }
}

/// How Lambda tells of a tick that left troubles: its type is the kind of the first of them.
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
    // Some stand-ins send a deadline that is no time at all; then the longest must do.
    let remaining = context
        .deadline()
        .duration_since(SystemTime::now())
        .unwrap_or(MAX_LENGTH);
    Invocation {
        claimant: Claimant::new(context.request_id.clone()),
        remaining: remaining.min(MAX_LENGTH),
    }
}
