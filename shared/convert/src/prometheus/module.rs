//! Converts modules of the blackbox exporter to fields of monitors.

use std::time::Duration;

use serde_json::{Value, json};

use super::expression::{literal, script};
use super::unused_keys::{DNS_KEYS, HTTP_KEYS, ICMP_KEYS, TCP_KEYS};
use crate::address::Address;
use crate::draft::Draft;
use crate::note::{Note, NoteKind, sanitize};
use crate::source_fields::SourceFields;

/// The modules in the default `blackbox.yml` of the exporter.
pub(super) fn builtin(name: &str) -> Option<SourceFields> {
    let module = match name {
        "http_2xx" => json!({ "prober": "http" }),
        "tcp_connect" => json!({ "prober": "tcp" }),
        "icmp" => json!({ "prober": "icmp" }),
        "ssh_banner" => json!({ "prober": "tcp", "tcp": { "query_response": [{ "expect": "^SSH-2.0-" }] } }),
        "pop3s_banner" => {
            json!({ "prober": "tcp", "tcp": { "query_response": [{ "expect": "^\\+OK" }], "tls": true } })
        }
        _ => return None,
    };
    SourceFields::from_value(module)
}

/// Applies a module to the draft.
///
/// # Errors
/// The reason, if the module or the target is not supported.
pub(super) fn apply(
    name: &str,
    mut module: SourceFields,
    target: &str,
    scrape_timeout: Option<Duration>,
    draft: &mut Draft,
    notes: &mut Vec<Note>,
) -> Result<(), &'static str> {
    let item = format!("module {name}");
    let prober = module.text("prober").unwrap_or_default();
    let timeout = module.duration("timeout", Duration::from_secs(1));
    if let Some(timeout) = timeout.or(scrape_timeout) {
        draft.set_timeout("timeout", timeout);
    }
    let mut options = module.map(&prober).unwrap_or_default();
    let address = Address::parse(target).ok_or("is not an address")?;
    match prober.as_str() {
        "http" => {
            draft.set_http_target(&address);
            family(draft, &mut options, &item, notes);
            http(draft, &mut options, &item, notes);
            options.note_unused(&item, "http.", &HTTP_KEYS, notes);
        }
        "tcp" => {
            draft.set_target(&address, None);
            family(draft, &mut options, &item, notes);
            tcp(draft, &mut options, &item, notes);
            options.note_unused(&item, "tcp.", &TCP_KEYS, notes);
        }
        "dns" => {
            draft.set("service", "dns");
            draft.set_target(&address, Some(53));
            family(draft, &mut options, &item, notes);
            dns(draft, &mut options, &item, notes);
            options.note_unused(&item, "dns.", &DNS_KEYS, notes);
        }
        "icmp" => {
            draft.set_ping(&address.host);
            options.note_unused(&item, "icmp.", &ICMP_KEYS, notes);
        }
        "grpc" => {
            draft.set_target(&address, None);
            draft.add_note(
                NoteKind::Changed,
                "grpc",
                "only the port is checked, not the protocol",
            );
            let reason = "only the port is checked, not the protocol";
            options.note_unused(
                &item,
                "grpc.",
                &[
                    ("service", NoteKind::Lost, reason),
                    ("tls", NoteKind::Lost, reason),
                ],
                notes,
            );
        }
        _ => return Err("its module has an unknown prober"),
    }
    module.note_unused(&item, "", &[], notes);
    Ok(())
}

/// Sets the address family, which is fixed only without a fallback.
fn family(draft: &mut Draft, options: &mut SourceFields, item: &str, notes: &mut Vec<Note>) {
    if options.switch("ip_protocol_fallback") == Some(false) {
        let preferred = options.text("preferred_ip_protocol");
        draft.set(
            "ip",
            if preferred.as_deref() == Some("ip4") {
                "v4"
            } else {
                "v6"
            },
        );
    } else if options.take("preferred_ip_protocol").is_some() {
        notes.push(Note {
            kind: NoteKind::NotNeeded,
            item: sanitize(item),
            field: "preferred_ip_protocol".to_owned(),
            reason: "both address families are allowed".to_owned(),
        });
    }
}

