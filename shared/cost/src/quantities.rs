//! Monthly usage of a deployment, if all checks succeed except during the assumed incidents.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portpulse_core::definition::{Defined, DefinitionFile};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::rollup::RollupDelay;
use portpulse_core::schedule::SCHEDULE_PERIOD;
use portpulse_store::item_sizes;
use serde::Serialize;

use crate::banners::BannersCost;
use crate::capacity::{Capacity, FREE_UNITS, MinuteLoads, Peak};
use crate::relayed::RelayedCost;
use crate::rollup::{RollupCost, Spread};
use crate::tick::{TickCost, as_quantity};
use crate::view::ViewCost;

/// The hours of a month, as AWS calculates.
pub const HOURS_PER_MONTH: f64 = 730.0;
/// The CloudWatch alarms per region: checker silent, and checker failing.
pub const ALARMS_PER_REGION: u32 = 2;
/// The CloudWatch alarms of the relay: undelivered notifications, and relay failing.
const ALARMS_OF_RELAY: f64 = 2.0;

/// The memory of the relay, and the default memory of the status page, in MB.
const RELAY_MEMORY_MB: u32 = 128;
const PAGE_MEMORY_MB: u32 = 128;
/// The retention of results, and of phase times by hour.
const RESULT_DAYS: f64 = 35.0;
/// The retention of rollups.
const ROLLUP_DAYS: f64 = 400.0;
const DAYS_PER_MONTH: f64 = HOURS_PER_MONTH / 24.0;
const SECONDS_PER_HOUR: f64 = 3600.0;
/// The bytes of a GB, as DynamoDB, Lambda and CloudWatch calculate.
const BYTES_PER_GB: f64 = (1u64 << 30) as f64;
/// The overhead that DynamoDB adds to the size of each item for storage billing.
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
const ITEM_OVERHEAD_BYTES: usize = 100;

/// The deployment whose costs are estimated.
#[derive(Debug, Clone)]
pub struct Deployment<'a> {
    /// The definition file.
    pub file: &'a DefinitionFile,
    /// The region of the table; need not be one of the checking locations.
    pub home: &'a Location,
    /// The locations that check: AWS regions, and agents that the file declares.
    pub locations: &'a BTreeSet<Location>,
    /// The capacity mode of the table.
    pub capacity: Capacity,
    /// The CPU architecture of the Lambda functions.
    pub architecture: Architecture,
    /// The memory of the checker in MB.
    pub memory_mb: u32,
    /// Whether point-in-time recovery is enabled.
    pub recovery: bool,
}

impl Deployment<'_> {
    /// Whether a location is an agent, which runs on a machine of the user: it costs no Lambda time, logs and alarms.
    pub fn is_agent(&self, location: &Location) -> bool {
        self.file.agents().contains(location)
    }
}

/// The CPU architecture of Lambda functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Architecture {
    /// Graviton.
    #[serde(rename = "arm64")]
    Arm64,
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86,
}

/// Assumptions about usage that is not in the definition file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assumptions {
    /// The average billed duration of an invocation.
    pub duration: Duration,
    /// Incidents per month; each sends two notifications, when it opens and when it closes.
    pub incidents: u32,
    /// The number of email recipients.
    pub emails: u32,
    /// The number of HTTPS subscribers.
    pub https: u32,
    /// The number of SMS recipients; each message is one part.
    pub sms: u32,
    /// The price of one SMS in US dollars; depends on the country.
    pub sms_usd: f64,
    /// The number of relay destinations; 0 means no relay.
    pub destinations: u32,
    /// Views of the status page per month, without caching.
    pub views: u32,
    /// The response size of a view, in bytes per monitor.
    pub view_bytes: u32,
    /// Log bytes per invocation: the lines START, END and REPORT of Lambda.
    pub log_bytes: u32,
    /// The number of histogram buckets per phase and monitor, which rollups store.
    pub spread: Spread,
    /// The length of a banner in bytes; recorded once an hour.
    pub banner_bytes: usize,
    /// The bytes that headers and signatures add to each request and response.
    pub request_bytes: u32,
    /// The bytes of a new TLS connection, once per tick.
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

