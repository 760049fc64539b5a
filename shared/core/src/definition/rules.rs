//! The rules that turn one raw definition into a monitor, or into every fault it has.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::fields::{Given, RawMonitor};
use super::{Fault, FieldPath, Monitor, Quorum, Rule, Telling, Vantage, Where};
use crate::choice::{CheckKind, CloseMode, Expect, IpFamily, Severity, Tier};
use crate::group::GroupId;
use crate::id::{MonitorId, Region};
use crate::maintenance::RawWindow;
use crate::preset::{self, Fields};
use crate::target::{Check, Host, Service, Target};
use crate::time::{Interval, format_duration, parse_duration};

/// Where a definition comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The definitions file.
    File,
    /// An item in the table, which carries what the file's other parts say of this monitor.
    Item,
}

/// One definition to be validated, with its surroundings.
pub(super) struct Draft<'a> {
    pub(super) id: &'a str,
    pub(super) at: FieldPath,
    pub(super) own: &'a Value,
    /// The file's `defaults:`, and where they stand.
    pub(super) defaults: &'a Fields,
    pub(super) source: Source,
    pub(super) vantage: Vantage,
}

/// The shortest timeout that can tell a slow answer from none.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(100);
/// The longest: what has not answered by then is down, and a tick must end.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);

impl Draft<'_> {
    /// Applies every rule.
    ///
    /// Precedence of a field: the monitor's own, the file's defaults, the tier's, the service's, the built-in one.
    pub(super) fn validate(self) -> Result<Monitor, Vec<Fault>> {
        let Value::Object(own) = self.own else {
            let mend = "write it as `id: { host: …, port: … }`";
            return Err(vec![Fault::new(self.at, "is not a map of fields", mend)]);
        };
        let mut reader = Reader {
            at: self.at.clone(),
            own,
            defaults: self.defaults,
            faults: Vec::new(),
        };
        let (service, tier) = reader.chosen_presets();
        let mut merged = preset::default().clone();
        let layers = [
            service.map(preset::service),
            tier.map(preset::tier),
            Some(self.defaults),
            Some(own),
        ];
        for (name, value) in layers.into_iter().flatten().flatten() {
            merged.insert(name.clone(), value.clone());
        }
        match serde_json::from_value(Value::Object(merged)) {
            Ok(raw) => self.monitor(raw, service, reader),
            Err(error) => {
                let mend = "correct the field that is named";
                Err(vec![Fault::new(
                    self.at,
                    format!("cannot be read: {error}"),
                    mend,
                )])
            }
        }
    }

    fn monitor(
        self,
        raw: RawMonitor,
        service: Option<Service>,
        mut reader: Reader<'_>,
    ) -> Result<Monitor, Vec<Fault>> {
        let r = &mut reader;
        r.unknown_fields(&raw, self.source);
        let id = r.parsed::<MonitorId>(self.id);
        let host = r.required(
            "host",
            raw.host,
            "write the DNS name or address to watch",
            |text: String| Host::from_str(&text),
        );
        let port = r.required(
            "port",
            raw.port,
            "write a port, or a `service` that has one",
            number(1..=65_535),
        );
        let interval = r.word::<Interval>("interval", raw.interval);
        let timeout = r.optional("timeout", raw.timeout, timeout);
        let slow_after = r.optional("slow_after", raw.slow_after, |text: String| parse_duration(&text));
        let expect = r.word::<Expect>("expect", raw.expect);
        let check = r.word::<CheckKind>("check", raw.check);
        let close = r.word::<CloseMode>("close", raw.close);
        let ip = r.word::<IpFamily>("ip", raw.ip);
        let severity = r.word::<Severity>("severity", raw.severity);
        let failures_to_open = r.optional("failures_to_open", raw.failures_to_open, number(1..=10));
        let successes_to_close = r.optional("successes_to_close", raw.successes_to_close, number(1..=10));
        let quorum = r.optional("quorum", raw.quorum, number(1..=100));
        let regions = r.optional("regions", raw.regions, regions);
        let tags = r.optional("tags", raw.tags, tags);
        let runbook = r.optional("runbook", raw.runbook, runbook);
        let depends_on = r.optional("depends_on", raw.depends_on, |ids: Vec<String>| {
            parse_all::<MonitorId>(&ids)
        });
        let groups = r.optional("depends_on_groups", raw.depends_on_groups, parent_groups);
        let enabled = r.optional("enabled", raw.enabled, Ok::<bool, String>);
        let remind_every = r.optional("remind_every", raw.remind_every, reminder);
        let maintenance = r.windows(raw.maintenance);

        r.timeout_fits(timeout, slow_after, interval);
        r.quorum_fits(quorum, regions.as_ref());
        r.family_fits(host.as_ref(), ip);
        if self.vantage == Vantage::PlainLambda {
            r.reachable_from_lambda(host.as_ref(), port, ip);
        }
        let check = r.check(check, expect, close, service, port);
        if let (Some(id), Some(parents)) = (&id, &depends_on)
            && parents.contains(id)
        {
            r.fault(
                "depends_on",
                "names the monitor itself",
                "name what stands in front of it, or leave it out",
            );
        }
        if !reader.faults.is_empty() {
            return Err(reader.faults);
        }
        let mut groups = groups.unwrap_or_default();
        let made = (|| {
            let rule = Rule {
                interval: interval?,
                expect: expect?,
                slow_after,
                failures_to_open: failures_to_open?,
                successes_to_close: successes_to_close?,
                quorum: quorum.map_or(Quorum::Majority, Quorum::AtLeast),
                regions: regions.map_or(Where::Everywhere, Where::Only),
            };
            let depends_on = depends_on.unwrap_or_default().into_iter();
            let telling = Telling {
                severity: severity?,
                tags: tags.unwrap_or_default(),
                runbook,
                depends_on: depends_on
                    .map(|id| {
                        let group = groups.remove(&id);
                        (id, group)
                    })
                    .collect(),
                remind_every,
                maintenance,
            };
            let port = u16::try_from(port?).ok()?;
            let target = Target {
                host: host?,
                port,
                ip: ip?,
                timeout: timeout?,
                check: check?,
            };
            Some(Monitor {
                id: id?,
                service,
                enabled: enabled.unwrap_or(true),
                target,
                rule,
                telling,
            })
        })();
        // Every field above is either there or has left a fault; the presets see to the rest.
        made.ok_or_else(|| {
            vec![Fault::new(
                self.at,
                "lacks a value that no preset gives",
                "name every field",
            )]
        })
    }
}

