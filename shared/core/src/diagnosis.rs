//! Diagnosis: names the layer in which the fault of an incident lies, from what all locations know about the monitor, its
//! host and its dependencies. Where the evidence does not suffice, the layer is unknown.
//!
//! | fault in the failing locations | further evidence | layer |
//! |---|---|---|
//! | any | a monitor is down that this one depends on, at any depth | `dependency` |
//! | no data in any location | | `checker` |
//! | the name does not resolve | (a timeout of DNS in only some locations is unknown) | `name` |
//! | refused | in all locations that reported | `port` |
//! | no answer | another port of the host answers there; no location is good | `port` |
//! | no answer | no other port answers there; another location is good | `network` |
//! | no answer | no other port answers there, and none of at least two other hosts | `network` |
//! | no answer | at least one other port of the host, and none answers there; other hosts answer, or two locations agree | `host` |
//! | no reply to a ping | a port of the host answers there | `unknown`: ICMP is filtered |
//! | TLS fails or its certificate expires | | `tls` |
//! | connected, then failed | (silence in only some locations is unknown) | `service` |
//! | the port is open and must be closed | | `port` |
//! | anything else | | `unknown` |
//!
//! A ping counts as a port of its host. The other ports and hosts are those of the same group, checked by the same locations in the same tick. Locations that
//! have not reported since the fault began, have no data or are suspect give no evidence.

use std::net::IpAddr;

use crate::choice::choice;
use crate::finding::Cause;
use crate::id::MonitorId;
use crate::outcome::{DnsFailure, FailureClass, Phase};
use crate::target::{Check, Target};

choice! {
    /// The layer in which a fault lies.
    Layer {
        /// The checkers: no location could tell.
        Checker = "checker",
        /// The name of the host: DNS.
        Name = "name",
        /// The network between some locations and the host, or around several hosts.
        Network = "network",
        /// The host: nothing on it answers.
        Host = "host",
        /// The port: the host answers, and this port refuses, is silent, or is open and must be closed.
        Port = "port",
        /// TLS or its certificate.
        Tls = "tls",
        /// The service: its port is open, and the service does not serve.
        Service = "service",
        /// A monitor that this one depends on.
        Dependency = "dependency",
        /// The evidence does not suffice.
        Unknown = "unknown",
    }
}

/// The layer of an incident's fault, and the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The layer.
    pub layer: Layer,
    /// The evidence; `None` if it did not fit into the decision state.
    pub evidence: Option<Evidence>,
}

/// What a diagnosis rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The number of locations that see the fault.
    pub failing: u32,
    /// The number of locations that see the monitor as good.
    pub good: u32,
    /// The number of locations that have not reported since the fault began, or have no data.
    pub pending: u32,
    /// The other ports of the host, from the failing locations.
    pub host: HostEvidence,
    /// The monitor that is down and that this one depends on.
    pub parent: Option<MonitorId>,
}

/// The other monitored ports of a host, as the failing locations see them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HostEvidence {
    /// No other port of the host has a result in each failing location.
    #[default]
    Unchecked,
    /// Another port answers in every failing location that has a result.
    Answers {
        /// The lowest such port.
        port: u16,
    },
    /// The host answers a ping in every failing location that has a result, and no other port does.
    AnswersPing,
    /// No other port answers in any failing location.
    Silent {
        /// The number of other ports, in which a ping counts as one.
        ports: u32,
    },
    /// Some failing locations get an answer from another port, and others do not.
    Mixed,
}

/// A way in which a host is checked. A port precedes a ping, because services matter more than hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    /// A port.
    Port(u16),
    /// An ICMP echo.
    Ping,
}

impl Access {
    /// The access that a target checks.
    pub(crate) fn of(target: &Target) -> Self {
        target.port.map_or(Self::Ping, Self::Port)
    }
}

/// Where a check failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailurePoint {
    /// The phase that failed.
    pub phase: Phase,
    /// The last address that was tried, if any.
    pub address: Option<IpAddr>,
}