/// Monthly quantities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantities {
    /// Ticks of all groups in all locations.
    pub ticks: f64,
    /// Lambda invocations: of checkers (with an interval below a minute one a minute), relayed notifications and views of the status page.
    pub invocations: f64,
    /// DynamoDB write units.
    pub write_units: f64,
    /// DynamoDB read units.
    pub read_units: f64,
    /// Unit-hours of provisioned write capacity, and the same of read capacity; 0 on demand.
    pub capacity_hours: f64,
    /// The size of the table in GB, once as much expires as is added.
    pub storage_gb: f64,
    /// The billed size of point-in-time recovery in GB.
    pub recovery_gb: f64,
    /// Lambda time by memory, in GB-seconds.
    pub gb_seconds: f64,
    /// CloudWatch logs in GB.
    pub log_gb: f64,
    /// CloudWatch alarms.
    pub alarms: f64,
    /// SNS publish requests.
    pub publishes: f64,
    /// SNS deliveries by email.
    pub emails: f64,
    /// SNS deliveries by HTTPS.
    pub https: f64,
    /// SNS deliveries by SMS.
    pub sms: f64,
    /// Data transfer to the internet: the status page, and all traffic of agents, of which AWS bills only one direction; in GB.
    pub internet_gb: f64,
    /// Data transfer between the home region and other regions, in GB.
    pub transfer_gb: f64,
    /// The peak load of the table in one minute.
    pub peak: Peak,
}

impl Quantities {
    /// Calculates the monthly usage of a deployment.
    pub fn of(deployment: &Deployment<'_>, assumptions: &Assumptions) -> Self {
        let file = deployment.file.with_agents_excluded();
        let mut groups: BTreeMap<GroupId, Vec<&Defined>> = BTreeMap::new();
        for defined in file.monitors() {
            groups.entry(defined.group).or_default().push(defined);
        }
        let mut totals = Totals::default();
        for (group, definitions) in &groups {
            totals.add_group(*group, definitions, deployment, assumptions);
        }
        let seconds = HOURS_PER_MONTH * SECONDS_PER_HOUR;
        let notified = f64::from(assumptions.incidents) * 2.0;
        let destinations = f64::from(assumptions.destinations);
        let relays = f64::from(assumptions.destinations.min(1));
        let (relayed, views) = (notified * relays, f64::from(assumptions.views));
        let incidents = f64::from(assumptions.incidents);
        totals.write_units += incidents * destinations * RelayedCost::WRITE_UNITS;
        totals.read_units += incidents * destinations * RelayedCost::READ_UNITS;
        if assumptions.views > 0 {
            let view = ViewCost::of(&file, deployment.locations, assumptions.spread);
            totals.read_units += views * view.read_units;
        }
        let view_bytes = f64::from(assumptions.view_bytes) * as_quantity(deployment.file.monitors().len());
        let is_region = |location: &&Location| !deployment.is_agent(location);
        let regions = deployment.locations.iter().filter(is_region).count();
        let storage_gb = totals.stored / BYTES_PER_GB;
        let (peak_write_units, peak_read_units) = totals.loads.peak();
        let invocations = totals.invocations + relayed + views;
        let gb = |memory_mb: u32| f64::from(memory_mb) / 1024.0;
        let others = relayed * gb(RELAY_MEMORY_MB) + views * gb(PAGE_MEMORY_MB);
        let gb_seconds =
            totals.seconds * gb(deployment.memory_mb) + others * assumptions.duration.as_secs_f64();
        Self {
            ticks: totals.ticks,
            invocations,
            write_units: totals.write_units,
            read_units: totals.read_units,
            capacity_hours: match deployment.capacity {
                Capacity::OnDemand => 0.0,
                Capacity::AlwaysFree => FREE_UNITS * HOURS_PER_MONTH,
            },
            storage_gb,
            recovery_gb: if deployment.recovery { storage_gb } else { 0.0 },
            gb_seconds,
            log_gb: invocations * f64::from(assumptions.log_bytes) / BYTES_PER_GB,
            alarms: f64::from(ALARMS_PER_REGION) * as_quantity(regions) + ALARMS_OF_RELAY * relays,
            publishes: notified,
            emails: notified * f64::from(assumptions.emails),
            https: notified * f64::from(assumptions.https),
            sms: notified * f64::from(assumptions.sms),
            internet_gb: (views * view_bytes + totals.to_agents) / BYTES_PER_GB,
            transfer_gb: totals.transferred / BYTES_PER_GB,
            peak: Peak {
                write_units: peak_write_units,
                read_units: peak_read_units,
                write_rate: totals.write_units / seconds,
                read_rate: totals.read_units / seconds,
            },
        }
    }
}