/// Reads fields one by one and gathers what is wrong.
struct Reader<'a> {
    at: FieldPath,
    own: &'a Fields,
    defaults: &'a Fields,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    /// The place where the user wrote this field: in the monitor, in `defaults:`, or (for a preset) nowhere.
    fn place(&self, field: &str) -> FieldPath {
        if !self.own.contains_key(field) && self.defaults.contains_key(field) {
            FieldPath::root().field("defaults").field(field)
        } else {
            self.at.field(field)
        }
    }

    fn wrote(&self, field: &str) -> bool {
        self.own.contains_key(field) || self.defaults.contains_key(field)
    }

    fn fault(&mut self, field: &str, what: impl Into<String>, mend: impl Into<String>) {
        let at = self.place(field);
        self.faults.push(Fault::new(at, what, mend));
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, id: &str) -> Option<T> {
        match id.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                self.faults
                    .push(Fault::new(self.at.clone(), error.to_string(), "rename it"));
                None
            }
        }
    }

    fn optional<T, U, E: Display>(
        &mut self,
        field: &str,
        given: Option<Given<T>>,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Option<U> {
        match given? {
            Given::Right(value) => match parse(value) {
                Ok(value) => Some(value),
                Err(error) => {
                    let (what, mend) = split_mend(&error.to_string(), field);
                    self.fault(field, what, mend);
                    None
                }
            },
            Given::Wrong(value) => {
                self.fault(
                    field,
                    format!("is {}", kind_of(&value)),
                    format!("write {}", wanted(field)),
                );
                None
            }
        }
    }

    fn required<T, U, E: Display>(
        &mut self,
        field: &str,
        given: Option<Given<T>>,
        mend: &str,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Option<U> {
        if given.is_none() {
            self.fault(field, "is missing", mend);
        }
        self.optional(field, given, parse)
    }

    fn word<T: FromStr<Err: Display>>(&mut self, field: &str, given: Option<Given<String>>) -> Option<T> {
        self.optional(field, given, |text: String| text.parse::<T>())
    }

    /// The service and tier that were asked for; they decide what the other fields default to.
    fn chosen_presets(&mut self) -> (Option<Service>, Option<Tier>) {
        let given = |field: &str| {
            let value = self.own.get(field).or_else(|| self.defaults.get(field))?;
            (!value.is_null()).then(|| match value.as_str() {
                Some(word) => Given::Right(word.to_owned()),
                None => Given::Wrong(value.clone()),
            })
        };
        let (service, tier) = (given("service"), given("tier"));
        (self.word("service", service), self.word("tier", tier))
    }

    fn unknown_fields(&mut self, raw: &RawMonitor, source: Source) {
        for name in raw.unknown.keys() {
            let mend = match RawMonitor::nearest_field(name) {
                Some(field) => format!("did you mean `{field}`?"),
                None => format!("known fields: {}", RawMonitor::FIELDS.join(", ")),
            };
            self.fault(name, "is not a field of a monitor", mend);
        }
        if source == Source::File && raw.maintenance.is_some() {
            self.fault(
                "maintenance",
                "does not stand inside a monitor",
                "write it at the top of the file",
            );
        }
        if source == Source::File && raw.depends_on_groups.is_some() {
            self.fault("depends_on_groups", "is not a field of a monitor", "leave it out");
        }
    }

    fn windows(&mut self, given: Option<Given<Vec<Value>>>) -> Vec<crate::maintenance::Window> {
        let values = self
            .optional("maintenance", given, Ok::<Vec<Value>, String>)
            .unwrap_or_default();
        let at = self.place("maintenance");
        let mut windows = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let at = at.index(index);
            match RawWindow::read(value, &at)
                .map_err(|fault| vec![fault])
                .and_then(|raw| raw.validate(&at))
            {
                Ok(window) => windows.push(window),
                Err(faults) => self.faults.extend(faults),
            }
        }
        windows
    }

    fn timeout_fits(
        &mut self,
        timeout: Option<Duration>,
        slow_after: Option<Duration>,
        interval: Option<Interval>,
    ) {
        let Some(timeout) = timeout else { return };
        if let Some(interval) = interval.filter(|interval| timeout >= interval.length()) {
            let what = format!(
                "{} is not below the interval of {interval}",
                format_duration(timeout)
            );
            self.fault("timeout", what, "shorten it, or check less often");
        }
        if let Some(slow) = slow_after.filter(|slow| *slow >= timeout) {
            let what = format!(
                "{} is not below the timeout of {}",
                format_duration(slow),
                format_duration(timeout)
            );
            self.fault(
                "slow_after",
                what,
                "a check that slow has already failed: lower it",
            );
        }
    }

    fn quorum_fits(&mut self, quorum: Option<u32>, regions: Option<&BTreeSet<Region>>) {
        if let (Some(quorum), Some(regions)) = (quorum, regions)
            && usize::try_from(quorum).is_ok_and(|quorum| quorum > regions.len())
        {
            let what = format!("{quorum} can never be met by {} regions", regions.len());
            self.fault("quorum", what, "lower it, or name more regions");
        }
    }

    fn family_fits(&mut self, host: Option<&Host>, ip: Option<IpFamily>) {
        let wrong = match (host, ip) {
            (Some(Host::Address(IpAddr::V4(_))), Some(IpFamily::V6)) => "an IPv4 address",
            (Some(Host::Address(IpAddr::V6(_))), Some(IpFamily::V4)) => "an IPv6 address",
            _ => return,
        };
        self.fault(
            "ip",
            format!("excludes the host, which is {wrong}"),
            "leave `ip` out",
        );
    }

    fn reachable_from_lambda(&mut self, host: Option<&Host>, port: Option<u32>, ip: Option<IpFamily>) {
        let vpc = "check it from regions that have a VPC";
        if port == Some(25) {
            let what = "25 is blocked by AWS for a Lambda outside a VPC";
            self.fault("port", what, format!("use port 587 or 465, or {vpc}"));
        }
        if ip == Some(IpFamily::V6) {
            self.fault(
                "ip",
                "v6 cannot be reached by a Lambda outside a VPC",
                format!("use v4, or {vpc}"),
            );
        }
        match host {
            Some(Host::Address(IpAddr::V6(_))) => {
                self.fault(
                    "host",
                    "is an IPv6 address, which a Lambda outside a VPC cannot reach",
                    format!("use IPv4, or {vpc}"),
                );
            }
            Some(Host::Address(IpAddr::V4(address)))
                if address.is_private()
                    || address.is_loopback()
                    || address.is_link_local()
                    || address.is_unspecified() =>
            {
                self.fault(
                    "host",
                    "is a private address, which a Lambda outside a VPC cannot reach",
                    vpc,
                );
            }
            _ => {}
        }
    }

    /// Which check is made: the one asked for, as far as the expectation and the service allow it.
    fn check(
        &mut self,
        kind: Option<CheckKind>,
        expect: Option<Expect>,
        close: Option<CloseMode>,
        service: Option<Service>,
        port: Option<u32>,
    ) -> Option<Check> {
        let (kind, expect, close) = (kind?, expect?, close?);
        let asked = self.wrote("check");
        match (kind, expect) {
            (CheckKind::Ready, Expect::Closed | Expect::Reachable) if asked => {
                self.fault(
                    "check",
                    format!("ready does not go with expect: {expect}"),
                    "use check: connect",
                );
                return None;
            }
            // A service brings `ready` along; what is expected closed has nobody to talk to.
            (CheckKind::Ready, Expect::Open) => {
                let Some(service) = service else {
                    self.fault("check", "ready needs to know the service", "add `service`");
                    return None;
                };
                if close == CloseMode::Quiet {
                    let what = "quiet ends a connection before the service sees it, so nothing can be asked";
                    self.fault("close", what, "use check: connect with it, or leave it out");
                    return None;
                }
                return Some(Check::Ready(service));
            }
            (CheckKind::Ready, _) | (CheckKind::Connect, _) => {}
        }
        let mysql = port == Some(3306) || matches!(service, Some(Service::Mysql | Service::Mariadb));
        if mysql && close == CloseMode::Fin && expect != Expect::Closed {
            let field = if asked { "check" } else { "port" };
            let what = "MySQL and MariaDB ban a client that connects and hangs up";
            self.fault(
                field,
                what,
                "add service: mysql with check: ready, or close: quiet",
            );
            return None;
        }
        Some(Check::Connect(close))
    }
}