/// The fault of one check, as far as it distinguishes layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The name was not resolved.
    Name {
        /// Whether DNS servers did not answer, which a path may cause.
        is_timeout: bool,
    },
    /// Nothing answered the connect.
    NoAnswer,
    /// Nothing answered the ping.
    NoReply,
    /// The connect was refused.
    Refused,
    /// TLS failed.
    Tls,
    /// The port is open, and the service failed.
    Service {
        /// Whether the service sent nothing at all, which a path may cause.
        is_silent: bool,
    },
    /// The port is open.
    Open,
    /// None of these for certain; the host answered if `answered`.
    Unclear {
        /// Whether a packet of the host arrived.
        answered: bool,
    },
}

impl Fault {
    /// The fault behind a cause.
    pub(crate) fn of(target: &Target, cause: Cause, point: Option<FailurePoint>) -> Self {
        let phase = point.map(|point| point.phase);
        let class = match cause {
            Cause::Failed(class) => class,
            Cause::Open => return Self::Open,
            Cause::Slow | Cause::SlowResponse | Cause::Warned | Cause::Certificate | Cause::NoData => {
                return Self::Unclear { answered: false };
            }
        };
        let is_udp = matches!(&target.check, Check::Ready(readiness) if readiness.protocol().is_over_udp());
        match (class, phase) {
            (FailureClass::Dns(failure), _) => Self::Name {
                is_timeout: failure == DnsFailure::Timeout,
            },
            (_, Some(Phase::Dns)) => Self::Name { is_timeout: true },
            (FailureClass::Timeout | FailureClass::Unreachable, _) if target.check == Check::Ping => {
                Self::NoReply
            }
            (FailureClass::TooSlow, _) if target.check == Check::Ping => Self::Unclear { answered: true },
            (FailureClass::Refused, _) => Self::Refused,
            (FailureClass::Timeout | FailureClass::Silent, _) if is_udp => Self::NoAnswer,
            (FailureClass::Timeout | FailureClass::Unreachable, Some(Phase::Connect)) => Self::NoAnswer,
            (FailureClass::Timeout, Some(Phase::Tls | Phase::Ready)) => Self::Service { is_silent: false },
            (FailureClass::Timeout | FailureClass::Unreachable, _) => Self::Unclear { answered: false },
            (FailureClass::Reset, Some(Phase::Tls | Phase::Ready)) => Self::Service { is_silent: false },
            (FailureClass::Reset, _) => Self::Unclear { answered: true },
            (FailureClass::Tls, _) => Self::Tls,
            (FailureClass::Silent, _) => Self::Service { is_silent: true },
            (
                FailureClass::Closed
                | FailureClass::Busy
                | FailureClass::Starting
                | FailureClass::Blocked
                | FailureClass::WrongService
                | FailureClass::WrongAnswer
                | FailureClass::ServiceError
                | FailureClass::NoBackend
                | FailureClass::TooSlow,
                _,
            ) => Self::Service { is_silent: false },
        }
    }

    /// Whether the host answered: `None` if the fault does not show it.
    pub(crate) const fn host_answered(self) -> Option<bool> {
        match self {
            Self::NoAnswer | Self::NoReply => Some(false),
            Self::Refused | Self::Tls | Self::Service { .. } | Self::Open => Some(true),
            Self::Unclear { answered: true } => Some(true),
            Self::Name { .. } | Self::Unclear { answered: false } => None,
        }
    }
}

/// A failing location's results: its fault, the host's other ports, and other hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailingLocation {
    pub(crate) fault: Fault,
    /// The first other access to the host that answers.
    pub(crate) answering: Option<Access>,
    /// The number of other ports of the host that do not answer.
    pub(crate) silent_ports: u32,
    /// Whether another host answers.
    pub(crate) other_host_answers: bool,
    /// The number of other hosts that do not answer.
    pub(crate) silent_hosts: u32,
}