/// The usage of one group in one location.
struct LocationCost {
    /// Ticks per month.
    ticks: f64,
    /// The ticks of an invocation: those of a minute, or one.
    ticks_per_invocation: f64,
    /// Invocations per month; an agent reads the definitions as often.
    invocations: f64,
    /// The billed time of an invocation in seconds.
    seconds: f64,
    tick: TickCost,
    hour: RollupCost,
    day: RollupCost,
    banners: Option<BannersCost>,
}

impl LocationCost {
    fn of(
        group: GroupId,
        definitions: &[&Defined],
        location: &Location,
        expected: &BTreeSet<Location>,
        assumptions: &Assumptions,
    ) -> Self {
        let tick = TickCost::of(group, definitions, location, expected);
        let spread = assumptions.spread;
        let interval = group.interval.length().as_secs_f64();
        let ticks = HOURS_PER_MONTH * SECONDS_PER_HOUR / interval;
        let period = SCHEDULE_PERIOD.as_secs_f64();
        let (ticks_per_invocation, waiting) = if group.interval.is_below_minute() {
            // The invocation waits for the last tick of its minute.
            (period / interval, period - interval)
        } else {
            (1.0, 0.0)
        };
        Self {
            ticks,
            ticks_per_invocation,
            invocations: ticks / ticks_per_invocation,
            seconds: waiting + assumptions.duration.as_secs_f64(),
            hour: RollupCost::of_hour(group, definitions, location, &tick, spread),
            day: RollupCost::of_day(group, definitions, location, spread),
            banners: BannersCost::of(group, definitions, location, assumptions.banner_bytes),
            tick,
        }
    }

    /// The bytes per month between this location and the table.
    fn transferred_bytes(&self, assumptions: &Assumptions) -> f64 {
        let overhead = |requests: u32| f64::from(assumptions.request_bytes) * f64::from(requests);
        let of_tick = as_quantity(self.tick.read_bytes + self.tick.written_bytes)
            + overhead(TickCost::REQUESTS - TickCost::REQUESTS_FOR_DEFINITIONS);
        let of_invocation = as_quantity(self.tick.definition_bytes)
            + overhead(TickCost::REQUESTS_FOR_DEFINITIONS)
            + f64::from(assumptions.connection_bytes);
        let of_rollup = |rollup: &RollupCost| rollup.bytes + overhead(rollup.requests);
        let of_banners = |banners: &BannersCost| banners.bytes + overhead(banners.requests);
        self.ticks * of_tick
            + self.invocations * of_invocation
            + HOURS_PER_MONTH * of_rollup(&self.hour)
            + DAYS_PER_MONTH * of_rollup(&self.day)
            + HOURS_PER_MONTH * self.banners.as_ref().map_or(0.0, of_banners)
    }
}

