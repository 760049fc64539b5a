//! The effective values of a monitor as text, and where each comes from.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;

use super::field::Field;
use super::layers::Origin;
use super::monitor::{LocationSelector, Monitor, Quorum, Visibility};
use crate::choice::Expect;
use crate::readiness::{Protocol, Readiness, Tls};
use crate::target::Check;
use crate::time::format_duration;

/// The effective value of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// The field.
    pub field: Field,
    /// The value as text.
    pub text: String,
    /// The value as written; `None` if no layer sets the field, so that the program implies it.
    pub value: Option<Value>,
    /// The layer that sets the field.
    pub origin: Option<Origin>,
}

impl Monitor {
    /// The effective value of a field as text; `None` if the field has no effect on this monitor, or no value.
    pub fn effective(&self, field: Field) -> Option<String> {
        let (target, rule, policy, about) = (self.target(), self.rule(), self.alert_policy(), self.about());
        let duration = |length: Option<Duration>| length.map(format_duration);
        let readiness = match &target.check {
            Check::Connect(_) | Check::Ping => None,
            Check::Ready(readiness) => Some(readiness),
        };
        match field {
            Field::Host => Some(target.host.to_string()),
            Field::Port => {
                let port = target.port.filter(|_| !target.host.is_srv());
                port.map(|port| port.to_string())
            }
            // A file expands these into monitors.
            Field::Hosts | Field::Ports => None,
            Field::Service => self.service().map(|service| service.to_string()),
            Field::Ip => Some(target.ip.to_string()),
            Field::Enabled => Some(self.is_enabled().to_string()),
            Field::Name => about.name.clone(),
            Field::Description => about.description.clone(),
            Field::Group => about.group.clone(),
            Field::Public => Some((about.visibility == Visibility::Public).to_string()),
            Field::Objective => about.objective.map(|objective| objective.to_string()),
            Field::Tags => joined(policy.tags.iter().cloned()),
            Field::Runbook => policy.runbook.clone(),
            Field::Tier => self.tier().map(|tier| tier.to_string()),
            Field::Interval => Some(rule.interval.to_string()),
            Field::Timeout => Some(format_duration(target.timeout)),
            Field::Retries | Field::RetryInterval if rule.expect == Expect::Closed => None,
            Field::Retries => Some(rule.retry.count.to_string()),
            Field::RetryInterval => (rule.retry.count > 0).then(|| format_duration(rule.retry.interval)),
            Field::SlowAfter => duration(rule.slow_after),
            Field::SlowerThan => duration(rule.slower_than),
            Field::FailSlowerThan => duration(target.fail_slower_than),
            Field::Check => Some(match &target.check {
                Check::Connect(_) => "connect".to_owned(),
                Check::Ready(readiness) => format!("ready ({readiness})"),
                Check::Ping => "ping".to_owned(),
            }),
            // A ping always expects a reply.
            Field::Expect => (target.check != Check::Ping).then(|| rule.expect.to_string()),
            Field::Close => match &target.check {
                Check::Connect(close) => Some(close.to_string()),
                Check::Ready(_) | Check::Ping => None,
            },
            Field::Tls => readiness.map(tls_text),
            Field::Insecure => readiness
                .filter(|readiness| readiness.tls() != Tls::Off)
                .map(|readiness| readiness.is_insecure().to_string()),
            Field::WarnDays => readiness
                .filter(|readiness| readiness.tls() != Tls::Off && !readiness.is_insecure())
                .map(|readiness| readiness.warn_days().to_string()),
            Field::Ehlo => readiness?.client_name().map(ToString::to_string),
            Field::Http => match readiness?.protocol() {
                Protocol::Http(http) => Some(http.to_string()),
                Protocol::WebSocket(path) => Some(format!("GET {path}")),
                Protocol::Simple(_) | Protocol::Dns(_) | Protocol::Script(_) | Protocol::TlsAlone => None,
            },
            Field::Dns => {
                let Protocol::Dns(dns) = readiness?.protocol() else {
                    return None;
                };
                let name = if dns.name().is_empty() { "." } else { dns.name() };
                Some(format!("{name} {}, {}", dns.record_type(), dns.transport()))
            }
            Field::Script => {
                let Protocol::Script(script) = readiness?.protocol() else {
                    return None;
                };
                Some(format!("{} steps", script.steps().len()))
            }
            Field::FailuresToOpen => Some(rule.failures_to_open.to_string()),
            Field::SuccessesToClose => Some(rule.successes_to_close.to_string()),
            Field::Locations => Some(match &rule.locations {
                LocationSelector::AllExcept(_) => "all".to_owned(),
                LocationSelector::Only(locations) => {
                    joined(locations.iter().map(ToString::to_string)).unwrap_or_default()
                }
            }),
            Field::Quorum => Some(match rule.quorum {
                Quorum::Majority => "majority".to_owned(),
                Quorum::AtLeast(count) => count.to_string(),
            }),
            Field::Severity => Some(policy.severity.to_string()),
            Field::RemindEvery => duration(policy.remind_every),
            Field::EscalateAfter => duration(policy.escalate_after),
            Field::FlappingAfter => policy.flapping_after.as_ref().map(NonZeroU32::to_string),
            Field::DependsOn => joined(policy.depends_on.keys().map(ToString::to_string)),
            Field::Maintenance => match policy.maintenance.len() {
                0 => None,
                count => Some(windows_text(count)),
            },
            // Internal: the shard of each parent.
            Field::DependsOnGroups => None,
        }
    }
}

/// `1 window`, `2 windows`.
pub(super) fn windows_text(count: usize) -> String {
    format!("{count} window{}", if count == 1 { "" } else { "s" })
}

fn tls_text(readiness: &Readiness) -> String {
    let start = match readiness.tls() {
        Tls::Off => "false",
        Tls::Implicit => "true",
        Tls::Upgrade => "starttls",
    };
    let mut text = start.to_owned();
    if let Some(name) = readiness.tls_name() {
        text.push_str(&format!(", name {name}"));
    }
    if readiness.client_certificate().is_some() {
        text.push_str(", client certificate");
    }
    text
}

fn joined(words: impl Iterator<Item = String>) -> Option<String> {
    let words: Vec<_> = words.collect();
    (!words.is_empty()).then(|| words.join(", "))
}
