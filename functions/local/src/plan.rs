//! `portpulse plan`: the detection times of a definitions file, and the monthly cost of deploying it.

mod detection_times;
mod fit;
mod locations;
mod report;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use portpulse_core::definition::{DefinitionFile, LocationSelector};
use portpulse_core::id::Location;
use portpulse_core::time::Interval;
use portpulse_cost::{
    Architecture, Assumptions, Bill, Capacity, Deployment, Endpoint, HealthCheckCost, Prices, Quantities,
    bill, health_checks,
};
use serde_json::{Value, json};

use crate::ExitStatus;
use crate::definitions::{DEFAULT_FILE, DefinitionFiles};
use crate::output::{CommandError, Output};
use crate::validate;
use locations::LocationsArg;

/// Show how soon outages are notified, and estimate the monthly cost of deploying a definitions file on AWS
///
/// The time from a failure to the published notification follows from interval, timeout, retries and thresholds. The cost is
/// also shown with shorter intervals.
///
/// Exit status: 0 estimated, 1 the file contains mistakes, 2 the file cannot be read, or invalid usage.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The definitions: files, folders of YAML files, or `-` for standard input
    #[arg(default_value = DEFAULT_FILE)]
    files: Vec<PathBuf>,

    /// The number of AWS regions, or a comma-separated list of them; the agents of the file are added
    #[arg(long, default_value = "3", value_name = "N|NAME,…")]
    locations: LocationsArg,

    /// The AWS region of the table [default: the first location]
    #[arg(long, value_name = "REGION")]
    home: Option<Location>,

    /// The capacity mode of DynamoDB
    #[arg(long, value_enum, default_value = "on_demand")]
    capacity: CapacityArg,

    /// The architecture of the Lambda functions
    #[arg(long, value_enum, default_value = "arm64")]
    architecture: ArchitectureArg,

    /// The memory of each Lambda function, in MB
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(128..=10_240))]
    memory: u32,

    /// The average duration of an invocation, in milliseconds
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=900_000))]
    duration_ms: u32,

    /// The number of incidents per month
    #[arg(long, default_value_t = 10)]
    incidents: u32,

    /// The number of email subscribers
    #[arg(long, default_value_t = 1)]
    emails: u32,

    /// The number of HTTPS subscribers
    #[arg(long, default_value_t = 0)]
    https: u32,

    /// The number of SMS subscribers
    #[arg(long, default_value_t = 0, requires = "sms_usd")]
    sms: u32,

    /// The price of one SMS in US dollars, which depends on the country
    #[arg(long, value_name = "USD", value_parser = price, requires = "sms")]
    sms_usd: Option<f64>,

    /// The number of destinations of the relay: Slack, PagerDuty, webhooks and others
    #[arg(long, default_value_t = 0)]
    destinations: u32,

    /// The number of status page views per month; an open page refreshes every minute
    #[arg(long, default_value_t = 0)]
    views: u32,

    /// Estimate without point-in-time recovery of the table
    #[arg(long)]
    no_recovery: bool,

    /// Assume that the checkers run in a VPC, with access to port 25, IPv6 and private addresses
    #[arg(long)]
    vpc: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The intervals whose costs are compared.