#[derive(Default)]
struct Totals {
    ticks: f64,
    invocations: f64,
    /// The billed time of checkers.
    seconds: f64,
    write_units: f64,
    read_units: f64,
    stored: f64,
    /// The bytes between the home region and other regions.
    transferred: f64,
    /// The bytes between the home region and agents.
    to_agents: f64,
    loads: MinuteLoads,
}

impl Totals {
    /// Adds a group: its definitions, and its ticks, rollups and banners in every location.
    fn add_group(
        &mut self,
        group: GroupId,
        definitions: &[&Defined],
        deployment: &Deployment<'_>,
        assumptions: &Assumptions,
    ) {
        for defined in definitions {
            self.store(item_sizes::definition(defined).stored, 1.0);
        }
        // An agent reads only groups with monitors that name it.
        let has_own = |agent: &Location| definitions.iter().any(|defined| defined.monitor.names(agent));
        let locations = deployment.locations.iter();
        let expected: BTreeSet<Location> = locations
            .filter(|location| !deployment.is_agent(location) || has_own(location))
            .cloned()
            .collect();
        for location in &expected {
            self.store(item_sizes::expectation(group, location).stored, 1.0);
            let cost = LocationCost::of(group, definitions, location, &expected, assumptions);
            self.add_location(&cost);
            self.add_loads(&cost, group, RollupDelay::of(group, location, &expected));
            let transferred = cost.transferred_bytes(assumptions);
            if deployment.is_agent(location) {
                self.to_agents += transferred;
                continue;
            }
            self.invocations += cost.invocations;
            self.seconds += cost.invocations * cost.seconds;
            if location != deployment.home {
                self.transferred += transferred;
            }
        }
    }

    /// Adds the ticks, rollups and banners of a group in one location.
    fn add_location(&mut self, cost: &LocationCost) {
        self.ticks += cost.ticks;
        self.write_units += cost.ticks * cost.tick.write_units;
        self.read_units +=
            cost.ticks * cost.tick.read_units + cost.invocations * cost.tick.definition_read_units;
        self.store(cost.tick.stored_bytes, cost.ticks * RESULT_DAYS / DAYS_PER_MONTH);
        for (rollup, per_month, others_days) in [
            (&cost.hour, HOURS_PER_MONTH, RESULT_DAYS),
            (&cost.day, DAYS_PER_MONTH, ROLLUP_DAYS),
        ] {
            self.add(rollup.write_units, rollup.read_units, per_month);
            self.store(rollup.stored_bytes, per_month * ROLLUP_DAYS / DAYS_PER_MONTH);
            if let Some(bytes) = rollup.phases_bytes {
                self.store(bytes, per_month * others_days / DAYS_PER_MONTH);
            }
        }
        if let Some(banners) = &cost.banners {
            self.add(banners.write_units, banners.read_units, HOURS_PER_MONTH);
            self.store(banners.stored_bytes, 1.0);
        }
    }

    fn add(&mut self, write_units: f64, read_units: f64, per_month: f64) {
        self.write_units += per_month * write_units;
        self.read_units += per_month * read_units;
    }

    /// Adds the ticks, rollups and banners of a group in one location in the hour after midnight.
    fn add_loads(&mut self, cost: &LocationCost, group: GroupId, delay: RollupDelay) {
        let ticks = cost.ticks_per_invocation;
        self.loads.add_ticks(
            group.interval,
            ticks * cost.tick.write_units,
            ticks * cost.tick.read_units + cost.tick.definition_read_units,
        );
        for (delay, rollup) in [(delay.hour, &cost.hour), (delay.day, &cost.day)] {
            self.loads
                .add(delay.as_mins(), rollup.write_units, rollup.read_units);
        }
        if let Some(banners) = &cost.banners {
            let minute = delay.hour.as_mins();
            self.loads.add(minute, banners.write_units, banners.read_units);
        }
    }

    fn store(&mut self, bytes: usize, items: f64) {
        self.stored += items * as_quantity(bytes + ITEM_OVERHEAD_BYTES);
    }
}

#[cfg(test)]
mod tests;
