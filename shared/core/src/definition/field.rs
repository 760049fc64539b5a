//! The declaration of each field of a monitor. Reading, the JSON Schema, the documentation, the page, `portpulse show` and
//! `portpulse export` follow from it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::declaration::{Export, FieldDeclaration, Merge, Place, Topic};
use super::http_options;
use super::options::{self, TlsChoice};
use super::read::{self, Read};
use super::shape::{Shape, words};
use super::{http_subfields, subfields, text_shapes};
use crate::choice::{CheckKind, CloseMode, Expect, IpFamily, Severity, Tier};
use crate::group::GroupId;
use crate::id::{Location, MonitorId};
use crate::maintenance::Window;
use crate::readiness::{DnsCheck, HttpCheck, Readiness, Script};
use crate::service::Service;
use crate::target::{Host, MAX_TIMEOUT};
use crate::time::Interval;
use crate::uptime::Objective;

/// What most fields declare.
const COMMON: FieldDeclaration = FieldDeclaration {
    about: "",
    shape: Shape::Bool,
    examples: &[],
    absent: "none",
    place: Place::Everywhere,
    merge: Merge::Replace,
    topic: Topic::Check,
    export: Export::Exported,
};

const ALERTING_RULE: Export = Export::Lost("has no equivalent in a scrape: use an alerting rule");
const INHIBITION: Export =
    Export::Lost("has no equivalent in a scrape: use inhibitions or silences of Alertmanager");
const NO_EQUIVALENT: Export = Export::Lost("has no equivalent in a scrape");

const PORT: Shape = Shape::Number { min: 1, max: 65_535 };
const HOST: Shape = Shape::Text(text_shapes::HOST);
const MONITOR_ID: Shape = Shape::Text(text_shapes::MONITOR_ID);
const LOCATION: Shape = Shape::Text(text_shapes::LOCATION);
const GROUP_ID: Shape = Shape::Text(text_shapes::GROUP_ID);

/// Reads the effective value of a field, if a layer sets the field and the value is valid.
pub(super) trait ReadField {
    fn read_field<T>(
        &mut self,
        field: Field,
        read: impl FnOnce(&FieldDeclaration, &Value) -> Read<T>,
    ) -> Option<T>;
}

