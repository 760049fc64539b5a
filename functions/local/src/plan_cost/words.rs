//! The bill as people read it, with what it rests on.

use portpulse_core::time::format_duration;
use portpulse_cost::{Alternative, Capacity, Endpoint, Fit, Line, MONTH};

use super::Plan;
use crate::output::counted;

impl Plan<'_> {
    pub(super) fn text(&self, name: &str) -> Vec<String> {
        let deployment = self.deployment;
        let monitors = deployment.file.monitors().len() as u64;
        let locations: Vec<_> = deployment.locations.iter().map(ToString::to_string).collect();
        let mut lines = vec![
            format!(
                "{name}: {} from {}: {}; the table in {}",
                counted(monitors, "monitor"),
                counted(locations.len() as u64, "location"),
                locations.join(", "),
                deployment.home
            ),
            String::new(),
            row(
                "A month",
                "quantity",
                "",
                "free",
                "USD for",
                "cost",
                "beyond free",
            ),
        ];
        lines.extend(self.bill.lines.iter().map(item));
        lines.push(row(
            "Together",
            "",
            "",
            "",
            "",
            &dollars(self.bill.usd),
            &dollars(self.bill.usd_beyond_free),
        ));
        lines.push(String::new());
        lines.push("The same monitors as Route 53 health checks:".to_owned());
        lines.extend(self.alternatives.iter().map(alternative));
        lines.push(String::new());
        lines.push("What this rests on:".to_owned());
        lines.extend(self.grounds().into_iter().map(|ground| format!("- {ground}")));
        lines
    }

    /// What the sums take for granted, in sentences.
    pub(super) fn grounds(&self) -> Vec<String> {
        let assumed = &self.assumptions;
        let longest = self
            .deployment
            .file
            .monitors()
            .iter()
            .map(|defined| defined.monitor.target().timeout)
            .max();
        let longest = longest.map_or_else(String::new, |longest| {
            format!(
                "; one in which something times out lasts up to {} more",
                format_duration(longest)
            )
        });
        let price_region = self
            .prices
            .of(portpulse_cost::Item::LambdaRequests)
            .region
            .as_str();
        let mut grounds = vec![
            format!(
                "Prices of {price_region}, read {} (infra/prices.json says where); other locations' differ.",
                self.prices.date()
            ),
            "What is free is an account's, each month, for all that runs in it.".to_owned(),
            format!("A month has {MONTH} hours, and in every tick all is well."),
            format!(
                "A tick, or another call, lasts {} on average{longest}.",
                format_duration(assumed.duration)
            ),
            format!(
                "A call logs {} bytes; each request to another location takes {} bytes beside its items, each tick {} to \
                 connect.",
                assumed.log_bytes, assumed.request_bytes, assumed.connection_bytes
            ),
            format!(
                "A service that is asked whether it is ready says {} bytes of itself, which are kept once an hour.",
                assumed.banner_bytes
            ),
            format!(
                "{} a month, each told twice: {} by email, {} by HTTPS{}.",
                counted(assumed.incidents, "incident"),
                assumed.emails,
                assumed.https,
                if assumed.sms > 0 {
                    format!(", {} by SMS of one part", assumed.sms)
                } else {
                    String::new()
                }
            ),
        ];
        if assumed.destinations > 0 {
            grounds.push(format!(
                "The relay tells {} of everything, and notes each.",
                counted(assumed.destinations, "destination")
            ));
        }
        if assumed.views > 0 {
            grounds.push(format!(
                "Each of {} at the status page reads 90 days anew, though those within 15 seconds, or of a \
                 public page within a minute, may share what was read, and brings {} bytes a monitor.",
                counted(assumed.views, "look"),
                assumed.view_bytes
            ));
        }
        grounds.push(self.left_out());
        grounds.push(self.fit());
        grounds
    }

    /// What is not in the sums.
    fn left_out(&self) -> String {
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
            "Not in it: {}, and the NAT gateway that a VPC may need.",
            parts.join(", ")
        )
    }

    /// Whether the units that are always free would do.
    fn fit(&self) -> String {
        let peak = &self.quantities.peak;
        let asked = format!(
            "at midnight it asks for {} write and {} read units at once, and {:.2} and {:.2} a second on average",
            quantity(peak.write_units),
            quantity(peak.read_units),
            peak.write_rate,
            peak.read_rate
        );
        let status = match peak.fit() {
            Fit::EachSecond => "25 of each are always free, and carry it even in one second",
            Fit::WithBurst => {
                "25 of each are always free, and carry it as far as DynamoDB lends what went unused in the five \
                 minutes before, which it does not promise"
            }
            Fit::No => "the 25 of each that are always free do not carry it: ticks would fail",
        };
        let mode = match self.deployment.capacity {
            Capacity::OnDemand => "With `capacity = \"always_free\"` instead",
            Capacity::AlwaysFree => "Provisioned",
        };
        format!("{mode}: {asked}; {status}.")
    }
}

fn item(line: &Line) -> String {
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
    let (usd, beyond) = (dollars(line.usd), dollars(line.usd_beyond_free));
    row(
        line.what,
        &quantity(line.quantity),
        &line.unit,
        &free,
        &price,
        &usd,
        &beyond,
    )
}

fn row(what: &str, quantity: &str, unit: &str, free: &str, price: &str, usd: &str, beyond: &str) -> String {
    format!("{what:<22} {quantity:>12} {unit:<25} {free:>11} {price:>18} {usd:>9} {beyond:>12}")
}

fn alternative(alternative: &Alternative) -> String {
    let place = match alternative.endpoint {
        Endpoint::Aws => "in AWS",
        Endpoint::Elsewhere => "elsewhere",
    };
    let options = if alternative.options > 0 {
        format!(", {} of them HTTPS", alternative.options)
    } else {
        String::new()
    };
    format!(
        "- all endpoints {place}: {} every 30 s{options}: {}; beyond what is free {}; every 10 s {}",
        counted(alternative.checks, "check"),
        dollars(alternative.usd),
        dollars(alternative.usd_beyond_free),
        dollars(alternative.usd_fast)
    )
}

fn dollars(usd: f64) -> String {
    format!("${usd:.2}")
}

/// With commas between thousands; below ten with two decimals, unless whole.
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
    fn quantities_are_read_at_a_glance() {
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