fn number(range: std::ops::RangeInclusive<u32>) -> impl FnOnce(i64) -> Result<u32, String> {
    move |value| {
        let number = u32::try_from(value).ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("{value} is not from {} to {}", range.start(), range.end()))
    }
}

fn timeout(text: String) -> Result<Duration, String> {
    let timeout = parse_duration(&text).map_err(|error| error.to_string())?;
    if timeout < SHORTEST_TIMEOUT || timeout > LONGEST_TIMEOUT {
        return Err(format!("{text} is not from 100ms to 30s"));
    }
    Ok(timeout)
}

fn reminder(text: String) -> Result<Duration, String> {
    let every = parse_duration(&text).map_err(|error| error.to_string())?;
    if every < Duration::from_secs(300) {
        return Err(format!("{text} is less than 5m"));
    }
    Ok(every)
}

fn parse_all<T: FromStr<Err: Display> + Ord>(texts: &[String]) -> Result<BTreeSet<T>, String> {
    texts
        .iter()
        .map(|text| text.parse::<T>().map_err(|error| error.to_string()))
        .collect()
}

fn regions(texts: Vec<String>) -> Result<BTreeSet<Region>, String> {
    if texts.is_empty() {
        return Err(
            "is empty, so nobody would check it: name at least one region, or leave it out".to_owned(),
        );
    }
    parse_all(&texts)
}

