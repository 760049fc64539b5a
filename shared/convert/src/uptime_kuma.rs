//! Uptime Kuma 1.x: the backup file.
//!
//! Sources: <https://github.com/louislam/uptime-kuma/blob/1.23.X/server/model/monitor.js>, `toJSON`; and
//! <https://github.com/louislam/uptime-kuma/blob/1.23.X/src/components/settings/Backup.vue>, `downloadBackup`, which
//! writes only the version, the notifications and the monitors.

use std::time::Duration;

use portpulse_core::time::format_duration;
use serde_json::{Value, json};

use crate::address::Address;
use crate::draft::{Draft, scaled};
use crate::note::{Note, NoteKind};
use crate::source_fields::{SourceFields, UnusedKey};
use crate::{Extracted, Format, ImportError};

const SECOND: Duration = Duration::from_secs(1);
/// The minimum of `remind_every`.
const MIN_REMINDER: Duration = Duration::from_secs(300);

const FILE_KEYS: [UnusedKey; 4] = [
    ("version", NoteKind::NotNeeded, "concerns only Uptime Kuma itself"),
    (
        "notificationList",
        NoteKind::Lost,
        "configure subscribers with the variable `subscribers`, or destinations in the relay",
    ),
    (
        "proxyList",
        NoteKind::Lost,
        "checks do not use proxies or tunnels",
    ),
    (
        "statusPageList",
        NoteKind::NotNeeded,
        "concerns only the status page",
    ),
];
const CREDENTIALS: &str = "checks have no credentials";
const OF_ITSELF: &str = "concerns only Uptime Kuma itself";
const OTHER_KIND: &str = "concerns another monitor type or an unsupported method";
const MONITOR_KEYS: [UnusedKey; 69] = [
    ("url", NoteKind::NotNeeded, OTHER_KIND),
    ("method", NoteKind::NotNeeded, OTHER_KIND),
    ("accepted_statuscodes", NoteKind::NotNeeded, OTHER_KIND),
    ("maxredirects", NoteKind::NotNeeded, OTHER_KIND),
    ("keyword", NoteKind::NotNeeded, OTHER_KIND),
    ("hostname", NoteKind::NotNeeded, OTHER_KIND),
    ("port", NoteKind::NotNeeded, OTHER_KIND),
    ("id", NoteKind::NotNeeded, OF_ITSELF),
    ("weight", NoteKind::NotNeeded, OF_ITSELF),
    ("pathName", NoteKind::NotNeeded, OF_ITSELF),
    ("path", NoteKind::NotNeeded, OF_ITSELF),
    (
        "parent",
        NoteKind::NotNeeded,
        "groups concern only the status page; use `depends_on` to suppress notifications",
    ),
    (
        "childrenIDs",
        NoteKind::NotNeeded,
        "groups concern only the status page; use `depends_on` to suppress notifications",
    ),
    ("forceInactive", NoteKind::NotNeeded, OF_ITSELF),
    (
        "maintenance",
        NoteKind::Lost,
        "was active during the backup, which does not contain its end",
    ),
    ("includeSensitiveData", NoteKind::NotNeeded, OF_ITSELF),
    ("screenshot", NoteKind::NotNeeded, OF_ITSELF),
    ("dns_last_result", NoteKind::NotNeeded, OF_ITSELF),
    ("cacheBust", NoteKind::NotNeeded, OF_ITSELF),
    ("description", NoteKind::Lost, "use `runbook` instead"),
    (
        "retryInterval",
        NoteKind::Lost,
        "failed checks are repeated at the normal interval",
    ),
    (
        "notificationIDList",
        NoteKind::Lost,
        "configure subscribers with the variable `subscribers`, or destinations in the relay",
    ),
    (
        "expiryNotification",
        NoteKind::NotNeeded,
        "expiring certificates are always notified; `warn_days` sets when",
    ),
    (
        "domainExpiryNotification",
        NoteKind::Lost,
        "domain expiry is not monitored",
    ),
    ("ignoreTls", NoteKind::Lost, "certificates are always verified"),
    ("proxyId", NoteKind::Lost, "checks do not use proxies or tunnels"),
    (
        "headers",
        NoteKind::Lost,
        "custom request headers are not supported",
    ),
    ("body", NoteKind::Lost, "requests have no body"),
    ("httpBodyEncoding", NoteKind::NotNeeded, "requests have no body"),
    ("authMethod", NoteKind::Lost, CREDENTIALS),
    ("basic_auth_user", NoteKind::Lost, CREDENTIALS),
    ("basic_auth_pass", NoteKind::Lost, CREDENTIALS),
    ("authWorkstation", NoteKind::Lost, CREDENTIALS),
    ("authDomain", NoteKind::Lost, CREDENTIALS),
    ("oauth_client_id", NoteKind::Lost, CREDENTIALS),
    ("oauth_client_secret", NoteKind::Lost, CREDENTIALS),
    ("oauth_token_url", NoteKind::Lost, CREDENTIALS),
    ("oauth_scopes", NoteKind::Lost, CREDENTIALS),
    ("oauth_auth_method", NoteKind::Lost, CREDENTIALS),
    (
        "tlsCa",
        NoteKind::Lost,
        "certificates are verified against public authorities",
    ),
    ("tlsCert", NoteKind::Lost, CREDENTIALS),
    ("tlsKey", NoteKind::Lost, CREDENTIALS),
    (
        "invertKeyword",
        NoteKind::Lost,
        "a text can only be required, not forbidden",
    ),
    ("jsonPath", NoteKind::Lost, "only plain text is supported"),
    ("expectedValue", NoteKind::Lost, "only plain text is supported"),
    ("conditions", NoteKind::Lost, "this condition is not supported"),
    (
        "databaseQuery",
        NoteKind::Lost,
        "queries are not supported: checks have no credentials",
    ),
    ("mqttUsername", NoteKind::Lost, CREDENTIALS),
    ("mqttPassword", NoteKind::Lost, CREDENTIALS),
    (
        "mqttTopic",
        NoteKind::Lost,
        "only the port is checked, not the protocol",
    ),
    (
        "mqttSuccessMessage",
        NoteKind::Lost,
        "only the port is checked, not the protocol",
    ),
    ("radiusUsername", NoteKind::NotNeeded, OTHER_KIND),
    ("radiusPassword", NoteKind::NotNeeded, OTHER_KIND),
    ("radiusSecret", NoteKind::NotNeeded, OTHER_KIND),
    ("radiusCalledStationId", NoteKind::NotNeeded, OTHER_KIND),
    ("radiusCallingStationId", NoteKind::NotNeeded, OTHER_KIND),
    ("docker_container", NoteKind::NotNeeded, OTHER_KIND),
    ("docker_host", NoteKind::NotNeeded, OTHER_KIND),
    ("game", NoteKind::NotNeeded, OTHER_KIND),
    ("gamedigGivenPortOnly", NoteKind::NotNeeded, OTHER_KIND),
    ("pushToken", NoteKind::NotNeeded, OTHER_KIND),
    ("packetSize", NoteKind::NotNeeded, "ICMP is not supported"),
    ("grpcUrl", NoteKind::NotNeeded, OTHER_KIND),
    ("grpcEnableTls", NoteKind::NotNeeded, OTHER_KIND),
    (
        "kafkaProducerAllowAutoTopicCreation",
        NoteKind::NotNeeded,
        OTHER_KIND,
    ),
    ("kafkaProducerSaslOptions", NoteKind::NotNeeded, OTHER_KIND),
    ("kafkaProducerSsl", NoteKind::NotNeeded, OTHER_KIND),
    ("dns_resolve_type", NoteKind::NotNeeded, OTHER_KIND),
    ("dns_resolve_server", NoteKind::NotNeeded, OTHER_KIND),
];

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Extracted, ImportError> {
    let mut read = Extracted::default();
    for (name, value) in sources {
        let file = SourceFields::from_value(value).filter(|file| file.has("monitorList"));
        let mut file = file.ok_or_else(|| ImportError::Foreign {
            name: name.to_owned(),
            format: Format::UptimeKuma,
            problem: "`monitorList` is missing",
        })?;
        for (index, monitor) in file.list("monitorList").into_iter().enumerate() {
            match SourceFields::from_value(monitor) {
                Some(fields) => read.drafts.extend(monitor_of(fields, index, &mut read.notes)),
                None => read.notes.push(Note {
                    kind: NoteKind::Unknown,
                    item: name.to_owned(),
                    field: format!("monitorList.{index}"),
                    reason: "is not a map".to_owned(),
                }),
            }
        }
        read.notes.push(Note {
            kind: NoteKind::Lost,
            item: name.to_owned(),
            field: "maintenance".to_owned(),
            reason: "backups do not contain maintenance: add its windows under `maintenance:`".to_owned(),
        });
        file.note_unused(name, "", &FILE_KEYS, &mut read.notes);
    }
    Ok(read)
}

