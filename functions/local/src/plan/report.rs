//! The estimate as text, with its assumptions.

use portpulse_core::id::Location;
use portpulse_core::time::format_duration;
use portpulse_cost::{Capacity, Endpoint, Fit, HOURS_PER_MONTH, HealthCheckCost, Line};

use super::Plan;
use super::fit::misfit_line;
use crate::output::count_of;
use crate::text_table::{self, Cell};

impl Plan<'_> {
    pub(super) fn text(&self, name: &str) -> Vec<String> {
        let deployment = self.deployment;
        let monitors = deployment.file.monitors().len() as u64;
        let name_of = |location: &Location| match deployment.is_agent(location) {
            true => format!("{location} (agent)"),
            false => location.to_string(),
        };
        let locations: Vec<_> = deployment.locations.iter().map(name_of).collect();
        let mut lines = vec![
            format!(
                "{name}: {} in {}: {}; table in {}",
                count_of(monitors, "monitor"),
                count_of(locations.len() as u64, "location"),
                locations.join(", "),
                deployment.home
            ),
            String::new(),
        ];
        lines.extend(self.detection_lines());
        lines.push(String::new());
        lines.extend(self.bill_table());
        lines.push(String::new());
        if !self.shorter.is_empty() {
            lines.push("With a shorter interval of all monitors:".to_owned());
            lines.extend(self.shorter.iter().map(|(interval, bill)| {
                format!(
                    "- at most {interval}: {}; beyond free tier {}",
                    dollars(bill.usd),
                    dollars(bill.usd_beyond_free)
                )
            }));
            let shorter = self.shorter.iter();
            lines.extend(shorter.filter_map(|(interval, _)| misfit_line(deployment.file, *interval)));
            lines.push(String::new());
        }
        lines.push("The same monitors as Route 53 health checks:".to_owned());
        lines.extend(self.alternatives.iter().map(alternative));
        lines.push(String::new());
        lines.push("Assumptions:".to_owned());
        let assumptions = self.assumption_lines().into_iter();
        lines.extend(assumptions.map(|assumption| format!("- {assumption}")));
        lines
    }

    fn bill_table(&self) -> Vec<String> {
        let titles = [
            "Monthly cost",
            "quantity",
            "",
            "free",
            "USD for",
            "cost",
            "beyond free",
        ];
        let total = [dollars(self.bill.usd), dollars(self.bill.usd_beyond_free)];
        let total = ["Total", "", "", "", ""]
            .map(str::to_owned)
            .into_iter()
            .chain(total)
            .collect();
        let rows = self.bill.lines.iter().map(item).chain([total]);
        let right = |(column, text): (usize, String)| match column {
            0 | 2 => Cell::new(text),
            _ => Cell::new(text).right(),
        };
        let rows = rows.map(|row: Vec<String>| row.into_iter().enumerate().map(right).collect());
        text_table::titled(&titles, rows.collect())
    }

    /// The assumptions of the estimate, one sentence each.
    pub(super) fn assumption_lines(&self) -> Vec<String> {
        let assumed = &self.assumptions;
        let maximum = self
            .deployment
            .file
            .monitors()
            .iter()
            .map(|defined| defined.monitor.target().timeout)
            .max();
        let maximum = maximum.map_or_else(String::new, |maximum| {
            format!(", and up to {} more if checks time out", format_duration(maximum))
        });
        let price_region = self
            .prices
            .of(portpulse_cost::Item::LambdaRequests)
            .region
            .as_str();
        let mut assumption_lines = vec![
            format!(
                "Prices are those of {price_region} as of {} (sources in infra/prices.json); prices in other regions differ.",
                self.prices.date()
            ),
            "Free tier amounts apply per account and month, to all its workloads.".to_owned(),
            format!("A month has {HOURS_PER_MONTH} hours, and all checks are successful."),
            format!(
                "An invocation takes {} on average{maximum}; with an interval below 1m, it lasts until the last check of \
                 its minute.",
                format_duration(assumed.duration)
            ),
            format!(
                "An invocation logs {} bytes; a request to another region transfers {} bytes plus its items, and each \
                 invocation {} bytes to connect.",
                assumed.log_bytes, assumed.request_bytes, assumed.connection_bytes
            ),
            format!(
                "A readiness check returns a banner of {} bytes, which is stored once per hour.",
                assumed.banner_bytes
            ),
            format!(
                "{} per month with two notifications each: {} by email, {} by HTTPS{}.",
                count_of(assumed.incidents, "incident"),
                assumed.emails,
                assumed.https,
                if assumed.sms > 0 {
                    format!(", {} by SMS (one part each)", assumed.sms)
                } else {
                    String::new()
                }
            ),
        ];
        if assumed.destinations > 0 {
            assumption_lines.push(format!(
                "The relay sends all notifications to {}, and records each delivery.",
                count_of(assumed.destinations, "destination")
            ));
        }
        if !self.deployment.file.agents().is_empty() {
            assumption_lines.push(
                "An agent runs on a machine of your own: it costs reads, writes and data transfer, and no Lambda time, logs and alarms."
                    .to_owned(),
            );
        }
        if assumed.views > 0 {
            assumption_lines.push(format!(
                "Each of {} of the status page reads 90 days of history (views within 15 seconds, or one minute for \
                 a public page, can share a read) and transfers {} bytes per monitor.",
                count_of(assumed.views, "view"),
                assumed.view_bytes
            ));
        }
        assumption_lines.push(self.exclusions());
        assumption_lines.push(self.fit());
        assumption_lines
    }

    /// The costs that the estimate does not include.
    fn exclusions(&self) -> String {
        let assumed = &self.assumptions;
        let unless = |count: u32, what: &'static str| (count == 0).then_some(what);
        let parts = [
            Some("`terraform apply`"),
            unless(assumed.destinations, "the relay (--destinations)"),
            unless(assumed.views, "the status page (--views)"),
            unless(assumed.sms, "SMS (--sms)"),
            Some("secrets in Secrets Manager"),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        format!(
            "Not included: {}, and a NAT gateway if a VPC needs one.",
            parts.join(", ")
        )
    }

    /// Whether the always-free capacity is sufficient.
    fn fit(&self) -> String {
        let peak = &self.quantities.peak;
        let load = format!(
            "the peak in a minute is {} write and {} read units, the average {:.2} and {:.2} per second",
            quantity(peak.write_units),
            quantity(peak.read_units),
            peak.write_rate,
            peak.read_rate
        );
        let status = match peak.fit() {
            Fit::EachSecond => {
                "the 25 free units of each are sufficient, even if the peak falls within one second"
            }
            Fit::WithBurst => {
                "the 25 free units of each are sufficient with burst capacity (unused capacity of the last five \
                 minutes), which DynamoDB does not guarantee"
            }
            Fit::No => "the 25 free units of each are not sufficient: checks would be lost",
        };
        let mode = match self.deployment.capacity {
            Capacity::OnDemand => "With `capacity = \"always_free\"`",
            Capacity::AlwaysFree => "Provisioned capacity",
        };
        format!("{mode}: {load}; {status}.")
    }
}

