//! The Lambda function of the relay: reads settings, creates clients and forwards each event.

use std::process::ExitCode;
use std::time::Duration;

use portpulse_core::text::quoted;
use portpulse_function::{Diagnostic, ParameterStore, aws_config, failure, serve};
use portpulse_relay::{Client, DeliveryReport, Relay, RetryPolicy, chain};
use portpulse_relay_function::{InvalidRecord, Settings, notifications_in};
use portpulse_store::dynamo::DynamoTable;
use serde_json::{Value, json};

/// The time reserved at the end of an invocation for the answer.
const MARGIN: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    portpulse_function::run(start())
}

async fn start() -> Result<(), portpulse_function::Error> {
    let settings = Settings::parse(|name| std::env::var(name).ok())?;
    let aws = aws_config(settings.home.region).await;
    let relay = Relay::new(
        settings.config,
        DynamoTable::new(aws_sdk_dynamodb::Client::new(&aws), settings.home.table),
        ParameterStore::new(aws_sdk_ssm::Client::new(&aws)),
        Client::new()?,
        RetryPolicy::default(),
    );
    serve(async |invocation| {
        let (notifications, invalid) = notifications_in(&invocation.event);
        let remaining = invocation.remaining.saturating_sub(MARGIN);
        let report = relay.deliver(&notifications, remaining).await;
        log(&report);
        answer(&report, &invalid)
    })
    .await
}

fn log(report: &DeliveryReport) {
    for warning in &report.warnings {
        tracing::warn!("{}", chain(warning));
    }
    for (destination, id) in &report.superseded {
        tracing::info!(
            "{} was not sent to `{destination}`: the end of the incident was delivered before",
            quoted(id)
        );
    }
}

/// The response to an event. Lambda retries a failed event, and then moves it to the dead-letter queue.
fn answer(report: &DeliveryReport, invalid: &[InvalidRecord]) -> Result<Value, Diagnostic> {
    if report.errors.is_empty() && invalid.is_empty() {
        let (delivered, duplicates) = (report.delivered.len(), report.duplicates.len());
        return Ok(json!({ "delivered": delivered, "duplicates": duplicates }));
    }
    let kind = match report.errors.is_empty() {
        true => "InvalidRecord",
        false => "Undelivered",
    };
    let invalid = invalid.iter().map(|error| chain(error));
    let errors = report.errors.iter().map(|error| chain(error));
    Err(failure(kind, invalid.chain(errors)))
}