fn monitor_of(mut fields: SourceFields, index: usize, notes: &mut Vec<Note>) -> Option<Draft> {
    let name = fields.text("name").unwrap_or_else(|| format!("monitor {index}"));
    let mut draft = Draft::new(&name, &name);
    let kind = fields.text("type").unwrap_or_default();
    let inverted = fields.switch("upsideDown") == Some(true);
    let made = match (kind.as_str(), inverted) {
        ("port", true) => {
            draft.set("expect", "closed");
            host_and_port(&mut draft, &mut fields)
        }
        (_, true) => Err("upside-down mode is supported only for type `port`"),
        ("http" | "keyword" | "json-query", false) => http(&mut draft, &mut fields),
        ("port" | "mqtt", false) => host_and_port(&mut draft, &mut fields),
        ("smtp", false) => {
            draft.set("service", "smtp");
            host_and_port(&mut draft, &mut fields)
        }
        ("ping" | "tailscale-ping", false) => ping(&mut draft, &mut fields),
        ("dns", false) => dns(&mut draft, &mut fields),
        ("postgres" | "mysql" | "mongodb" | "redis", false) => database(&mut draft, &mut fields, &kind),
        ("docker", false) => Err("containers are not visible from outside"),
        ("push" | "manual", false) => Err("push-based monitors are not supported"),
        ("steam" | "gamedig" | "radius" | "snmp", false) => Err("of UDP services, only DNS is supported"),
        ("group", false) => {
            Err("groups concern only the status page; use `depends_on` to suppress notifications")
        }
        ("sqlserver", false) => Err("the service is not supported: monitor its port"),
        ("grpc-keyword" | "kafka-producer" | "rabbitmq" | "real-browser", false) => {
            Err("the protocol is not supported: monitor its port")
        }
        (_, false) => Err("unknown monitor type"),
    };
    if let Err(reason) = made {
        notes.push(Note {
            kind: NoteKind::Lost,
            item: draft.name,
            field: format!("type {}", crate::note::sanitize(&kind)),
            reason: reason.to_owned(),
        });
        return None;
    }
    common(&mut draft, &mut fields);
    for switch in [
        "ignoreTls",
        "invertKeyword",
        "expiryNotification",
        "domainExpiryNotification",
        "forceInactive",
        "maintenance",
        "grpcEnableTls",
    ] {
        fields.ignore_if_off(switch);
    }
    let name = draft.name.clone();
    fields.note_unused(&name, "", &MONITOR_KEYS, &mut draft.notes);
    Some(draft)
}

