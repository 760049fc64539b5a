//! Uptime Kuma 1.x: the backup that its settings download.
//!
//! Sources: <https://github.com/louislam/uptime-kuma/blob/1.23.X/server/model/monitor.js>, `toJSON`; and
//! <https://github.com/louislam/uptime-kuma/blob/1.23.X/src/components/settings/Backup.vue>, `downloadBackup`, which
//! writes the version, the notifications and the monitors, and nothing else.

use std::time::Duration;

use portpulse_core::time::format_duration;
use serde_json::{Value, json};

use crate::address::Address;
use crate::draft::{Draft, scaled};
use crate::fields::{Fields, Known};
use crate::left::{Kind, Left};
use crate::{Format, ImportError, Read};

const SECOND: Duration = Duration::from_secs(1);
/// The least of `remind_every`.
const MIN_REMINDER: Duration = Duration::from_secs(300);

const OF_FILE: [Known; 4] = [
    ("version", Kind::NotNeeded, "is of Uptime Kuma itself"),
    (
        "notificationList",
        Kind::Lost,
        "whom to tell is set up with the variable `subscribers`, and in the relay",
    ),
    ("proxyList", Kind::Lost, "checks go straight to their target"),
    ("statusPageList", Kind::NotNeeded, "is of the page"),
];
const CREDENTIALS: &str = "checks have no credentials";
const OF_ITSELF: &str = "is of Uptime Kuma itself";
const OTHER_KIND: &str = "is of another type of monitor, or goes with a method that is not sent";
const OF_MONITOR: [Known; 69] = [
    ("url", Kind::NotNeeded, OTHER_KIND),
    ("method", Kind::NotNeeded, OTHER_KIND),
    ("accepted_statuscodes", Kind::NotNeeded, OTHER_KIND),
    ("maxredirects", Kind::NotNeeded, OTHER_KIND),
    ("keyword", Kind::NotNeeded, OTHER_KIND),
    ("hostname", Kind::NotNeeded, OTHER_KIND),
    ("port", Kind::NotNeeded, OTHER_KIND),
    ("id", Kind::NotNeeded, OF_ITSELF),
    ("weight", Kind::NotNeeded, OF_ITSELF),
    ("pathName", Kind::NotNeeded, OF_ITSELF),
    ("path", Kind::NotNeeded, OF_ITSELF),
    (
        "parent",
        Kind::NotNeeded,
        "groups are of the page; `depends_on` holds alerts back",
    ),
    (
        "childrenIDs",
        Kind::NotNeeded,
        "groups are of the page; `depends_on` holds alerts back",
    ),
    ("forceInactive", Kind::NotNeeded, OF_ITSELF),
    (
        "maintenance",
        Kind::Lost,
        "was on when the backup was made, which does not say until when",
    ),
    ("includeSensitiveData", Kind::NotNeeded, OF_ITSELF),
    ("screenshot", Kind::NotNeeded, OF_ITSELF),
    ("dns_last_result", Kind::NotNeeded, OF_ITSELF),
    ("cacheBust", Kind::NotNeeded, OF_ITSELF),
    ("description", Kind::Lost, "a `runbook` says what to do"),
    (
        "retryInterval",
        Kind::Lost,
        "what failed is checked again at its interval",
    ),
    (
        "notificationIDList",
        Kind::Lost,
        "whom to tell is set up with the variable `subscribers`, and in the relay",
    ),
    (
        "expiryNotification",
        Kind::NotNeeded,
        "an expiring certificate is always told; `warn_days` says when",
    ),
    (
        "domainExpiryNotification",
        Kind::Lost,
        "the expiry of a domain is not watched",
    ),
    ("ignoreTls", Kind::Lost, "certificates are always checked"),
    ("proxyId", Kind::Lost, "checks go straight to their target"),
    ("headers", Kind::Lost, "requests have no headers of one's own"),
    ("body", Kind::Lost, "requests have no body"),
    ("httpBodyEncoding", Kind::NotNeeded, "requests have no body"),
    ("authMethod", Kind::Lost, CREDENTIALS),
    ("basic_auth_user", Kind::Lost, CREDENTIALS),
    ("basic_auth_pass", Kind::Lost, CREDENTIALS),
    ("authWorkstation", Kind::Lost, CREDENTIALS),
    ("authDomain", Kind::Lost, CREDENTIALS),
    ("oauth_client_id", Kind::Lost, CREDENTIALS),
    ("oauth_client_secret", Kind::Lost, CREDENTIALS),
    ("oauth_token_url", Kind::Lost, CREDENTIALS),
    ("oauth_scopes", Kind::Lost, CREDENTIALS),
    ("oauth_auth_method", Kind::Lost, CREDENTIALS),
    (
        "tlsCa",
        Kind::Lost,
        "certificates are checked against the public authorities",
    ),
    ("tlsCert", Kind::Lost, CREDENTIALS),
    ("tlsKey", Kind::Lost, CREDENTIALS),
    (
        "invertKeyword",
        Kind::Lost,
        "a text can only be asked to be there",
    ),
    ("jsonPath", Kind::Lost, "only plain text can be looked for"),
    ("expectedValue", Kind::Lost, "only plain text can be looked for"),
    ("conditions", Kind::Lost, "no such condition can be had"),
    (
        "databaseQuery",
        Kind::Lost,
        "nothing is queried, for checks have no credentials",
    ),
    ("mqttUsername", Kind::Lost, CREDENTIALS),
    ("mqttPassword", Kind::Lost, CREDENTIALS),
    (
        "mqttTopic",
        Kind::Lost,
        "the port is checked, not what is spoken on it",
    ),
    (
        "mqttSuccessMessage",
        Kind::Lost,
        "the port is checked, not what is spoken on it",
    ),
    ("radiusUsername", Kind::NotNeeded, OTHER_KIND),
    ("radiusPassword", Kind::NotNeeded, OTHER_KIND),
    ("radiusSecret", Kind::NotNeeded, OTHER_KIND),
    ("radiusCalledStationId", Kind::NotNeeded, OTHER_KIND),
    ("radiusCallingStationId", Kind::NotNeeded, OTHER_KIND),
    ("docker_container", Kind::NotNeeded, OTHER_KIND),
    ("docker_host", Kind::NotNeeded, OTHER_KIND),
    ("game", Kind::NotNeeded, OTHER_KIND),
    ("gamedigGivenPortOnly", Kind::NotNeeded, OTHER_KIND),
    ("pushToken", Kind::NotNeeded, OTHER_KIND),
    ("packetSize", Kind::NotNeeded, "there is no ICMP"),
    ("grpcUrl", Kind::NotNeeded, OTHER_KIND),
    ("grpcEnableTls", Kind::NotNeeded, OTHER_KIND),
    ("kafkaProducerAllowAutoTopicCreation", Kind::NotNeeded, OTHER_KIND),
    ("kafkaProducerSaslOptions", Kind::NotNeeded, OTHER_KIND),
    ("kafkaProducerSsl", Kind::NotNeeded, OTHER_KIND),
    ("dns_resolve_type", Kind::NotNeeded, OTHER_KIND),
    ("dns_resolve_server", Kind::NotNeeded, OTHER_KIND),
];

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Read, ImportError> {
    let mut read = Read::default();
    for (name, value) in sources {
        let file = Fields::of(value).filter(|file| file.has("monitorList"));
        let mut file = file.ok_or_else(|| ImportError::Foreign {
            name: name.to_owned(),
            format: Format::UptimeKuma,
            wanted: "it has no `monitorList`",
        })?;
        for (index, monitor) in file.list("monitorList").into_iter().enumerate() {
            match Fields::of(monitor) {
                Some(fields) => read.drafts.extend(monitor_of(fields, index, &mut read.left)),
                None => read.left.push(Left {
                    kind: Kind::Unknown,
                    of: name.to_owned(),
                    field: format!("monitorList.{index}"),
                    why: "is not a map".to_owned(),
                }),
            }
        }
        read.left.push(Left {
            kind: Kind::Lost,
            of: name.to_owned(),
            field: "maintenance".to_owned(),
            why: "a backup does not have it: write its windows as `maintenance:`".to_owned(),
        });
        file.rest(name, "", &OF_FILE, &mut read.left);
    }
    Ok(read)
}

