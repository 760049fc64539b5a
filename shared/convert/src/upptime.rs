//! Upptime: the sites of `.upptimerc.yml`.
//!
//! Sources: <https://upptime.js.org/docs/configuration>, and for what the documentation leaves open,
//! <https://github.com/upptime/uptime-monitor/blob/master/src/update.ts> and `helpers/request.ts`.

use std::time::Duration;

use portpulse_core::retry::{MAX_RETRY_WINDOW, RetryPolicy};
use portpulse_core::time::{format_duration, parse_duration};
use serde_json::{Value, json};

use crate::address::Address;
use crate::draft::Draft;
use crate::note::Note;
use crate::note::NoteKind::{Lost, NotNeeded};
use crate::source_fields::{SourceFields, UnusedKey};
use crate::statuses::Statuses;
use crate::{Extracted, Format, ImportError};

/// The default schedule of checks: every 5 minutes.
const EVERY: Duration = Duration::from_secs(300);
/// The default timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The library ping waits this long for each of five connects.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The default number of redirects.
const REDIRECTS: f64 = 3.0;
/// The days before the expiry of a certificate from which `check: ssl` is down.
const WARN_DAYS: u64 = 7;

const OF_ITSELF: &str = "The setting concerns only Upptime itself.";
const OF_THE_PAGE: &str = "The setting concerns only the status page.";
const DESTINATIONS: &str = "Notifications are configured apart: with the variable `subscribers`, or as destinations of the \
                            relay.";
const NOT_A_SWITCH: &str = "The value is not a boolean.";

const FILE: [UnusedKey; 26] = [
    ("owner", NotNeeded, OF_ITSELF),
    ("repo", NotNeeded, OF_ITSELF),
    ("user-agent", NotNeeded, OF_ITSELF),
    ("sites", Lost, "The value is not a list."),
    ("notifications", Lost, DESTINATIONS),
    ("assignees", Lost, DESTINATIONS),
    ("delay", NotNeeded, OF_ITSELF),
    ("PAT", NotNeeded, OF_ITSELF),
    ("status-website", NotNeeded, OF_THE_PAGE),
    ("skipDescriptionUpdate", NotNeeded, OF_ITSELF),
    ("skipTopicsUpdate", NotNeeded, OF_ITSELF),
    ("skipHomepageUpdate", NotNeeded, OF_ITSELF),
    ("skipDeleteIssues", NotNeeded, OF_ITSELF),
    ("skipPoweredByReadme", NotNeeded, OF_ITSELF),
    ("commitMessages", NotNeeded, OF_ITSELF),
    ("summaryStartHtmlComment", NotNeeded, OF_ITSELF),
    ("summaryEndHtmlComment", NotNeeded, OF_ITSELF),
    ("liveStatusHtmlComment", NotNeeded, OF_ITSELF),
    ("commitPrefixStatusUp", NotNeeded, OF_ITSELF),
    ("commitPrefixStatusDown", NotNeeded, OF_ITSELF),
    ("commitPrefixStatusDegraded", NotNeeded, OF_ITSELF),
    ("i18n", NotNeeded, OF_THE_PAGE),
    ("runner", NotNeeded, OF_ITSELF),
    ("customStatusWebsitePackage", NotNeeded, OF_THE_PAGE),
    ("skipGeneratingWebsite", NotNeeded, OF_THE_PAGE),
    ("secrets", NotNeeded, OF_ITSELF),
];
const SITE: [UnusedKey; 20] = [
    ("method", NotNeeded, "The setting concerns only HTTP."),
    (
        "expectedStatusCodes",
        Lost,
        "The status is not checked: the check has none.",
    ),
    ("headers", NotNeeded, "The setting concerns only HTTP."),
    ("body", NotNeeded, "The setting concerns only HTTP."),
    ("port", NotNeeded, "The URL names the port."),
    ("assignees", Lost, DESTINATIONS),
    ("slug", NotNeeded, OF_THE_PAGE),
    ("icon", NotNeeded, OF_THE_PAGE),
    ("verbose", NotNeeded, OF_ITSELF),
    (
        "location",
        Lost,
        "The location of a check is not chosen by the site: use `locations`.",
    ),
    ("ipv6", NotNeeded, "Upptime uses the setting only for `tcp-ping`."),
    ("maxRedirects", NotNeeded, "The setting concerns only HTTP."),
    ("requestTimeout", NotNeeded, "The setting concerns only HTTP."),
    (
        "connectTimeout",
        NotNeeded,
        "A check has one timeout for all phases.",
    ),
    ("__dangerous__insecure", Lost, NOT_A_SWITCH),
    ("__dangerous__disable_verify_peer", Lost, NOT_A_SWITCH),
    ("__dangerous__disable_verify_host", Lost, NOT_A_SWITCH),
    (
        "__dangerous__body_down",
        NotNeeded,
        "The setting concerns only HTTP.",
    ),
    (
        "__dangerous__body_degraded",
        Lost,
        "A text makes a check down, not degraded, so this condition is not checked.",
    ),
    (
        "__dangerous__body_degraded_if_text_missing",
        Lost,
        "A missing text is down, not degraded, so this condition is not checked.",
    ),
];

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Extracted, ImportError> {
    let mut read = Extracted::default();
    for (name, value) in sources {
        let mut file = SourceFields::from_value(value)
            .filter(|file| file.has("sites"))
            .ok_or_else(|| ImportError::Foreign {
                name: name.to_owned(),
                format: Format::Upptime,
                problem: "`sites:` is missing",
            })?;
        let mut schedule = file.map("workflowSchedule").unwrap_or_default();
        let every = schedule.text("uptime").map(|cron| (every(&cron), cron));
        let every = match every {
            None => EVERY,
            Some((Some(every), _)) => every,
            Some((None, _)) => {
                let reason = "Of this schedule, only `*/N * * * *` is supported: became 5m.";
                read.notes
                    .push(Note::changed(name, "workflowSchedule.uptime", reason));
                EVERY
            }
        };
        let others: Vec<String> = schedule.names().map(str::to_owned).collect();
        if !others.is_empty() {
            read.notes
                .push(Note::not_needed(name, "workflowSchedule", OF_ITSELF));
        }
        for (index, site) in file.list("sites").into_iter().enumerate() {
            read.found += 1;
            match SourceFields::from_value(site) {
                Some(fields) => site_of(fields, index, every, &mut read),
                None => {
                    let field = format!("sites.{index}");
                    read.notes
                        .push(Note::lost(name, &field, "The value is not a map."));
                }
            }
        }
        file.note_unused(name, "", &FILE, &mut read.notes);
    }
    Ok(read)
}