fn common(draft: &mut Draft, fields: &mut SourceFields) {
    let every = fields.duration("interval", SECOND);
    draft.set_interval("interval", every.unwrap_or(Duration::from_secs(60)));
    // The database contains 0 until the form is saved.
    fields.ignore_if_zero("timeout");
    if let Some(timeout) = fields.duration("timeout", SECOND) {
        draft.set_timeout("timeout", timeout);
    }
    let retries = fields.number("maxretries").unwrap_or(0.0);
    draft.set_count("failures_to_open", "maxretries", retries + 1.0);
    let resent = fields.number("resendInterval").unwrap_or(0.0);
    if let Some(again) = every
        .and_then(|every| scaled(every, resent))
        .filter(|again| !again.is_zero())
    {
        let pause = again.max(MIN_REMINDER);
        draft.set("remind_every", format_duration(pause));
        if pause != again {
            draft.add_note(
                NoteKind::Changed,
                "resendInterval",
                format!("became {}", format_duration(pause)),
            );
        }
    }
    if fields.switch("active") == Some(false) {
        draft.set("enabled", false);
    }
    for mut tag in fields.maps("tags") {
        match (tag.text("name"), tag.text("value")) {
            (Some(name), Some(value)) => draft.tag(&format!("{name}={value}")),
            (Some(name), None) => draft.tag(&name),
            (None, _) => {}
        }
    }
}