/// Declares the fields: the variant, the name, the type of a valid value, and the function that reads it.
macro_rules! fields {
    ($($(#[$attribute:meta])* $variant:ident, $name:ident: $type:ty = $read:expr, $declaration:expr;)+) => {
        /// A field of a monitor.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $(#[doc = concat!("`", stringify!($name), "`.")] $variant),+
        }

        impl Field {
            /// All fields, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in files and items.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($name)),+ }
            }

            /// The field with this name.
            pub fn named(name: &str) -> Option<Self> {
                match name { $(stringify!($name) => Some(Self::$variant),)+ _ => None }
            }

            /// The declaration.
            pub const fn declaration(self) -> &'static FieldDeclaration {
                match self {
                    $(Self::$variant => {
                        const DECLARATION: &FieldDeclaration = &$declaration;
                        DECLARATION
                    })+
                }
            }
        }

        /// The valid values of a monitor; `None` for a field that no layer sets, or that has a diagnostic.
        pub(super) struct Values { $($(#[$attribute])* pub(super) $name: Option<$type>),+ }

        impl Values {
            /// Reads all fields.
            pub(super) fn read(source: &mut impl ReadField) -> Self {
                Self { $($name: source.read_field(Field::$variant, $read)),+ }
            }
        }
    };
}

fields! {
    Host, host: Host = read::parsed, FieldDeclaration {
        about: "DNS name or IP address, without port or scheme; or the name of SRV records such as `_mongodb._tcp.db.example.com`, which name hosts and ports. Of the first 8 records by priority, then by weight, the first host that accepts a connection is checked",
        shape: HOST,
        examples: &["db.example.com", "203.0.113.7", "\"2001:db8::1\""],
        absent: "required",
        place: Place::Monitor,
        topic: Topic::Target,
        ..COMMON
    };
    #[expect(dead_code, reason = "a file expands the list")]
    Hosts, hosts: () = read::expanded, FieldDeclaration {
        about: "Instead of `host`: a list that makes a monitor of each entry, with the id `ID-HOST`",
        shape: Shape::list(&HOST, 1),
        examples: &["[db1.example.com, db2.example.com]"],
        place: Place::Expansion("host"),
        topic: Topic::Target,
        ..COMMON
    };
    Port, port: u32 = read::number, FieldDeclaration {
        about: "TCP port",
        shape: PORT,
        examples: &["1", "65535"],
        absent: "required, except for `check: ping`",
        topic: Topic::Target,
        ..COMMON
    };
    #[expect(dead_code, reason = "a file expands the list")]
    Ports, ports: () = read::expanded, FieldDeclaration {
        about: "Instead of `port`: a list that makes a monitor of each entry, with the id `ID-PORT`",
        shape: Shape::list(&PORT, 1),
        examples: &["[80, 443]"],
        place: Place::Expansion("port"),
        topic: Topic::Target,
        ..COMMON
    };
    Service, service: Service = read::service, FieldDeclaration {
        about: "The service: sets the port, the timeout and the kind of check",
        shape: words!(Service),
        examples: &["postgres", "https", "kafka"],
        topic: Topic::Target,
        ..COMMON
    };
    Ip, ip: IpFamily = read::parsed, FieldDeclaration {
        about: "The IP address families to use",
        shape: words!(IpFamily),
        examples: &["any", "v4", "v6"],
        topic: Topic::Target,
        ..COMMON
    };
    Enabled, enabled: bool = read::boolean, FieldDeclaration {
        about: "Whether the monitor is checked; `false` stops checks and notifications",
        examples: &["true", "false"],
        absent: "`true`",
        topic: Topic::Target,
        ..COMMON
    };
    Name, name: String = read::label, FieldDeclaration {
        about: "The name that people see instead of the id",
        shape: Shape::Text(text_shapes::NAME),
        examples: &["Orders database", "\"Überweisungen / EU\""],
        absent: "the id",
        place: Place::Monitor,
        topic: Topic::Display,
        export: NO_EQUIVALENT,
        ..COMMON
    };
    Description, description: String = read::paragraph, FieldDeclaration {
        about: "What the monitor is for, on its page and in JSON; public pages omit it",
        shape: Shape::Text(text_shapes::DESCRIPTION),
        examples: &["The primary of the order service", "\"Owner: team shop\""],
        place: Place::Monitor,
        topic: Topic::Display,
        export: NO_EQUIVALENT,
        ..COMMON
    };
    Group, group: String = read::label, FieldDeclaration {
        about: "A label by which pages fold monitors",
        shape: Shape::Text(text_shapes::GROUP),
        examples: &["Shop", "Payments / EU"],
        topic: Topic::Display,
        export: NO_EQUIVALENT,
        ..COMMON
    };
    Public, public: bool = read::boolean, FieldDeclaration {
        about: "Whether the public status page shows the monitor; who may read the page is a setting of the page",
        examples: &["true", "false"],
        absent: "`true`",
        topic: Topic::Display,
        export: NO_EQUIVALENT,
        ..COMMON
    };
    Objective, objective: Objective = read::objective, FieldDeclaration {
        about: "The uptime in percent that reports compare the monitor with",
        shape: Shape::Percent,
        examples: &["99.9", "99", "99.995"],
        absent: "that of the page, if any",
        topic: Topic::Display,
        export: NO_EQUIVALENT,
        ..COMMON
    };
    Tags, tags: Vec<String> = read::tags, FieldDeclaration {
        about: "Labels for filters and maintenance windows, added to those in `defaults`",
        shape: Shape::list(&Shape::Text(text_shapes::TAG), 0),
        examples: &["[db, env=prod]", "[]", "[\"a:b/c.d_e\"]"],
        merge: Merge::Union,
        topic: Topic::Display,
        ..COMMON
    };
    Runbook, runbook: String = read::url, FieldDeclaration {
        about: "A link to instructions that notifications carry",
        shape: Shape::Text(text_shapes::URL),
        examples: &["https://wiki.example.com/orders-db", "\"https://wiki.example.com/a?b#c\""],
        topic: Topic::Display,
        export: ALERTING_RULE,
        ..COMMON
    };
    Tier, tier: Tier = read::parsed, FieldDeclaration {
        about: "The importance: sets the interval, the retries, the thresholds and the severity",
        shape: words!(Tier),
        examples: &["critical", "supporting", "background"],
        export: ALERTING_RULE,
        ..COMMON
    };
    Interval, interval: Interval = read::interval, FieldDeclaration {
        about: "The time from one check to the next. Below 1m, a checker runs all the time, which costs more: see `portpulse plan`",
        shape: words!(Interval),
        examples: &["1m", "2m", "5m", "10m", "15m", "30m", "1h"],
        ..COMMON
    };
    Timeout, timeout: Duration = read::duration, FieldDeclaration {
        about: "The time for all phases of one check. With an interval below 1m, check, pause and retry must fit into the interval: with the default retry, `10s` requires at most `4500ms`",
        // A shorter timeout does not distinguish a slow response from none; the time of a tick is limited.
        shape: Shape::Duration { min: Duration::from_millis(100), max: MAX_TIMEOUT },
        examples: &["5s", "100ms", "30s"],
        ..COMMON
    };
    Retries, retries: u32 = read::number, FieldDeclaration {
        about: "How often a failed check is made again before it counts as failed; not while the monitor is failing already. By default at most as often as fits, and once with an interval below 1m, whatever the tier",
        shape: Shape::Number { min: 0, max: 10 },
        examples: &["2", "0", "4"],
        topic: Topic::Incidents,
        export: ALERTING_RULE,
        ..COMMON
    };
    RetryInterval, retry_interval: Duration = read::duration, FieldDeclaration {
        about: "The pause before each retry. All retries, with their timeouts, take at most 45 s; with an interval below 1m, check and retries fit into the interval, and the default is `1s`, whatever the tier",
        shape: Shape::Duration { min: Duration::from_millis(100), max: Duration::from_secs(30) },
        examples: &["2s", "100ms", "30s"],
        topic: Topic::Incidents,
        export: ALERTING_RULE,
        ..COMMON
    };
    SlowAfter, slow_after: Duration = read::duration, FieldDeclaration {
        about: "Connect time above which the monitor is `degraded`; less than `timeout`",
        shape: Shape::duration_from(Duration::from_millis(1)),
        examples: &["200ms"],
        absent: "never",
        export: ALERTING_RULE,
        ..COMMON
    };
    SlowerThan, slower_than: Duration = read::duration, FieldDeclaration {
        about: "Response time (name, connect, TLS and answer together) above which the monitor is `degraded`; less than `timeout`",
        shape: Shape::duration_from(Duration::from_millis(1)),
        examples: &["800ms"],
        absent: "never",
        export: ALERTING_RULE,
        ..COMMON
    };
    FailSlowerThan, fail_slower_than: Duration = read::duration, FieldDeclaration {
        about: "Response time (name, connect, TLS and answer together) above which the check fails; less than `timeout`",
        shape: Shape::duration_from(Duration::from_millis(1)),
        examples: &["2s"],
        absent: "never; after `timeout`, a check fails anyway",
        export: ALERTING_RULE,
        ..COMMON
    };
    Check, check: CheckKind = read::parsed, FieldDeclaration {
        about: "`connect` measures a TCP connect; `ready` adds an exchange in the protocol of the service; `ping` sends an ICMP echo to the host instead, from agents and from one machine, not from AWS regions",
        shape: words!(CheckKind),
        examples: &["connect"],
        ..COMMON
    };
    Expect, expect: Expect = read::parsed, FieldDeclaration {
        about: "What is expected: an `open` port; a `closed` one, whose opening is reported at once; or a `reachable` host, whose refusal is an answer too",
        shape: words!(Expect),
        examples: &["open", "closed", "reachable"],
        ..COMMON
    };
    Close, close: CloseMode = read::parsed, FieldDeclaration {
        about: "How a connect is closed: `fin`, or `quiet` (SYN, SYN-ACK, RST), so that the service sees no connection",
        shape: words!(CloseMode),
        examples: &["fin", "quiet"],
        export: Export::Lost("an exporter always closes with FIN"),
        ..COMMON
    };
    Tls, tls: TlsChoice = options::tls, FieldDeclaration {
        about: "TLS: `true` from the start; `false` never; `starttls` within the protocol, for services with `\"starttls\"` in `presets.json`; a map sets another server name than the host, or a client certificate",
        shape: subfields::TLS,
        examples: &["true", "false", "starttls", "{ name: db.example.com }", "{ name: db.example.com, starttls: true }", "{ certificate: ssm:/portpulse/orders/certificate }"],
        absent: "`true` for the ports 443, 465, 636, 990, 993, 995, 8443 and 8883",
        ..COMMON
    };
    Insecure, insecure: bool = read::boolean, FieldDeclaration {
        about: "Whether any certificate is accepted: its chain, time and name are not verified, and its expiry gives no warning. Not with secrets in `http`, which anyone on the path could read",
        examples: &["true", "false"],
        absent: "`false`",
        ..COMMON
    };
    WarnDays, warn_days: u32 = read::number, FieldDeclaration {
        about: "Days before the first certificate of the chain expires from which the monitor is `degraded`; 0 is never",
        shape: Shape::Number { min: 0, max: Readiness::MAX_WARN_DAYS as u32 },
        examples: &["14", "0", "365"],
        export: ALERTING_RULE,
        ..COMMON
    };
    Ehlo, ehlo: Host = read::parsed, FieldDeclaration {
        about: "The name of the checker in EHLO, for a mail server that refuses an address; of `service: smtp`, `submission` and `smtps`",
        shape: HOST,
        examples: &["monitor.example.com"],
        absent: "the address of the checker, such as `[192.0.2.1]`",
        export: NO_EQUIVALENT,
        ..COMMON
    };
    Http, http: HttpCheck = http_options::http, FieldDeclaration {
        about: "The request of `service: http` or `https`, and the expected response (of `websocket`, only the path); its fields replace those in `defaults`",
        shape: Shape::Map(http_subfields::HTTP),
        examples: &[
            "{ path: /health, status: 200 }",
            "{}",
            "{ method: GET, path: \"/a?b\", status: [204, 3xx, 400-404], text: well, follow: true }",
            "{ status: 2xx }",
            "{ method: POST, unsafe_method: true, body: \"a=1\", headers: { X-Env: prod }, secret_headers: { X-Api-Key: ssm:/shop/key } }",
            "{ basic_auth: { username: monitor, password: secretsmanager:shop }, json: [{ path: $.status, operator: ==, value: up }, { path: $.items, length: true, operator: \">\", value: 2 }] }",
            "{ bearer_token: env:TOKEN, body_matches: [^ok], body_not_matches: [error], json: [{ path: $.a, operator: absent }] }",
        ],
        absent: "`HEAD /` (then `GET` where the server refuses `HEAD`), a status below 500",
        merge: Merge::Keys,
        ..COMMON
    };
    Dns, dns: DnsCheck = options::dns, FieldDeclaration {
        about: "The query of `service: dns`, and the records that must and must not be in the answer; its fields replace those in `defaults`",
        shape: Shape::Map(subfields::DNS),
        examples: &[
            "{ name: example.com, type: A, must: [192.0.2.1] }",
            "{}",
            "{ name: example.com, type: MX, must: [10 mail.example.com], transport: udp }",
            "{ name: example.com, must_not: [192.0.2.1] }",
        ],
        absent: "`. NS`, any reply, `tcp`",
        merge: Merge::Keys,
        ..COMMON
    };
    Script, script: Script = options::script, FieldDeclaration {
        about: "Texts to send and to expect, in order, instead of a `service`",
        shape: Shape::List { of: &Shape::OneField(subfields::STEP), min: 1, max: Script::MAX_STEPS },
        examples: &["[{ send: \"PING\\r\\n\" }, { expect: PONG }]", "[{ expect: \"220\" }, { send: \"QUIT\\r\\n\" }]"],
        place: Place::Monitor,
        ..COMMON
    };
    FailuresToOpen, failures_to_open: u32 = read::number, FieldDeclaration {
        about: "Consecutive failed checks after which a location votes for an incident",
        shape: Shape::Number { min: 1, max: 10 },
        examples: &["1", "10"],
        topic: Topic::Incidents,
        export: ALERTING_RULE,
        ..COMMON
    };
    SuccessesToClose, successes_to_close: u32 = read::number, FieldDeclaration {
        about: "Consecutive good checks after which a location votes for recovery",
        shape: Shape::Number { min: 1, max: 10 },
        examples: &["1", "10"],
        topic: Topic::Incidents,
        export: ALERTING_RULE,
        ..COMMON
    };
    Locations, locations: Vec<Location> = read::list, FieldDeclaration {
        about: "The locations that check the monitor: AWS regions, and names in `agents`",
        shape: Shape::list(&LOCATION, 1),
        examples: &["[eu-west-1, us-east-1]"],
        absent: "all",
        topic: Topic::Incidents,
        export: Export::Lost("an exporter checks only from its own location"),
        ..COMMON
    };
    Quorum, quorum: u32 = read::number, FieldDeclaration {
        about: "The number of locations that must agree",
        shape: Shape::Number { min: 1, max: 100 },
        examples: &["1", "100"],
        absent: "more than half",
        topic: Topic::Incidents,
        export: ALERTING_RULE,
        ..COMMON
    };
    Severity, severity: Severity = read::parsed, FieldDeclaration {
        about: "The severity of notifications about incidents",
        shape: words!(Severity),
        examples: &["critical", "warning", "info"],
        topic: Topic::Incidents,
        export: ALERTING_RULE,
        ..COMMON
    };
    RemindEvery, remind_every: Duration = read::duration, FieldDeclaration {
        about: "Repeats the notification of an open incident until it is acknowledged",
        shape: Shape::duration_from(Duration::from_secs(300)),
        examples: &["4h", "5m", "1d"],
        absent: "never",
        topic: Topic::Incidents,
        export: ALERTING_RULE,
        ..COMMON
    };
    EscalateAfter, escalate_after: Duration = read::duration, FieldDeclaration {
        about: "Sends the notification of a `down` or `exposed` incident again as `critical`, this long after the first one, unless the incident is acknowledged by then",
        // The incident is escalated only after people had time to react.
        shape: Shape::duration_from(Duration::from_secs(60)),
        examples: &["30m", "1m", "1d"],
        absent: "never",
        topic: Topic::Incidents,
        export: ALERTING_RULE,
        ..COMMON
    };
    FlappingAfter, flapping_after: u32 = read::number, FieldDeclaration {
        about: "Changes within an hour above which the monitor is `flapping`; 0 is never",
        shape: Shape::Number { min: 0, max: 20 },
        examples: &["6", "0", "20"],
        topic: Topic::Incidents,
        export: ALERTING_RULE,
        ..COMMON
    };
    DependsOn, depends_on: Vec<MonitorId> = read::list, FieldDeclaration {
        about: "Monitors whose outage suppresses the notifications of this one, also through further monitors that they depend on",
        shape: Shape::list(&MONITOR_ID, 0),
        examples: &["[other]", "[]"],
        place: Place::Monitor,
        topic: Topic::Incidents,
        export: INHIBITION,
        ..COMMON
    };
    Maintenance, maintenance: Vec<Window> = read::windows, FieldDeclaration {
        about: "The maintenance windows of the monitor",
        shape: Shape::List { of: &Shape::Map(subfields::WINDOW), min: 0, max: subfields::MAX_WINDOWS },
        examples: &["[{ every: sun 02:00, for: 2h }]"],
        place: Place::Item,
        topic: Topic::Internal,
        export: INHIBITION,
        ..COMMON
    };
    DependsOnGroups, depends_on_groups: BTreeMap<MonitorId, GroupId> = read::parent_groups, FieldDeclaration {
        about: "The groups of the monitors in `depends_on`",
        shape: Shape::ById(&GROUP_ID),
        examples: &["{ gateway: 1m#0 }"],
        place: Place::Item,
        topic: Topic::Internal,
        ..COMMON
    };
}

impl Field {
    /// The number of fields.
    pub(super) const COUNT: usize = Self::ALL.len();

    /// The field that is set by each entry of this list, if the list makes several monitors.
    pub fn of_entries(self) -> Option<Self> {
        match self.declaration().place {
            Place::Expansion(name) => Self::named(name),
            Place::Everywhere | Place::Monitor | Place::Item => None,
        }
    }

    /// The fields that users can write in a monitor.
    pub fn of_monitors() -> impl Iterator<Item = Self> {
        let all = Self::ALL.iter().copied();
        all.filter(|field| field.declaration().place != Place::Item)
    }

    /// The fields that users can write in `defaults:`.
    pub fn of_defaults() -> impl Iterator<Item = Self> {
        let all = Self::ALL.iter().copied();
        all.filter(|field| field.declaration().place == Place::Everywhere)
    }
}
