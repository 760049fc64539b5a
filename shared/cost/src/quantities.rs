//! How much of everything a deployment uses a month, when all is well but for the incidents that are assumed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portpulse_core::definition::{Defined, DefinitionFile};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_store::layout;
use serde::Serialize;

use crate::banners::BannersCost;
use crate::capacity::{Capacity, FREE_UNITS, Peak};
use crate::relayed::RelayedCost;
use crate::rollup::{RollupCost, Spread};
use crate::tick::{TickCost, whole};
use crate::view::ViewCost;

/// The hours of a month, as AWS reckons.
pub const MONTH: f64 = 730.0;
/// The alarms that each region has: that its checker is silent, and that it fails.
pub const ALARMS_PER_REGION: u32 = 2;

/// The memory of the relay, and of the status page unless it is set to another, in MB.
const RELAY_MEMORY_MB: u32 = 128;
const PAGE_MEMORY_MB: u32 = 128;
/// How long results are kept, and the phases of an hour but the connect.
const RESULT_DAYS: f64 = 35.0;
/// How long rollups are kept.
const ROLLUP_DAYS: f64 = 400.0;
const DAYS: f64 = MONTH / 24.0;
const HOUR: f64 = 3600.0;
/// Bytes of a GB, as DynamoDB, Lambda and CloudWatch reckon.
const GIB: f64 = (1u64 << 30) as f64;
/// What DynamoDB adds to each item's size where it bills storage.
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
const STORED_WITH_EACH: usize = 100;

/// Where checks are made from, and how it is all paid for.
#[derive(Debug, Clone)]
pub struct Deployment<'a> {
    /// What is watched.
    pub file: &'a DefinitionFile,
    /// Where the table is; it need not be one that checks.
    pub home: &'a Location,
    /// Where checks are made from.
    pub locations: &'a BTreeSet<Location>,
    /// How DynamoDB is paid for.
    pub capacity: Capacity,
    /// What the Lambdas run on.
    pub architecture: Architecture,
    /// A Lambda's memory in MB.
    pub memory_mb: u32,
    /// Whether the table can be restored to any second.
    pub recovery: bool,
}

/// What Lambdas run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Architecture {
    /// Graviton.
    #[serde(rename = "arm64")]
    Arm64,
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86,
}

/// What no definitions file can tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assumptions {
    /// How long a tick, or another call, lasts on average, as Lambda bills it.
    pub duration: Duration,
    /// How many incidents there are a month; each is told when it opens and when it closes.
    pub incidents: u32,
    /// How many are told by email.
    pub emails: u32,
    /// How many are told by HTTPS.
    pub https: u32,
    /// How many are told by SMS, each message in one part.
    pub sms: u32,
    /// What one SMS costs, in US dollars; its price is that of the country.
    pub sms_usd: f64,
    /// How many destinations the relay tells; without any there is no relay.
    pub destinations: u32,
    /// How often somebody looks at the status page; each look is read anew.
    pub views: u32,
    /// What a look brings, in bytes for each monitor.
    pub view_bytes: u32,
    /// What one tick, or another call, writes to its log, in bytes: Lambda's own START, END and REPORT.
    pub log_bytes: u32,
    /// Into how many buckets the times of a monitor's phases fall, which is what rollups keep of them.
    pub spread: Spread,
    /// How long what a service says of itself is, in bytes; kept once an hour.
    pub banner_bytes: usize,
    /// What headers and signatures add to each request and its answer, in bytes.
    pub request_bytes: u32,
    /// What a new TLS connection costs once a tick, in bytes.
    pub connection_bytes: u32,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(1),
            incidents: 10,
            emails: 1,
            https: 0,
            sms: 0,
            sms_usd: 0.0,
            destinations: 0,
            views: 0,
            view_bytes: 2_400,
            spread: Spread::default(),
            log_bytes: 400,
            banner_bytes: 60,
            request_bytes: 1_500,
            connection_bytes: 6_000,
        }
    }
}

/// How much of everything a month.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantities {
    /// Ticks of all groups in all regions.
    pub ticks: f64,
    /// What Lambda is called for: ticks, what is relayed, and looks at the status page.
    pub invocations: f64,
    /// DynamoDB's write units.
    pub write_units: f64,
    /// DynamoDB's read units.
    pub read_units: f64,
    /// The hours of provisioned write units, and as many of read units; 0 on demand.
    pub capacity_hours: f64,
    /// What the table holds once nothing more is added to it than expires, in GB.
    pub storage_gb: f64,
    /// The part of it that recovery is paid for, in GB.
    pub recovery_gb: f64,
    /// Lambda's time by memory.
    pub gb_seconds: f64,
    /// What goes to CloudWatch's logs, in GB.
    pub log_gb: f64,
    /// CloudWatch's alarms.
    pub alarms: f64,
    /// What is published to SNS.
    pub publishes: f64,
    /// What SNS sends by email.
    pub emails: f64,
    /// What SNS sends by HTTPS.
    pub https: f64,
    /// What SNS sends by SMS.
    pub sms: f64,
    /// What goes to those who look at the status page, in GB.
    pub internet_gb: f64,
    /// What goes between the home region and the others, in GB.
    pub transfer_gb: f64,
    /// What is asked of the table at midnight.
    pub peak: Peak,
}