fn http(draft: &mut Draft, fields: &mut SourceFields) -> Result<(), &'static str> {
    let url = fields
        .text("url")
        .and_then(|url| Address::parse(&url))
        .ok_or("its `url` has no host")?;
    draft.set_http_target(&url);
    let method = fields
        .text("method")
        .unwrap_or_else(|| "GET".to_owned())
        .to_ascii_uppercase();

    if !matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS") {
        let reason =
            "only GET, HEAD and OPTIONS are supported: became HEAD, which requires a status below 500";
        draft.add_note(NoteKind::Changed, "method", reason);
        return Ok(());
    }
    let codes = fields.texts("accepted_statuscodes");
    let follows = fields.number("maxredirects").is_some_and(|count| count > 0.0);
    draft.set_option("http", "method", method);
    draft.set_option("http", "follow", follows);
    if !codes.is_empty() {
        draft.set_option("http", "status", json!(codes));
    }
    match (fields.text("keyword"), fields.switch("invertKeyword")) {
        (Some(_), Some(true)) => draft.add_note(
            NoteKind::Lost,
            "keyword",
            "a text can only be required, not forbidden",
        ),
        (Some(keyword), _) => draft.set_option("http", "text", keyword),
        (None, _) => {}
    }
    Ok(())
}

fn host_and_port(draft: &mut Draft, fields: &mut SourceFields) -> Result<(), &'static str> {
    let host = fields.text("hostname").ok_or("`hostname` is missing")?;
    let address = Address::parse(&host).ok_or("its `hostname` is not a host")?;
    draft.set("host", address.host);
    if let Some(port) = fields.number("port").and_then(whole).or(address.port) {
        draft.set("port", port);
    }
    Ok(())
}

fn ping(draft: &mut Draft, fields: &mut SourceFields) -> Result<(), &'static str> {
    let host = fields.text("hostname").ok_or("`hostname` is missing")?;
    let address = Address::parse(&host).ok_or("its `hostname` is not a host")?;
    draft.set_ping(&address.host);
    Ok(())
}

fn dns(draft: &mut Draft, fields: &mut SourceFields) -> Result<(), &'static str> {
    let server = fields
        .text("dns_resolve_server")
        .ok_or("`dns_resolve_server` is missing")?;
    let servers: Vec<&str> = server.split(',').map(str::trim).collect();
    let address = servers
        .first()
        .and_then(|first| Address::parse(first))
        .ok_or("its `dns_resolve_server` is not a host")?;
    if servers.len() > 1 {
        draft.add_note(
            NoteKind::Changed,
            "dns_resolve_server",
            "only the first server is used: create a monitor for each",
        );
    }
    draft.set("service", "dns");
    draft.set_target(&address, Some(53));
    if let Some(port) = fields.number("port").and_then(whole).filter(|port| *port != 53) {
        draft.set("port", port);
    }
    draft.set_option("dns", "transport", "udp");
    if let Some(name) = fields.text("hostname") {
        draft.set_option("dns", "name", name);
    }
    if let Some(record_type) = fields.text("dns_resolve_type") {
        draft.set_option("dns", "type", record_type.to_ascii_uppercase());
    }
    Ok(())
}

fn database(draft: &mut Draft, fields: &mut SourceFields, kind: &str) -> Result<(), &'static str> {
    let connection = fields.text("databaseConnectionString");
    let address = connection
        .and_then(|text| Address::parse(&text))
        .ok_or("its connection string has no host")?;
    draft.set("service", kind);
    draft.set_target(&address, None);
    let reason = "became a readiness check without credentials or a query";
    draft.add_note(NoteKind::Changed, "databaseConnectionString", reason);
    Ok(())
}

fn whole(port: f64) -> Option<u16> {
    (1..=u16::MAX).find(|whole| (f64::from(*whole) - port).abs() < f64::EPSILON)
}
