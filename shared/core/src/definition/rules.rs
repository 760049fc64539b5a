//! Validates one raw definition: returns a monitor, or a diagnostic for each mistake.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;

use super::check::{Options, RequestedCheck};
use super::context::{NetworkAccess, Source};
use super::diagnostic::{Diagnostic, FieldPath};
use super::field::{Field, Values};
use super::help::Help;
use super::locations;
use super::monitor::{About, AlertPolicy, LocationSelector, Monitor, Quorum, Rule, Visibility};
use super::options::TlsChoice;
use super::reader::{Defaults, Reader, json_bytes_above};
use crate::address::is_public;
use crate::choice::{CheckKind, IpFamily};
use crate::id::Location;
use crate::preset::Fields;
use crate::readiness::HttpCheck;
use crate::target::{Host, Target};
use crate::time::format_duration;

/// The maximum size of a monitor's own fields and the file's defaults together, in bytes of JSON without spaces. The
/// size of an item is limited, and the item also holds maintenance windows and parent groups.
pub const MAX_DEFINITION_BYTES: usize = 128 * 1024;

/// One unvalidated definition with its context.
pub(super) struct Draft<'a> {
    pub(super) id: &'a str,
    pub(super) at: FieldPath,
    pub(super) own: &'a Value,
    /// The file's `defaults:`.
    pub(super) defaults: &'a Defaults<'a>,
    pub(super) source: Source,
    pub(super) network_access: NetworkAccess,
    /// The locations that the file declares; `None` if every name is possible.
    pub(super) agents: Option<&'a BTreeSet<Location>>,
    /// The fields whose value is the entry of a list that makes several monitors, with the index of the entry.
    pub(super) expanded: &'a [(Field, usize)],
}

impl<'a> Draft<'a> {
    /// Applies all rules.
    pub(super) fn validate(self) -> Result<Monitor, Vec<Diagnostic>> {
        let Value::Object(own) = self.own else {
            let (what, help) = match (Field::named(self.id), self.own) {
                (Some(_), _) if self.source == Source::File => (
                    "is a field of a monitor, not a monitor",
                    "indent it, so that it is below the id of its monitor",
                ),
                (_, Value::Null) if self.source == Source::File => (
                    "is empty",
                    "write the fields of the monitor below it, indented, or as `id: { host: …, port: … }`",
                ),
                _ => ("is not a map of fields", "write it as `id: { host: …, port: … }`"),
            };
            return Err(vec![Diagnostic::new(self.at, what, help)]);
        };
        if self.source == Source::File
            && let Some(bytes) = json_bytes_above(MAX_DEFINITION_BYTES, own, self.defaults)
        {
            let help = format!("use at most {MAX_DEFINITION_BYTES}, including the defaults");
            return Err(vec![Diagnostic::new(self.at, format!("has {bytes} bytes"), help)]);
        }
        let mut reader = self.reader(own);
        reader.names();
        let values = Values::read(&mut reader);
        self.monitor(values, reader)
    }

