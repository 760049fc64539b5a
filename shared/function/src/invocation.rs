//! Runs a function: logs, one start, then one invocation after the other.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use lambda_runtime::{LambdaEvent, service_fn};
use portpulse_store::chain;
use serde_json::Value;
use tracing_subscriber::filter::LevelFilter;

pub use lambda_runtime::{Diagnostic, Error};

/// The maximum duration of an invocation: the limit of Lambda.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html>
const MAX_DURATION: Duration = Duration::from_secs(15 * 60);

/// One invocation of a function.
#[derive(Debug)]
pub struct Invocation {
    /// The event.
    pub event: Value,
    /// The id of the request, unique to the invocation.
    pub request_id: String,
    /// The time left.
    pub remaining: Duration,
}

impl Invocation {
    fn of(event: LambdaEvent<Value>) -> Self {
        // Some emulators of Lambda send an invalid deadline. Then the maximum applies.
        let remaining = event.context.deadline().duration_since(SystemTime::now());
        Self {
            event: event.payload,
            request_id: event.context.request_id,
            remaining: remaining.unwrap_or(MAX_DURATION).min(MAX_DURATION),
        }
    }
}

/// Runs `function`, which starts and then serves until Lambda stops the process. Writes logs as lines of JSON to standard
/// output, from the level in `RUST_LOG` (default `info`). An error of the start is logged.
pub fn run(function: impl Future<Output = Result<(), Error>>) -> ExitCode {
    tracing_subscriber::fmt()
        .json()
        .with_current_span(false)
        .with_target(false)
        .without_time()
        .with_max_level(log_level(std::env::var("RUST_LOG").ok().as_deref()))
        .init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime
        .map_err(Error::from)
        .and_then(|runtime| runtime.block_on(function));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Answers invocations with `handle`, one after the other.
///
/// # Errors
/// If Lambda's Runtime API cannot be reached.
pub async fn serve<F>(handle: impl Fn(Invocation) -> F) -> Result<(), Error>
where
    F: Future<Output = Result<Value, Diagnostic>>,
{
    lambda_runtime::run(service_fn(|event| handle(Invocation::of(event)))).await
}

/// The response to a failed invocation: its kind, for filters of logs and alarms, and the messages of its errors.
pub fn failure(kind: &str, messages: impl IntoIterator<Item = String>) -> Diagnostic {
    let messages: Vec<_> = messages.into_iter().collect();
    Diagnostic {
        error_type: kind.to_owned(),
        error_message: messages.join("; "),
    }
}

/// The level of logs: a level for all modules, because filters by module would add a regular expression engine to each zip.
fn log_level(text: Option<&str>) -> LevelFilter {
    text.and_then(|text| text.trim().parse().ok())
        .unwrap_or(LevelFilter::INFO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_level_is_info_unless_valid() {
        for (text, level) in [
            (None, LevelFilter::INFO),
            (Some("loud"), LevelFilter::INFO),
            (Some("debug"), LevelFilter::DEBUG),
            (Some("WARN"), LevelFilter::WARN),
        ] {
            assert_eq!(log_level(text), level, "{text:?}");
        }
    }

    #[test]
    fn remaining_time_is_bounded_by_limit_of_lambda() {
        let remaining = |from_now: Duration| {
            let mut context = lambda_runtime::Context::default();
            let deadline = SystemTime::now() + from_now;
            let since_epoch = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            context.deadline = u64::try_from(since_epoch.as_millis()).unwrap();
            Invocation::of(LambdaEvent::new(Value::Null, context)).remaining
        };
        let minute = remaining(Duration::from_secs(60));
        assert!(
            minute > Duration::from_secs(50) && minute <= Duration::from_secs(60),
            "{minute:?}"
        );
        assert_eq!(remaining(Duration::from_secs(86_400)), MAX_DURATION);
        // An emulator without deadlines.
        let context = lambda_runtime::Context::default();
        assert_eq!(
            Invocation::of(LambdaEvent::new(Value::Null, context)).remaining,
            MAX_DURATION
        );
    }
}