/// The layer of a failing monitor, and the evidence of its host. `good` is the number of locations that see the monitor as
/// good.
pub(crate) fn layer(failing: &[FailingLocation], good: u32) -> (Layer, HostEvidence) {
    let host = host_evidence(failing);
    let every = |is: fn(&Fault) -> bool| !failing.is_empty() && failing.iter().all(|each| is(&each.fault));
    let any = |is: fn(&Fault) -> bool| failing.iter().any(|each| is(&each.fault));
    let unless = |condition: bool, layer| if condition { Layer::Unknown } else { layer };
    let layer = if every(|fault| matches!(fault, Fault::Name { .. })) {
        let is_timeout = any(|fault| matches!(fault, Fault::Name { is_timeout: true }));
        unless(is_timeout && good > 0, Layer::Name)
    } else if every(|fault| *fault == Fault::Refused) {
        unless(good > 0, Layer::Port)
    } else if every(|fault| *fault == Fault::Tls) {
        Layer::Tls
    } else if every(|fault| matches!(fault, Fault::Service { .. })) {
        let is_silent = any(|fault| matches!(fault, Fault::Service { is_silent: true }));
        unless(is_silent && good > 0, Layer::Service)
    } else if every(|fault| *fault == Fault::Open) {
        Layer::Port
    } else if every(|fault| *fault == Fault::NoAnswer) {
        without_answer(failing, good, host)
    } else if every(|fault| *fault == Fault::NoReply) {
        let is_filtered = matches!(host, HostEvidence::Answers { .. } | HostEvidence::AnswersPing);
        unless(is_filtered, without_answer(failing, good, host))
    } else {
        Layer::Unknown
    };
    (layer, host)
}

/// The layer if nothing answers the connect in the failing locations.
fn without_answer(failing: &[FailingLocation], good: u32, host: HostEvidence) -> Layer {
    let is_dark = failing
        .iter()
        .all(|each| !each.other_host_answers && each.silent_hosts >= 2);
    let has_control = failing.iter().all(|each| each.other_host_answers);
    let has_no_other_host = failing
        .iter()
        .all(|each| !each.other_host_answers && each.silent_hosts == 0);
    match host {
        HostEvidence::Answers { .. } | HostEvidence::AnswersPing if good == 0 => Layer::Port,
        HostEvidence::Answers { .. } | HostEvidence::AnswersPing | HostEvidence::Mixed => Layer::Unknown,
        HostEvidence::Silent { .. } | HostEvidence::Unchecked if good > 0 || is_dark => Layer::Network,
        HostEvidence::Silent { .. } if has_control || (has_no_other_host && failing.len() >= 2) => {
            Layer::Host
        }
        HostEvidence::Silent { .. } | HostEvidence::Unchecked => Layer::Unknown,
    }
}

fn host_evidence(failing: &[FailingLocation]) -> HostEvidence {
    let answering = failing.iter().filter_map(|each| each.answering).min();
    let is_silent = |each: &&FailingLocation| each.answering.is_none() && each.silent_ports > 0;
    let silent = failing.iter().filter(is_silent).count();
    match answering {
        Some(_) if silent > 0 => HostEvidence::Mixed,
        Some(Access::Port(port)) => HostEvidence::Answers { port },
        Some(Access::Ping) => HostEvidence::AnswersPing,
        None if silent > 0 && silent == failing.len() => {
            let ports = failing.iter().map(|each| each.silent_ports).max();
            HostEvidence::Silent {
                ports: ports.unwrap_or(0),
            }
        }
        None => HostEvidence::Unchecked,
    }
}