impl Quantities {
    /// What this deployment uses.
    pub fn of(deployment: &Deployment<'_>, assumptions: &Assumptions) -> Self {
        let mut groups: BTreeMap<GroupId, Vec<&Defined>> = BTreeMap::new();
        for defined in deployment.file.monitors() {
            groups.entry(defined.group).or_default().push(defined);
        }
        let mut sum = Sum::default();
        for (group, definitions) in &groups {
            sum.stored += definitions
                .iter()
                .map(|defined| whole(layout::definition(defined).stored + STORED_WITH_EACH))
                .sum::<f64>();
            let a_month = MONTH * HOUR / group.interval.length().as_secs_f64();
            for location in deployment.locations {
                sum.stored += whole(layout::expectation(*group, location).stored + STORED_WITH_EACH);
                let tick = TickCost::of(*group, definitions, location, deployment.locations);
                let spread = assumptions.spread;
                let hour = RollupCost::of_hour(*group, definitions, location, &tick, spread);
                let day = RollupCost::of_day(*group, definitions, location, spread);
                sum.ticks += a_month;
                sum.add(tick.write_units, tick.read_units, a_month);
                sum.keep(tick.kept_bytes, a_month * RESULT_DAYS / DAYS);
                for (rollup, a_month, others_days) in [(&hour, MONTH, RESULT_DAYS), (&day, DAYS, ROLLUP_DAYS)]
                {
                    sum.add(rollup.write_units, rollup.read_units, a_month);
                    sum.keep(rollup.kept_bytes, a_month * ROLLUP_DAYS / DAYS);
                    if let Some(bytes) = rollup.others_kept_bytes {
                        sum.keep(bytes, a_month * others_days / DAYS);
                    }
                }
                let banners = BannersCost::of(*group, definitions, location, assumptions.banner_bytes);
                if let Some(banners) = &banners {
                    sum.add(banners.write_units, banners.read_units, MONTH);
                    sum.keep(banners.kept_bytes, 1.0);
                }
                if location != deployment.home {
                    let around = f64::from(assumptions.request_bytes);
                    let of_tick = whole(tick.read_bytes + tick.written_bytes)
                        + around * f64::from(TickCost::REQUESTS)
                        + f64::from(assumptions.connection_bytes);
                    let of_rollup = |rollup: &RollupCost| rollup.bytes + around * f64::from(rollup.requests);
                    let of_words =
                        |banners: &BannersCost| banners.bytes + around * f64::from(banners.requests);
                    sum.transferred += a_month * of_tick + MONTH * of_rollup(&hour) + DAYS * of_rollup(&day);
                    sum.transferred += MONTH * banners.as_ref().map_or(0.0, of_words);
                }
            }
        }
        let seconds = MONTH * HOUR;
        let notified = f64::from(assumptions.incidents) * 2.0;
        let destinations = f64::from(assumptions.destinations);
        let relays = f64::from(assumptions.destinations.min(1));
        let (relayed, views) = (notified * relays, f64::from(assumptions.views));
        let incidents = f64::from(assumptions.incidents);
        sum.write_units += incidents * destinations * RelayedCost::WRITE_UNITS;
        sum.read_units += incidents * destinations * RelayedCost::READ_UNITS;
        if assumptions.views > 0 {
            let view = ViewCost::of(deployment.file, deployment.locations, assumptions.spread);
            sum.read_units += views * view.read_units;
        }
        let view_bytes = f64::from(assumptions.view_bytes) * whole(deployment.file.monitors().len());
        let storage_gb = sum.stored / GIB;
        let invocations = sum.ticks + relayed + views;
        let gb = |memory_mb: u32| f64::from(memory_mb) / 1024.0;
        let memory =
            sum.ticks * gb(deployment.memory_mb) + relayed * gb(RELAY_MEMORY_MB) + views * gb(PAGE_MEMORY_MB);
        Self {
            ticks: sum.ticks,
            invocations,
            write_units: sum.write_units,
            read_units: sum.read_units,
            capacity_hours: match deployment.capacity {
                Capacity::OnDemand => 0.0,
                Capacity::AlwaysFree => FREE_UNITS * MONTH,
            },
            storage_gb,
            recovery_gb: if deployment.recovery { storage_gb } else { 0.0 },
            gb_seconds: memory * assumptions.duration.as_secs_f64(),
            log_gb: invocations * f64::from(assumptions.log_bytes) / GIB,
            alarms: f64::from(ALARMS_PER_REGION) * whole(deployment.locations.len()) + relays,
            publishes: notified,
            emails: notified * f64::from(assumptions.emails),
            https: notified * f64::from(assumptions.https),
            sms: notified * f64::from(assumptions.sms),
            internet_gb: views * view_bytes / GIB,
            transfer_gb: sum.transferred / GIB,
            peak: Peak {
                write_units: sum.at_once_written,
                read_units: sum.at_once_read,
                write_rate: sum.write_units / seconds,
                read_rate: sum.read_units / seconds,
            },
        }
    }
}

#[derive(Default)]
struct Sum {
    ticks: f64,
    write_units: f64,
    read_units: f64,
    stored: f64,
    transferred: f64,
    at_once_written: f64,
    at_once_read: f64,
}

impl Sum {
    fn add(&mut self, write_units: f64, read_units: f64, a_month: f64) {
        self.write_units += a_month * write_units;
        self.read_units += a_month * read_units;
        self.at_once_written += write_units;
        self.at_once_read += read_units;
    }

    fn keep(&mut self, bytes: usize, items: f64) {
        self.stored += items * whole(bytes + STORED_WITH_EACH);
    }
}

#[cfg(test)]
mod tests;
