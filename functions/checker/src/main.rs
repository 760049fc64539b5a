//! The checker as a Lambda function: reads the settings, creates the clients and handles events.

use std::io::Write as _;
use std::process::ExitCode;

use portpulse_alert::SnsTopic;
use portpulse_checker::{
    Checker, Error, Invocation, Metrics, Settings, Standby, StandbySettings, SystemClock, TickEvent,
    TickReport, chain, emf,
};
use portpulse_core::group_state::LocationKind;
use portpulse_core::outbox::Claimant;
use portpulse_function::{Diagnostic, ParameterStore, aws_config, failure, serve};
use portpulse_prober::{OwnAddresses, Prober};
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use serde_json::{Value, json};

fn main() -> ExitCode {
    portpulse_function::run(start())
}

async fn start() -> Result<(), portpulse_function::Error> {
    let settings = Settings::parse(|name| std::env::var(name).ok())?;
    let aws = aws_config(settings.home.region).await;
    let table = DynamoTable::new(aws_sdk_dynamodb::Client::new(&aws), settings.home.table);
    let prober = Prober::new(portpulse_prober::Settings {
        own_addresses: OwnAddresses::Skip,
        ..portpulse_prober::Settings::default()
    })?;
    // Secrets are in the home region, like the table.
    let prober = prober.with_secrets(ParameterStore::new(aws_sdk_ssm::Client::new(&aws)));
    let checker = Checker::new(
        Store::new(table),
        prober,
        SnsTopic::new(aws_sdk_sns::Client::new(&aws), settings.topic_arn),
        SystemClock,
        settings.location,
        settings.fallback_locations,
    )
    .with_page(settings.page)
    .with_standby(standby(settings.standby).await);
    serve(async |invocation| {
        let tick =
            TickEvent::parse(&invocation.event).map_err(|error| failure("InvalidEvent", [chain(&error)]))?;
        let invocation = Invocation {
            claimant: Claimant::new(invocation.request_id),
            remaining: invocation.remaining,
        };
        let mut reports = Vec::new();
        let finished = |report: TickReport| {
            log(&report, settings.metrics);
            reports.push(report);
        };
        checker.run(&tick, &invocation, finished).await;
        answer(&reports)
    })
    .await
}

/// The table and the topic of the standby region.
async fn standby(settings: Option<StandbySettings>) -> Option<Standby<DynamoTable, SnsTopic>> {
    let settings = settings?;
    let aws = aws_config(settings.region).await;
    let table = DynamoTable::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    Some(Standby {
        store: Store::new(table),
        topic: SnsTopic::new(aws_sdk_sns::Client::new(&aws), settings.topic_arn),
        kind: LocationKind::Region,
    })
}

fn log(report: &TickReport, metrics: Metrics) {
    if let (Metrics::Emf, Some(line)) = (metrics, emf(report))
        && let Err(error) = write_line(&line)
    {
        tracing::warn!("cannot write the metrics of a tick: {error}");
    }
    for warning in &report.warnings {
        tracing::warn!("{}", chain(warning));
    }
}

/// Writes a line to stdout directly: CloudWatch reads metrics only from lines without log fields.
fn write_line(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}

/// The response to an event: its ticks. The kind of a failure is that of the first error.
fn answer(reports: &[TickReport]) -> Result<Value, Diagnostic> {
    let errors = || reports.iter().flat_map(|report| &report.errors);
    let ticks = reports.iter().map(|report| report.tick.to_string());
    match errors().next().map(Error::kind) {
        None => Ok(json!({
            "group": reports.first().map(|report| report.group.to_string()),
            "ticks": ticks.collect::<Vec<_>>(),
        })),
        Some(kind) => Err(failure(kind, errors().map(|error| chain(error)))),
    }
}