    pub(super) fn reader(&self, own: &'a Fields) -> Reader<'a> {
        Reader::new(self.at.clone(), own, self.defaults, self.source, self.expanded)
    }

    fn monitor(self, mut values: Values, mut reader: Reader<'_>) -> Result<Monitor, Vec<Diagnostic>> {
        let r = &mut reader;
        let is_ping = values.check == Some(CheckKind::Ping);
        let id = r.id(self.id);
        r.required(Field::Host, "write the DNS name or address to watch");
        if is_ping {
            r.reduce_to_ping(&mut values);
        } else if values.host.as_ref().is_some_and(Host::is_srv) {
            r.srv_fits();
            r.secrets_have_a_named_server(values.http.as_ref(), values.tls.as_ref());
        } else if values.service.is_some() || !r.wrote(Field::Service) {
            // An unknown service, which may set the port, already has a diagnostic.
            r.required(Field::Port, Help::AddPort);
        }
        let retry = r.retry(&values);
        let locations = values.locations.map(BTreeSet::from_iter);
        r.below_timeout(Field::SlowAfter, values.slow_after, values.timeout);
        r.below_timeout(Field::SlowerThan, values.slower_than, values.timeout);
        r.below_timeout(Field::FailSlowerThan, values.fail_slower_than, values.timeout);
        r.warns_before_it_fails(values.slower_than, values.fail_slower_than);
        r.locations_fit(values.quorum, locations.as_ref());
        if let Some(agents) = self.agents {
            locations::check(r, agents);
        }
        r.family_fits(values.host.as_ref(), values.ip);
        // Agents are on networks of the user.
        let is_declared = |location: &Location| self.agents.is_some_and(|agents| agents.contains(location));
        let has_lambda = locations
            .as_ref()
            .is_none_or(|locations| !locations.iter().all(is_declared));
        if is_ping {
            r.locations_can_ping(locations.as_ref(), self.network_access);
        } else if self.network_access == NetworkAccess::PlainLambda && has_lambda {
            r.reachable_from_lambda(values.host.as_ref(), values.port, values.ip);
        }
        if self.network_access == NetworkAccess::PlainLambda {
            r.secrets_are_in_aws(values.http.as_ref(), values.tls.as_ref());
        }
        let check = r.check(RequestedCheck {
            kind: values.check,
            expect: values.expect,
            close: values.close,
            service: values.service,
            port: values.port,
            options: Options {
                tls: values.tls,
                insecure: values.insecure,
                warn_days: values.warn_days,
                ehlo: values.ehlo,
                http: values.http,
                dns: values.dns,
                script: values.script,
            },
        });
        if let (Some(id), Some(parents)) = (&id, &values.depends_on)
            && let Some(index) = parents.iter().position(|parent| parent == id)
        {
            let at = r.place(Field::DependsOn).index(index);
            let what = "a monitor cannot depend on itself";
            r.diagnostics.push(Diagnostic::new(at, what, "remove this entry"));
        }
        if !reader.diagnostics.is_empty() {
            return Err(reader.diagnostics);
        }
        let made = (|| {
            let rule = Rule {
                interval: values.interval?,
                expect: values.expect?,
                slow_after: values.slow_after,
                slower_than: values.slower_than,
                retry: retry?,
                failures_to_open: values.failures_to_open?,
                successes_to_close: values.successes_to_close?,
                quorum: values.quorum.map_or(Quorum::Majority, Quorum::AtLeast),
                locations: locations.map_or_else(
                    || LocationSelector::AllExcept(BTreeSet::new()),
                    LocationSelector::Only,
                ),
            };
            let parents = values.depends_on.unwrap_or_default().into_iter();
            let mut groups = values.depends_on_groups.unwrap_or_default();
            let alert_policy = AlertPolicy {
                severity: values.severity?,
                tags: values.tags.unwrap_or_default(),
                runbook: values.runbook,
                depends_on: parents
                    .map(|id| {
                        let group = groups.remove(&id);
                        (id, group)
                    })
                    .collect(),
                remind_every: values.remind_every,
                escalate_after: values.escalate_after,
                flapping_after: values.flapping_after.and_then(NonZeroU32::new),
                maintenance: values.maintenance.unwrap_or_default(),
            };
            let about = About {
                name: values.name,
                description: values.description,
                group: values.group,
                visibility: match values.public {
                    Some(false) => Visibility::Internal,
                    Some(true) | None => Visibility::Public,
                },
                objective: values.objective,
            };
            let target = Target {
                host: values.host?,
                port: match is_ping {
                    true => None,
                    false => Some(u16::try_from(values.port?).ok()?),
                },
                ip: values.ip?,
                timeout: values.timeout?,
                fail_slower_than: values.fail_slower_than,
                check: check?,
            };
            Some(Monitor {
                id: id?,
                tier: values.tier,
                service: values.service,
                enabled: values.enabled.unwrap_or(true),
                about,
                target,
                rule,
                alert_policy,
            })
        })();
        // Each missing value above already has a diagnostic, or a preset provides it.
        made.ok_or_else(|| {
            vec![Diagnostic::new(
                self.at,
                "a required field has no value and no preset",
                "set every field",
            )]
        })
    }
}

/// Whether a name, with or without its final dot, is of the machine itself (RFC 6761, section 6.3).
fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

impl Reader<'_> {
    /// Adds a diagnostic unless a limit is less than the timeout, after which a check fails anyway.
    fn below_timeout(&mut self, field: Field, limit: Option<Duration>, timeout: Option<Duration>) {
        let (Some(limit), Some(timeout)) = (limit, timeout) else {
            return;
        };
        if limit >= timeout {
            let (limit, timeout) = (format_duration(limit), format_duration(timeout));
            let help = format!("reduce `{}`: a check this slow times out", field.name());
            self.diagnostic(
                field,
                format!("{limit} is not below the timeout of {timeout}"),
                help,
            );
        }
    }

    /// Adds a diagnostic if a check fails before it can be slow.
    fn warns_before_it_fails(&mut self, slow: Option<Duration>, fails: Option<Duration>) {
        let (Some(slow), Some(fails)) = (slow, fails) else {
            return;
        };
        if slow >= fails {
            let (slow, fails) = (format_duration(slow), format_duration(fails));
            let what = format!("{slow} is not below the `fail_slower_than` of {fails}");
            let help = "reduce `slower_than`: a check this slow fails";
            self.diagnostic(Field::SlowerThan, what, help);
        }
    }