fn monitor_of(mut fields: Fields, index: usize, left: &mut Vec<Left>) -> Option<Draft> {
    let name = fields.text("name").unwrap_or_else(|| format!("monitor {index}"));
    let mut draft = Draft::new(&name, &name);
    let kind = fields.text("type").unwrap_or_default();
    let inverted = fields.switch("upsideDown") == Some(true);
    let made = match (kind.as_str(), inverted) {
        ("port", true) => {
            draft.set("expect", "closed");
            host_and_port(&mut draft, &mut fields)
        }
        (_, true) => Err("what is upside down can only be a port that must be closed"),
        ("http" | "keyword" | "json-query", false) => http(&mut draft, &mut fields),
        ("port" | "mqtt", false) => host_and_port(&mut draft, &mut fields),
        ("smtp", false) => {
            draft.set("service", "smtp");
            host_and_port(&mut draft, &mut fields)
        }
        ("ping" | "tailscale-ping", false) => ping(&mut draft, &mut fields),
        ("dns", false) => dns(&mut draft, &mut fields),
        ("postgres" | "mysql" | "mongodb" | "redis", false) => database(&mut draft, &mut fields, &kind),
        ("docker", false) => Err("a container cannot be seen from outside"),
        ("push" | "manual", false) => Err("what reports by itself cannot be watched from outside"),
        ("steam" | "gamedig" | "radius" | "snmp", false) => Err("only DNS is checked over UDP"),
        ("group", false) => Err("groups are of the page; `depends_on` holds alerts back"),
        ("sqlserver", false) => Err("is not among the services: watch its port"),
        ("grpc-keyword" | "kafka-producer" | "rabbitmq" | "real-browser", false) => {
            Err("nothing is asked of it here: watch its port")
        }
        (_, false) => Err("is of a type that is not known here"),
    };
    if let Err(why) = made {
        left.push(Left {
            kind: Kind::Lost,
            of: draft.name,
            field: format!("type {}", crate::left::tame(&kind)),
            why: why.to_owned(),
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
        fields.forget_if_off(switch);
    }
    let name = draft.name.clone();
    fields.rest(&name, "", &OF_MONITOR, &mut draft.left);
    Some(draft)
}

fn common(draft: &mut Draft, fields: &mut Fields) {
    let every = fields.duration("interval", SECOND);
    draft.every("interval", every.unwrap_or(Duration::from_secs(60)));
    // 0 is what its database has where the form was never saved.
    fields.forget_if_zero("timeout");
    if let Some(timeout) = fields.duration("timeout", SECOND) {
        draft.timeout("timeout", timeout);
    }
    let retries = fields.number("maxretries").unwrap_or(0.0);
    draft.ticks("failures_to_open", "maxretries", retries + 1.0);
    let resent = fields.number("resendInterval").unwrap_or(0.0);
    if let Some(again) = every
        .and_then(|every| scaled(every, resent))
        .filter(|again| !again.is_zero())
    {
        let least = again.max(MIN_REMINDER);
        draft.set("remind_every", format_duration(least));
        if least != again {
            draft.leave(
                Kind::Changed,
                "resendInterval",
                format!("it became {}", format_duration(least)),
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

fn http(draft: &mut Draft, fields: &mut Fields) -> Result<(), &'static str> {
    let url = fields
        .text("url")
        .and_then(|url| Address::parse(&url))
        .ok_or("its `url` names no host")?;
    draft.http_at(&url);
    let method = fields
        .text("method")
        .unwrap_or_else(|| "GET".to_owned())
        .to_ascii_uppercase();

    if !matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS") {
        let why = "only GET, HEAD and OPTIONS are sent: HEAD asks whether the server answers with a status below 500";
        draft.leave(Kind::Changed, "method", why);
        return Ok(());
    }
    let codes = fields.texts("accepted_statuscodes");
    let follows = fields.number("maxredirects").is_some_and(|most| most > 0.0);
    draft.option("http", "method", method);
    draft.option("http", "follow", follows);
    if !codes.is_empty() {
        draft.option("http", "status", json!(codes));
    }
    match (fields.text("keyword"), fields.switch("invertKeyword")) {
        (Some(_), Some(true)) => draft.leave(Kind::Lost, "keyword", "a text can only be asked to be there"),
        (Some(keyword), _) => draft.option("http", "text", keyword),
        (None, _) => {}
    }
    Ok(())
}

fn host_and_port(draft: &mut Draft, fields: &mut Fields) -> Result<(), &'static str> {
    let host = fields.text("hostname").ok_or("it has no `hostname`")?;
    let address = Address::parse(&host).ok_or("its `hostname` is no host")?;
    draft.set("host", address.host);
    if let Some(port) = fields.number("port").and_then(whole).or(address.port) {
        draft.set("port", port);
    }
    Ok(())
}

fn ping(draft: &mut Draft, fields: &mut Fields) -> Result<(), &'static str> {
    let host = fields.text("hostname").ok_or("it has no `hostname`")?;
    let address = Address::parse(&host).ok_or("its `hostname` is no host")?;
    draft.ping(&address.host);
    Ok(())
}

fn dns(draft: &mut Draft, fields: &mut Fields) -> Result<(), &'static str> {
    let server = fields
        .text("dns_resolve_server")
        .ok_or("it has no `dns_resolve_server`")?;
    let servers: Vec<&str> = server.split(',').map(str::trim).collect();
    let address = servers
        .first()
        .and_then(|first| Address::parse(first))
        .ok_or("its `dns_resolve_server` is no host")?;
    if servers.len() > 1 {
        draft.leave(
            Kind::Changed,
            "dns_resolve_server",
            "only the first is asked: make a monitor of each",
        );
    }
    draft.set("service", "dns");
    draft.at(&address, Some(53));
    if let Some(port) = fields.number("port").and_then(whole).filter(|port| *port != 53) {
        draft.set("port", port);
    }
    draft.option("dns", "transport", "udp");
    if let Some(name) = fields.text("hostname") {
        draft.option("dns", "name", name);
    }
    if let Some(record_type) = fields.text("dns_resolve_type") {
        draft.option("dns", "type", record_type.to_ascii_uppercase());
    }
    Ok(())
}

fn database(draft: &mut Draft, fields: &mut Fields, kind: &str) -> Result<(), &'static str> {
    let connection = fields.text("databaseConnectionString");
    let address = connection
        .and_then(|text| Address::parse(&text))
        .ok_or("its connection string names no host")?;
    draft.set("service", kind);
    draft.at(&address, None);
    let why = "it is asked whether it serves, without credentials and without a query";
    draft.leave(Kind::Changed, "databaseConnectionString", why);
    Ok(())
}

fn whole(port: f64) -> Option<u16> {
    (1..=u16::MAX).find(|whole| (f64::from(*whole) - port).abs() < f64::EPSILON)
}