fn http(draft: &mut Draft, options: &mut SourceFields, item: &str, notes: &mut Vec<Note>) {
    let method = options
        .text("method")
        .unwrap_or_else(|| "GET".to_owned())
        .to_ascii_uppercase();
    options.ignore_if_off("fail_if_ssl");
    options.ignore_if_off("fail_if_not_ssl");
    let is_sent = matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS");
    let patterns = if is_sent {
        options.texts("fail_if_body_not_matches_regexp")
    } else {
        Vec::new()
    };
    let follows = match (
        options.switch("follow_redirects"),
        options.switch("no_follow_redirects"),
    ) {
        (Some(follows), _) => follows,
        (None, Some(not)) => !not,
        (None, None) => true,
    };
    let codes = if is_sent {
        options.list("valid_status_codes")
    } else {
        Vec::new()
    };
    let mut notes = |kind, field: &str, reason: &str| {
        notes.push(Note {
            kind,
            item: sanitize(item),
            field: format!("http.{field}"),
            reason: reason.to_owned(),
        });
    };
    if options.switch("accept_any_response") == Some(true) {
        notes(
            NoteKind::Changed,
            "accept_any_response",
            "became any status from 100 to 599",
        );
        draft.set_option("http", "status", json!(["100-599"]));
    } else if !is_sent {
        let reason =
            "only GET, HEAD and OPTIONS are supported: became HEAD, which requires a status below 500";
        notes(NoteKind::Changed, "method", reason);
        return;
    } else if let Some(statuses) = statuses(&codes) {
        draft.set_option("http", "status", statuses);
    }
    if codes.iter().any(|code| code.as_u64().is_none()) {
        notes(
            NoteKind::Lost,
            "valid_status_codes",
            "contains a value that is not a number",
        );
    }
    draft.set_option("http", "method", method);
    draft.set_option("http", "follow", follows);
    for (index, pattern) in patterns.iter().enumerate() {
        match literal(pattern) {
            Some(text) if index == 0 => draft.set_option("http", "text", text),
            Some(_) => notes(
                NoteKind::Lost,
                "fail_if_body_not_matches_regexp",
                "only one text is supported",
            ),
            None => notes(
                NoteKind::Lost,
                "fail_if_body_not_matches_regexp",
                "only plain text is supported",
            ),
        }
    }
}

/// Consecutive codes as ranges; `None` for 200 to 499, the default.
fn statuses(codes: &[Value]) -> Option<Value> {
    let mut codes: Vec<u64> = codes.iter().filter_map(Value::as_u64).collect();
    codes.sort_unstable();
    codes.dedup();
    if codes.is_empty() {
        return Some(json!(["2xx"]));
    }
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for code in codes {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(code) => *last = code,
            _ => ranges.push((code, code)),
        }
    }
    if ranges == [(200, 499)] {
        return None;
    }
    let range = |(first, last): (u64, u64)| {
        if first == last {
            json!(first)
        } else {
            json!(format!("{first}-{last}"))
        }
    };
    Some(ranges.into_iter().map(range).collect())
}

fn tcp(draft: &mut Draft, options: &mut SourceFields, item: &str, notes: &mut Vec<Note>) {
    let is_tls = options.switch("tls") == Some(true);
    let steps = options.list("query_response");
    let lost = |reason: &str| Note {
        kind: NoteKind::Changed,
        item: sanitize(item),
        field: "tcp.query_response".to_owned(),
        reason: reason.to_owned(),
    };
    let port = draft.fields.get("port").and_then(Value::as_u64);
    if steps.is_empty() {
        if is_tls {
            draft.set("service", "tls");
        }
        return;
    }
    let asks_ssh = |step: &Value| step.get("expect").and_then(Value::as_str) == Some("^SSH-2.0-");
    if !is_tls && steps.first().is_some_and(asks_ssh) {
        draft.set("service", "ssh");
        return;
    }
    if steps
        .iter()
        .any(|step| step.get("starttls") == Some(&Value::Bool(true)))
    {
        let service = match port {
            Some(25) => "smtp",
            Some(587) => "submission",
            Some(143) => "imap",
            Some(110) => "pop3",
            _ => {
                notes.push(lost(
                    "became a connect: STARTTLS is supported on ports 25, 587, 143 and 110",
                ));
                return;
            }
        };
        draft.set("service", service);
        draft.set("tls", "starttls");
        notes.push(lost("became the STARTTLS exchange of the service"));
        return;
    }
    match script(&steps) {
        Some(script) => {
            draft.set("script", script);
            if is_tls {
                draft.set("tls", true);
            }
        }
        None => {
            if is_tls {
                draft.set("service", "tls");
            }
            notes.push(lost("became a connect: only plain text is supported in `expect`"));
        }
    }
}

fn dns(draft: &mut Draft, options: &mut SourceFields, item: &str, notes: &mut Vec<Note>) {
    draft.set_option(
        "dns",
        "transport",
        options
            .text("transport_protocol")
            .unwrap_or_else(|| "udp".to_owned()),
    );
    if let Some(name) = options.text("query_name") {
        let name = name.trim_end_matches('.');
        if !name.is_empty() {
            draft.set_option("dns", "name", name);
        }
    }
    let mut notes = |field: &str, reason: &str| {
        notes.push(Note {
            kind: NoteKind::Changed,
            item: sanitize(item),
            field: format!("dns.{field}"),
            reason: reason.to_owned(),
        });
    };
    match options.text("query_type") {
        Some(record_type) => draft.set_option("dns", "type", record_type.to_ascii_uppercase()),
        None => notes(
            "query_type",
            "the exporter requests ANY by default: set `dns.type`",
        ),
    }
    let codes = options.texts("valid_rcodes");
    if codes.iter().any(|code| code != "NOERROR") {
        notes(
            "valid_rcodes",
            "any answer except a server failure is accepted if no records are required",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_codes_become_ranges() {
        let all: Vec<_> = (200..500).map(Value::from).collect();
        assert_eq!(statuses(&all), None);
        assert_eq!(statuses(&[]), Some(json!(["2xx"])));
        assert_eq!(
            statuses(&[json!(301), json!(200), json!(201), json!(202)]),
            Some(json!(["200-202", 301]))
        );
    }
}