    /// Adds a diagnostic for each secret that a Lambda function cannot read.
    fn secrets_are_in_aws(&mut self, http: Option<&HttpCheck>, tls: Option<&TlsChoice>) {
        let of_request = http.into_iter().flat_map(|http| http.content().secrets());
        let of_tls = tls.and_then(|tls| tls.certificate.as_ref());
        let secrets = of_request.map(|name| (Field::Http, name));
        let secrets = secrets.chain(of_tls.map(|name| (Field::Tls, name)));
        let local: BTreeSet<_> = secrets.filter(|(_, name)| name.is_local()).collect();
        for (field, name) in local {
            let what = format!("`{name}` is a secret of one machine, which a Lambda function cannot read");
            self.diagnostic(field, what, "write ssm:/path or secretsmanager:name");
        }
    }

    fn locations_fit(&mut self, quorum: Option<u32>, locations: Option<&BTreeSet<Location>>) {
        let Some(locations) = locations else { return };
        if locations.is_empty() {
            let help = "add a location, or remove the field";
            self.diagnostic(
                Field::Locations,
                "is empty, so no location checks the monitor",
                help,
            );
        } else if let Some(quorum) = quorum
            && usize::try_from(quorum).is_ok_and(|quorum| quorum > locations.len())
        {
            let what = format!(
                "{quorum} is more than the {} locations that check the monitor",
                locations.len()
            );
            self.diagnostic(Field::Quorum, what, "reduce the quorum, or add locations");
        }
    }

    /// The SRV records of the host name the ports, and not the service.
    fn srv_fits(&mut self) {
        if self.wrote_here(Field::Port) {
            let what = "has no effect: the SRV records of the host name the ports";
            self.diagnostic(Field::Port, what, "remove `port`, or write the host of the port");
        }
        if !self.wrote(Field::Service) {
            let what = "is the name of SRV records, whose hosts are checked as those of a service";
            self.diagnostic(Field::Host, what, "add `service`");
        }
    }

    /// Who answers for SRV records names the servers, and could name one of its own, with a valid certificate, to receive the
    /// secrets of a request.
    fn secrets_have_a_named_server(&mut self, http: Option<&HttpCheck>, tls: Option<&TlsChoice>) {
        let has_secrets = http.is_some_and(|http| http.content().secrets().next().is_some());
        if has_secrets && tls.is_none_or(|tls| tls.name.is_none()) {
            let what = "contains secrets, for servers that only SRV records name";
            self.diagnostic(
                Field::Http,
                what,
                "add `tls: { name: … }` with the name in their certificate",
            );
        }
    }

    fn family_fits(&mut self, host: Option<&Host>, ip: Option<IpFamily>) {
        let wrong = match (host, ip) {
            (Some(Host::Address(IpAddr::V4(_))), Some(IpFamily::V6)) => "an IPv4 address",
            (Some(Host::Address(IpAddr::V6(_))), Some(IpFamily::V4)) => "an IPv6 address",
            _ => return,
        };
        self.diagnostic(
            Field::Ip,
            format!("excludes the host, which is {wrong}"),
            "remove `ip`",
        );
    }

    fn reachable_from_lambda(&mut self, host: Option<&Host>, port: Option<u32>, ip: Option<IpFamily>) {
        const VPC: &str = "check the host from agents, or from locations with a VPC";
        if port == Some(25) {
            let what = "AWS blocks port 25 for a Lambda function outside a VPC";
            self.diagnostic(Field::Port, what, format!("use port 587 or 465, or {VPC}"));
        }
        let unreachable = "which a Lambda function outside a VPC cannot reach";
        match host {
            Some(Host::Address(IpAddr::V6(_))) => {
                let what = format!("is an IPv6 address, {unreachable}");
                self.diagnostic(Field::Host, what, format!("use IPv4, or {VPC}"));
            }
            Some(Host::Address(IpAddr::V4(address))) if !is_public(*address) => {
                self.diagnostic(
                    Field::Host,
                    format!("is not a public address, {unreachable}"),
                    VPC,
                );
            }
            Some(Host::Name(name)) if is_localhost(name) => {
                self.diagnostic(Field::Host, "is the Lambda function itself", "use another host");
            }
            Some(Host::Name(_)) if ip == Some(IpFamily::V6) => {
                let what = format!("v6 requires IPv6, {unreachable}");
                self.diagnostic(Field::Ip, what, format!("use v4, or {VPC}"));
            }
            Some(Host::Name(_) | Host::Address(IpAddr::V4(_))) | None => {}
        }
    }
}