fn item(line: &Line) -> Vec<String> {
    let free = if line.free > 0.0 {
        quantity(line.free)
    } else {
        "-".to_owned()
    };
    let price = if line.per > 1.0 {
        format!("{} / {}", line.price, quantity(line.per))
    } else {
        line.price.to_string()
    };
    vec![
        line.what.to_owned(),
        quantity(line.quantity),
        line.unit.to_string(),
        free,
        price,
        dollars(line.usd),
        dollars(line.usd_beyond_free),
    ]
}

fn alternative(alternative: &HealthCheckCost) -> String {
    let location = match alternative.endpoint {
        Endpoint::Aws => "in AWS",
        Endpoint::Elsewhere => "outside AWS",
    };
    let options = if alternative.options > 0 {
        format!(", {} of them HTTPS", alternative.options)
    } else {
        String::new()
    };
    format!(
        "- endpoints {location}: {} every 30 s{options}: {}; beyond free tier {}; every 10 s {}",
        count_of(alternative.checks, "check"),
        dollars(alternative.usd),
        dollars(alternative.usd_beyond_free),
        dollars(alternative.usd_fast)
    )
}

fn dollars(usd: f64) -> String {
    format!("${usd:.2}")
}

/// A number with thousands separators; below 10 with two decimals, unless whole.
fn quantity(quantity: f64) -> String {
    if quantity < 10.0 && quantity.fract() > 0.0 {
        return format!("{quantity:.2}");
    }
    let digits = format!("{quantity:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::quantity;

    #[test]
    fn quantities_have_separators_and_few_decimals() {
        for (number, text) in [
            (0.0, "0"),
            (0.004, "0.00"),
            (2.5, "2.50"),
            (9.0, "9"),
            (131.4, "131"),
            (1_000.0, "1,000"),
            (131_400.0, "131,400"),
            (12_345_678.9, "12,345,679"),
        ] {
            assert_eq!(quantity(number), text);
        }
    }
}