const SHORTER_INTERVALS: [Interval; 3] = [Interval::OneMinute, Interval::ThirtySeconds, Interval::TenSeconds];

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CapacityArg {
    /// Pay per request
    #[value(name = "on_demand")]
    OnDemand,
    /// Provisioned, within the 25 units of the free tier
    #[value(name = "always_free")]
    AlwaysFree,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ArchitectureArg {
    #[value(name = "arm64")]
    Arm64,
    #[value(name = "x86_64")]
    X86,
}

/// The estimate.
struct Plan<'a> {
    deployment: &'a Deployment<'a>,
    assumptions: Assumptions,
    quantities: Quantities,
    bill: Bill,
    prices: &'a Prices,
    alternatives: [HealthCheckCost; 2],
    /// The costs if no interval is longer than this.
    shorter: Vec<(Interval, Bill)>,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let definitions = DefinitionFiles::read(&args.files)?;
    let name = definitions.name();
    let file = match definitions.validate(validate::network_access(args.vpc)) {
        Ok(file) => file,
        Err(invalid) => return validate::print_mistakes(&name, &invalid, args.json, output),
    };
    let (locations, first) = args
        .locations
        .choose(&named(&file), file.agents(), args.home.as_ref())?;
    let home = args.home.clone().unwrap_or(first);
    let deployment = Deployment {
        file: &file,
        home: &home,
        locations: &locations,
        capacity: match args.capacity {
            CapacityArg::OnDemand => Capacity::OnDemand,
            CapacityArg::AlwaysFree => Capacity::AlwaysFree,
        },
        architecture: match args.architecture {
            ArchitectureArg::Arm64 => Architecture::Arm64,
            ArchitectureArg::X86 => Architecture::X86,
        },
        memory_mb: args.memory,
        recovery: !args.no_recovery,
    };
    let assumptions = Assumptions {
        duration: Duration::from_millis(args.duration_ms.into()),
        incidents: args.incidents,
        emails: args.emails,
        https: args.https,
        sms: args.sms,
        sms_usd: args.sms_usd.unwrap_or_default(),
        destinations: args.destinations,
        views: args.views,
        ..Assumptions::default()
    };
    let prices = Prices::current();
    let quantities = Quantities::of(&deployment, &assumptions);
    let plan = Plan {
        deployment: &deployment,
        assumptions,
        quantities,
        bill: bill(&deployment, &quantities, prices, assumptions.sms_usd),
        prices,
        alternatives: [Endpoint::Aws, Endpoint::Elsewhere]
            .map(|endpoint| health_checks(&file, endpoint, prices)),
        shorter: shorter(&deployment, &assumptions, prices),
    };
    match args.json {
        true => output.json(&plan.json(&name))?,
        false => output.lines(plan.text(&name))?,
    }
    Ok(ExitStatus::Success)
}

/// The costs with shorter intervals than those of the file, the longest first.
fn shorter(deployment: &Deployment<'_>, assumptions: &Assumptions, prices: &Prices) -> Vec<(Interval, Bill)> {
    let intervals = deployment.file.monitors().iter();
    let longest = intervals.map(|defined| defined.monitor.rule().interval).max();
    let shorter = SHORTER_INTERVALS.into_iter();
    let shorter = shorter.filter(|interval| longest.is_some_and(|longest| *interval < longest));
    let bill_of = |interval| {
        let file = deployment.file.at_most(interval);
        let deployment = Deployment {
            file: &file,
            ..deployment.clone()
        };
        let quantities = Quantities::of(&deployment, assumptions);
        let bill = bill(&deployment, &quantities, prices, assumptions.sms_usd);
        (interval, bill)
    };
    shorter.map(bill_of).collect()
}

/// Parses a price: a finite number, 0 or more.
fn price(text: &str) -> Result<f64, String> {
    let price = text.parse::<f64>().ok();
    let price = price.filter(|price| price.is_finite() && *price >= 0.0);
    price.ok_or_else(|| "expected a price in US dollars such as 0.05".to_owned())
}

/// The locations that monitors select by name.
fn named(file: &DefinitionFile) -> BTreeSet<Location> {
    let mut named = BTreeSet::new();
    for defined in file.monitors() {
        match &defined.monitor.rule().locations {
            LocationSelector::AllExcept(_) => {}
            LocationSelector::Only(locations) => named.extend(locations.iter().cloned()),
        }
    }
    named
}

impl Plan<'_> {
    fn json(&self, name: &str) -> Value {
        let deployment = self.deployment;
        json!({
            "file": name,
            "monitors": deployment.file.monitors().len(),
            "home": deployment.home,
            "locations": deployment.locations,
            "agents": deployment.file.agents(),
            "capacity": deployment.capacity,
            "architecture": deployment.architecture,
            "memory_mb": deployment.memory_mb,
            "quantities": self.quantities,
            "always_free_fits": self.quantities.peak.fit(),
            "lines": self.bill.lines,
            "usd": self.bill.usd,
            "usd_beyond_free": self.bill.usd_beyond_free,
            "detection": self.detection_json(),
            "shorter_intervals": self.shorter.iter().map(|(interval, bill)| json!({
                "interval": interval.as_str(),
                "usd": bill.usd,
                "usd_beyond_free": bill.usd_beyond_free,
            })).collect::<Vec<_>>(),
            "health_checks": self.alternatives,
            "prices_read": self.prices.date(),
            "assumptions": self.assumption_lines(),
        })
    }
}