impl Diagnosis {
    /// The diagnosis in one sentence. Without `target`, the sentence does not name host and port.
    pub fn sentence(&self, monitor: &MonitorId, target: Option<&Target>, cause: Option<Cause>) -> String {
        let host = target.map_or_else(|| "the host".to_owned(), |target| target.host.to_string());
        let of_srv = target.filter(|target| target.host.is_srv());
        let (port, of_host) = match target.map(Access::of) {
            Some(Access::Port(port)) if of_srv.is_some() => {
                (format!("port {port}"), format!("The service of {host}"))
            }
            Some(Access::Port(port)) => (format!("port {port}"), format!("Port {port} of {host}")),
            Some(Access::Ping) => ("ping".to_owned(), format!("The ping to {host}")),
            None => ("its port".to_owned(), "The port".to_owned()),
        };
        let evidence = self.evidence.as_ref();
        let others = evidence.map(|evidence| evidence.host).unwrap_or_default();
        // Where another check of the host gets an answer.
        let other = match others {
            HostEvidence::Answers { port } => Some(format!("on port {port}")),
            HostEvidence::AnswersPing => Some("to ping".to_owned()),
            HostEvidence::Unchecked | HostEvidence::Silent { .. } | HostEvidence::Mixed => None,
        };
        let from = evidence.map(Evidence::where_failing).unwrap_or_default();
        let parent = evidence.and_then(|evidence| evidence.parent.as_ref());
        let good = evidence.map_or(0, |evidence| evidence.good);
        match self.layer {
            Layer::Checker => {
                format!("No location has data on {monitor}: the fault is in the checkers or their networks.")
            }
            Layer::Name => format!("The name {host} does not resolve{from}: the fault is in DNS."),
            Layer::Network if good > 0 => format!(
                "{host} does not answer{from}, and answers from {}: the fault is on the network path.",
                locations(good)
            ),
            Layer::Network => {
                format!("None of several hosts answers{from}: the fault is in the network, not on {host}.")
            }
            Layer::Host => {
                let more = match others {
                    HostEvidence::Silent { ports: 1 } => " nor the other check".to_owned(),
                    HostEvidence::Silent { ports } => format!(" nor {ports} other checks"),
                    HostEvidence::Unchecked
                    | HostEvidence::Answers { .. }
                    | HostEvidence::AnswersPing
                    | HostEvidence::Mixed => " nor any other check".to_owned(),
                };
                format!("Nothing on {host} answers{from}: neither {port}{more}.")
            }
            Layer::Port => match (cause, other) {
                (Some(Cause::Open), _) => format!("{of_host} is open{from}, and must be closed."),
                (Some(Cause::Failed(FailureClass::Refused)), Some(other)) => {
                    format!(
                        "{host} answers {other}{from}; {port} refuses: the service is down, not the host or the network."
                    )
                }
                (_, Some(other)) => format!(
                    "{host} answers {other}{from}; {port} does not answer: the port is filtered or its service hangs, not the host or the network."
                ),
                (_, None) => format!(
                    "{host} refuses connections to {port}{from}: the host answers, and no service listens on the port."
                ),
            },
            Layer::Tls => match cause {
                Some(Cause::Certificate) => {
                    format!("{of_host} serves TLS{from}, and its certificate expires soon.")
                }
                _ => format!("{of_host} accepts connections{from}, but TLS fails."),
            },
            Layer::Service => match cause {
                Some(Cause::Warned) => format!("{of_host} serves{from}, and the service reports a warning."),
                _ => format!("{of_host} accepts connections{from}, but the service does not serve."),
            },
            Layer::Dependency => match parent {
                Some(parent) => format!("{monitor} depends on {parent}, which is down."),
                None => format!("{monitor} depends on a monitor that is down."),
            },
            Layer::Unknown if let (Some(Access::Ping), Some(other)) = (target.map(Access::of), &other) => {
                format!(
                    "{host} answers {other}{from}, but not to ping: ICMP is filtered or limited by the host or on the path."
                )
            }
            Layer::Unknown => {
                let what = match cause {
                    Some(Cause::Slow | Cause::SlowResponse) => "is slow",
                    _ => "fails",
                };
                let elsewhere = match good {
                    0 => String::new(),
                    good => format!(", and not from {}", locations(good)),
                };
                let why = match (cause, others) {
                    (Some(Cause::Failed(FailureClass::Timeout)), HostEvidence::Unchecked) => {
                        ": no other monitor of the group shows whether the host answers, so the layer is unknown"
                    }
                    _ => ": the layer is unknown",
                };
                format!("{of_host} {what}{from}{elsewhere}{why}.")
            }
        }
    }
}

impl Evidence {
    /// The failing locations, as ` from all 3 locations`.
    fn where_failing(&self) -> String {
        match (self.failing, self.failing + self.good + self.pending) {
            (0, _) => String::new(),
            (1, 1) => " from the only location".to_owned(),
            (failing, all) if failing == all => format!(" from all {all} locations"),
            (failing, all) => format!(" from {failing} of {all} locations"),
        }
    }
}

fn locations(count: u32) -> String {
    match count {
        1 => "1 location".to_owned(),
        count => format!("{count} locations"),
    }
}