/// The interval of `*/N * * * *`.
fn every(cron: &str) -> Option<Duration> {
    let parts: Vec<&str> = cron.split_whitespace().collect();
    let [minutes, "*", "*", "*", "*"] = parts.as_slice() else {
        return None;
    };
    let minutes = match minutes.strip_prefix("*/") {
        Some(minutes) => minutes.parse().ok().filter(|minutes| *minutes > 0)?,
        None if *minutes == "*" => 1,
        None => return minutes.parse::<u8>().ok().map(|_| Duration::from_secs(3_600)),
    };
    Some(Duration::from_secs(minutes * 60))
}

fn site_of(mut fields: SourceFields, index: usize, every: Duration, read: &mut Extracted) {
    let url = fields.text("url").unwrap_or_default();
    let address = Address::parse(&url);
    let name = fields
        .text("name")
        .or_else(|| address.as_ref().map(|address| address.shown(&url)));
    let name = name.unwrap_or_else(|| format!("site {index}"));
    let mut draft = Draft::new(&name, &name);
    draft.set_display_name(&name);
    let Some(address) = address else {
        read.notes
            .push(Note::lost(&draft.name, "", "Its `url` has no host."));
        return;
    };
    match fields.text("type").as_deref() {
        None | Some("local") => {}
        Some(_) => draft.lost("type", "Checks do not run on Globalping."),
    }
    let check = fields.text("check").unwrap_or_else(|| "http".to_owned());
    let made = match check.as_str() {
        "http" => {
            http(&mut draft, &mut fields, &address);
            Ok(())
        }
        "tcp-ping" => connect(&mut draft, &mut fields, &address),
        "ws" => {
            web_socket(&mut draft, &address);
            Ok(())
        }
        "ssl" => {
            certificate(&mut draft, &mut fields, &address);
            Ok(())
        }
        _ => Err("Its `check` is not known."),
    };
    if let Err(reason) = made {
        read.notes.push(Note::lost(&draft.name, "", reason));
        return;
    }
    draft.set_interval("workflowSchedule.uptime", every);
    retries(&mut draft);
    draft.set("successes_to_close", 1);
    drop(fields.take("maxRetries"));
    for tag in fields.texts("tags") {
        draft.tag(&tag);
    }
    insecure(&mut draft, &mut fields);
    if let Some(limit) = fields.duration("maxResponseTime", Duration::from_millis(1)) {
        draft.set_slow_limit("maxResponseTime", limit);
    }
    for switch in ["verbose", "ipv6"] {
        fields.ignore_if_off(switch);
    }
    let name = draft.name.clone();
    fields.note_unused(&name, "", &SITE, &mut draft.notes);
    read.drafts.push(draft);
}

/// Accepts any certificate: the library of newer versions verifies all or nothing, that of older ones each part.
fn insecure(draft: &mut Draft, fields: &mut SourceFields) {
    let mut is_on = |field: &str| fields.switch(field) == Some(true);
    let is_whole = is_on("__dangerous__insecure");
    for field in [
        "__dangerous__disable_verify_peer",
        "__dangerous__disable_verify_host",
    ] {
        if is_on(field) {
            draft.set_insecure(field);
            if !is_whole {
                draft.changed(
                    field,
                    "Neither the authority nor the name of the certificate is verified.",
                );
            }
        }
    }
    if is_whole {
        draft.set_insecure("__dangerous__insecure");
    }
}

