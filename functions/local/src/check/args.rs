//! The arguments of `portpulse check`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use portpulse_core::choice::Expect;
use portpulse_core::service::Service;
use portpulse_core::time::parse_duration;

use super::exchange_options::ExchangeOptions;

/// Check ports once, now, without a table
///
/// Prints each result as soon as it is known. The progress and a summary go to standard error; Ctrl-C stops the checks.
///
/// Exit status: 0 every result is as expected, 1 at least one result is not as expected or has no data, 2 invalid usage or
/// an error, 130 interrupted.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The targets, or URLs such as `https://shop.example.com/up` or `ping://router.example.com`; the port is optional with
    /// --service, and an IPv6 address requires brackets
    ///
    /// With --monitors: the ids of the monitors to check [default: all enabled monitors].
    #[arg(value_name = "HOST:PORT")]
    pub(super) targets: Vec<String>,

    /// Check the monitors of these definitions, files or folders, with all their settings; repeatable
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["file", "service", "timeout", "ExchangeOptions"]
    )]
    pub(super) monitors: Vec<PathBuf>,

    /// Read more targets from this file, one per line, with `#` comments; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,

    /// The timeout of one check, all phases included, such as 500ms or 5s [default: the service's, or 5s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(super) timeout: Option<Duration>,

    /// The service of the targets: sets the default port and runs the readiness check of its protocol
    #[arg(long, value_parser = choice_parser(Service::ALL, Service::as_str))]
    pub(super) service: Option<Service>,

    /// The expected result: an open port, a closed port, or any response of the host
    #[arg(long, default_value = "open", value_parser = choice_parser(Expect::ALL, Expect::as_str))]
    pub(super) expect: Expect,

    /// The directory that replaces Parameter Store and Secrets Manager: `ssm:/shop/token` is read from `DIR/ssm/shop/token`
    #[arg(long, value_name = "DIR", requires = "monitors")]
    pub(super) secrets: Option<PathBuf>,

    #[command(flatten)]
    pub(super) exchange_options: ExchangeOptions,

    /// Print one JSON object per line
    #[arg(long)]
    pub(super) json: bool,
}

/// Parses one of a fixed set of values, and lists them in the help text.
fn choice_parser<T>(all: &'static [T], as_str: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + std::str::FromStr<Err: std::error::Error + Send + Sync> + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.iter().map(move |one| as_str(*one))).try_map(|word| word.parse::<T>())
}