fn tags(tags: Vec<String>) -> Result<Vec<String>, String> {
    if tags.len() > 20 {
        return Err(format!("has {} entries: keep to 20", tags.len()));
    }
    for tag in &tags {
        let good = (1..=64).contains(&tag.len())
            && tag
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '='));
        if !good {
            return Err(format!(
                "`{}` is not a tag: use 1 to 64 letters, digits and -_.:/=",
                tag.escape_debug()
            ));
        }
    }
    Ok(tags)
}

fn runbook(url: String) -> Result<String, String> {
    let good = (url.starts_with("https://") || url.starts_with("http://"))
        && url.len() <= 500
        && url
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b'`'));
    if good {
        Ok(url)
    } else {
        Err("is not a link: write an http:// or https:// address of at most 500 characters".to_owned())
    }
}

fn parent_groups(given: BTreeMap<String, String>) -> Result<BTreeMap<MonitorId, GroupId>, String> {
    let parse = |(id, group): (&String, &String)| {
        let id = id
            .parse()
            .map_err(|error: crate::id::BadName| error.to_string())?;
        let group = group
            .parse()
            .map_err(|error: crate::group::BadGroup| error.to_string())?;
        Ok((id, group))
    };
    given.iter().map(parse).collect()
}

/// Splits `what: mend` as parsers write it; without a mend, says what the field wants.
fn split_mend(message: &str, field: &str) -> (String, String) {
    match message.split_once(": ") {
        Some((what, mend)) => (what.to_owned(), mend.to_owned()),
        None => (message.to_owned(), format!("write {}", wanted(field))),
    }
}

/// What a field takes, for the mend.
fn wanted(field: &str) -> &'static str {
    match field {
        "port" => "a whole number from 1 to 65535",
        "failures_to_open" | "successes_to_close" => "a whole number from 1 to 10",
        "quorum" => "a whole number of regions, at least 1",
        "timeout" => "a duration from 100ms to 30s",
        "slow_after" => "a duration such as 200ms",
        "remind_every" => "a duration of at least 5m",
        "regions" => "a list such as [eu-west-1, us-east-1]",
        "tags" | "depends_on" => "a list such as [one, two]",
        "maintenance" => "a list of windows",
        "depends_on_groups" => "a map of monitor ids to groups",
        "enabled" => "true or false",
        "interval" => "one of 1m, 2m, 5m, 10m, 15m, 30m, 1h",
        _ => "one of the words that the documentation lists, as text",
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false, not what belongs here",
        Value::Number(_) => "a number, not what belongs here",
        Value::String(_) => "text, not what belongs here",
        Value::Array(_) => "a list, not what belongs here",
        Value::Object(_) => "a map, not what belongs here",
    }
}