/// Upptime repeats a failed check after 1 s and after 10 s, before it reports the failure.
fn retries(draft: &mut Draft) {
    let timeout = draft.text("timeout").and_then(|text| parse_duration(text).ok());
    let fits = |policy: &RetryPolicy| policy.window(timeout.unwrap_or_default()) <= MAX_RETRY_WINDOW;
    let policy = |count, seconds| RetryPolicy {
        count,
        interval: Duration::from_secs(seconds),
    };
    let policy = [policy(2, 5), policy(1, 10)]
        .into_iter()
        .find(fits)
        .unwrap_or(RetryPolicy::NONE);
    draft.set("failures_to_open", 1);
    draft.set("retries", policy.count);
    if policy.count > 0 {
        draft.set("retry_interval", format_duration(policy.interval));
    }
    let reason = format!(
        "Upptime repeats a failed check after 1 s and again after 10 s; here it is repeated {}.",
        match policy.count {
            2 => "twice, after 5 s each",
            _ => "once, after 10 s",
        }
    );
    draft.changed("maxRetries", reason);
}

fn http(draft: &mut Draft, fields: &mut SourceFields, address: &Address) {
    draft.set_http_target(address);
    let timeout = fields.duration("requestTimeout", Duration::from_secs(1));
    let timeout = timeout.filter(|timeout| !timeout.is_zero());
    draft.set_timeout("requestTimeout", timeout.unwrap_or(TIMEOUT));
    let method = fields.text("method").unwrap_or_else(|| "GET".to_owned());
    draft.set_method("method", &method);
    for header in fields.texts("headers") {
        let (name, value) = header.split_once(':').unwrap_or((&header, ""));
        let (name, value) = (name.trim(), value.trim());
        draft.add_header(&format!("headers.{name}"), name, value);
    }
    if let Some(body) = fields.text("body") {
        draft.set_body("body", &body);
    }
    let redirects = fields.number("maxRedirects").unwrap_or(REDIRECTS);
    draft.set_option("http", "follow", redirects > 0.0);
    let codes = fields.texts("expectedStatusCodes");
    let codes: Vec<u16> = codes.iter().filter_map(|code| code.parse().ok()).collect();
    let mut statuses = Statuses::all();
    if codes.is_empty() {
        statuses.keep(|status| matches!(status, 200..=208 | 226 | 300..=308));
    } else {
        statuses.keep(|status| codes.contains(&status));
    }
    match statuses.field() {
        Ok(field) => draft.set_option("http", "status", field),
        Err(reason) => {
            draft.set_option("http", "status", json!(["100-999"]));
            draft.lost("expectedStatusCodes", reason);
        }
    }
    if let Some(text) = fields.text("__dangerous__body_down_if_text_missing") {
        draft.require_text("__dangerous__body_down_if_text_missing", &text);
    }
    if let Some(text) = fields.text("__dangerous__body_down") {
        draft.forbid_text("__dangerous__body_down", &text);
    }
    draft.set_warn_days("", None);
}

fn connect(draft: &mut Draft, fields: &mut SourceFields, address: &Address) -> Result<(), &'static str> {
    let port = fields.text("port").and_then(|port| port.parse::<u16>().ok());
    let port = port.or(address.port).ok_or("Its `port` is missing.")?;
    draft.set("host", address.host.as_str());
    draft.set("port", port);
    draft.set_timeout("tcp-ping", CONNECT_TIMEOUT);
    let is_address = address.host.starts_with('[') || address.host.parse::<std::net::IpAddr>().is_ok();
    let uses_v6 = fields.switch("ipv6") == Some(true);
    if !is_address {
        draft.set("ip", if uses_v6 { "v6" } else { "v4" });
    }
    Ok(())
}

fn web_socket(draft: &mut Draft, address: &Address) {
    draft.set_websocket_target(address);
    draft.set_timeout("ws", Duration::from_secs(30));
    draft.changed(
        "check",
        "The upgrade to WebSocket is checked, and no message is sent.",
    );
    draft.set_warn_days("", None);
}

fn certificate(draft: &mut Draft, fields: &mut SourceFields, address: &Address) {
    let port = fields.text("port").and_then(|port| port.parse::<u16>().ok());
    draft.set("service", "tls");
    draft.set("host", address.host.as_str());
    draft.set("port", port.or(address.port).unwrap_or(443));
    draft.set_timeout("ssl", Duration::from_secs(30));
    draft.set_warn_days("check", Some(WARN_DAYS));
    draft.changed(
        "check",
        "An expiring certificate makes the monitor degraded, not down.",
    );
}
