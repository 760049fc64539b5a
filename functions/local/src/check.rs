//! `portpulse check`: checks each target once, with the prober of the checker and without a database.

mod args;
mod exchange_options;
mod planned;
mod report;

use std::collections::BTreeMap;
use std::time::Duration;

use portpulse_core::outcome::{NoData, Outcome};
use portpulse_core::target::Target;
use portpulse_prober::{Prober, Settings};
use portpulse_relay::LocalSecrets;
use tokio::sync::mpsc;
use tokio::time::Instant;

pub(crate) use self::args::Args;
use self::planned::PlannedCheck;
use self::report::{Ended, Format, Report};
use crate::ExitStatus;
use crate::output::{CommandError, Output};
use crate::table_access::runtime;

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let planned = planned::read(args)?;
    let format = if args.json { Format::Json } else { Format::Text };
    let mut report = Report::new(output, format, &planned);
    let secrets = LocalSecrets::new(args.secrets.clone());
    let ended = runtime()?.block_on(check_all(&planned, secrets, &mut report))?;
    let all_good = report.end(ended);
    match ended {
        Ended::Completed => Ok(ExitStatus::success_if(all_good)),
        Ended::Interrupted => Err(CommandError::Interrupted),
    }
}

/// Checks all targets and reports each result as soon as it is known, until Ctrl-C.
async fn check_all(
    planned: &[PlannedCheck],
    secrets: LocalSecrets,
    report: &mut Report<'_>,
) -> Result<Ended, CommandError> {
    let targets: Vec<_> = planned.iter().map(|planned| planned.target.clone()).collect();
    let settings = Settings::default();
    let deadline = Instant::now() + time_limit(&targets, &settings);
    let prober = Prober::new(settings).map_err(|error| CommandError::failed("start the prober", error))?;
    let prober = prober.with_secrets(secrets);
    let (sender, mut results) = mpsc::unbounded_channel();
    let checks = async {
        // The receiver lives as long as the checks.
        let record = move |index, outcome| drop(sender.send((index, outcome)));
        prober.probe_each(&targets, deadline, record).await;
        Ok(())
    };
    let reports = async {
        let mut waiting: BTreeMap<_, _> = planned.iter().enumerate().collect();
        while let Some((index, outcome)) = results.recv().await {
            if let Some(planned) = waiting.remove(&index) {
                report.add(planned, &outcome)?;
            }
        }
        let out_of_time = Outcome::NoData(NoData::OutOfTime);
        let mut late = waiting.into_values();
        late.try_for_each(|planned| report.add(planned, &out_of_time))
    };
    tokio::select! {
        ended = async { tokio::try_join!(checks, reports) } => ended.map(|_| Ended::Completed),
        interrupted = tokio::signal::ctrl_c() => interrupted
            .map(|()| Ended::Interrupted)
            .map_err(|error| CommandError::failed("listen for Ctrl-C", error)),
    }
}

/// The maximum time of all checks together, if every target times out.
fn time_limit(targets: &[Target], settings: &Settings) -> Duration {
    let count = u32::try_from(targets.len()).unwrap_or(u32::MAX);
    // The prober starts checks at the configured pace at least, and faster only where the processor keeps up.
    let batches = count / u32::try_from(settings.pace.starts).unwrap_or(u32::MAX).max(1);
    // A low limit of open files reduces concurrency: assume a quarter of the configured sockets.
    let at_once = u32::try_from(settings.sockets / 4).unwrap_or(u32::MAX).max(1);
    let slowest = targets
        .iter()
        .map(|target| target.timeout)
        .max()
        .unwrap_or_default();
    let lookups = settings.lookup_timeout.saturating_mul(1 + count / 32);
    settings
        .pace
        .every
        .saturating_mul(batches)
        .saturating_add(slowest.saturating_mul(1 + count / at_once))
        .saturating_add(lookups)
}
