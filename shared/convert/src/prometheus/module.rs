//! What a module of the blackbox exporter asks, as a definition.

use std::time::Duration;

use serde_json::{Value, json};

use super::expression::{literal, script};
use super::known::{OF_DNS, OF_HTTP, OF_ICMP, OF_TCP};
use crate::address::Address;
use crate::draft::Draft;
use crate::fields::Fields;
use crate::left::{Kind, Left, tame};

/// The modules that everybody has from the exporter's own blackbox.yml.
pub(super) fn well_known(name: &str) -> Option<Fields> {
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
    Fields::of(module)
}

/// Makes the draft check the target as the module would.
///
/// # Errors
/// Why it cannot be checked.
pub(super) fn apply(
    name: &str,
    mut module: Fields,
    target: &str,
    scrape_timeout: Option<Duration>,
    draft: &mut Draft,
    left: &mut Vec<Left>,
) -> Result<(), &'static str> {
    let of = format!("module {name}");
    let prober = module.text("prober").unwrap_or_default();
    let timeout = module.duration("timeout", Duration::from_secs(1));
    if let Some(timeout) = timeout.or(scrape_timeout) {
        draft.timeout("timeout", timeout);
    }
    let mut options = module.map(&prober).unwrap_or_default();
    let address = Address::parse(target).ok_or("it is no address")?;
    match prober.as_str() {
        "http" => {
            draft.http_at(&address);
            family(draft, &mut options, &of, left);
            http(draft, &mut options, &of, left);
            options.rest(&of, "http.", &OF_HTTP, left);
        }
        "tcp" => {
            draft.at(&address, None);
            family(draft, &mut options, &of, left);
            tcp(draft, &mut options, &of, left);
            options.rest(&of, "tcp.", &OF_TCP, left);
        }
        "dns" => {
            draft.set("service", "dns");
            draft.at(&address, Some(53));
            family(draft, &mut options, &of, left);
            dns(draft, &mut options, &of, left);
            options.rest(&of, "dns.", &OF_DNS, left);
        }
        "icmp" => {
            draft.ping(&address.host);
            options.rest(&of, "icmp.", &OF_ICMP, left);
        }
        "grpc" => {
            draft.at(&address, None);
            draft.leave(
                Kind::Changed,
                "grpc",
                "the port is checked, not what is spoken on it",
            );
            let why = "the port is checked, not what is spoken on it";
            options.rest(
                &of,
                "grpc.",
                &[("service", Kind::Lost, why), ("tls", Kind::Lost, why)],
                left,
            );
        }
        _ => return Err("its module has a prober that is not known here"),
    }
    module.rest(&of, "", &[], left);
    Ok(())
}

/// Without a fallback, only one family of addresses will do.
fn family(draft: &mut Draft, options: &mut Fields, of: &str, left: &mut Vec<Left>) {
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
        left.push(Left {
            kind: Kind::NotNeeded,
            of: tame(of),
            field: "preferred_ip_protocol".to_owned(),
            why: "either family will do".to_owned(),
        });
    }
}

fn http(draft: &mut Draft, options: &mut Fields, of: &str, left: &mut Vec<Left>) {
    let method = options
        .text("method")
        .unwrap_or_else(|| "GET".to_owned())
        .to_ascii_uppercase();
    options.forget_if_off("fail_if_ssl");
    options.forget_if_off("fail_if_not_ssl");
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
    let mut told = |kind, field: &str, why: &str| {
        left.push(Left {
            kind,
            of: tame(of),
            field: format!("http.{field}"),
            why: why.to_owned(),
        });
    };
    if options.switch("accept_any_response") == Some(true) {
        told(
            Kind::Changed,
            "accept_any_response",
            "any status will do, of any class",
        );
        draft.option("http", "status", json!(["100-599"]));
    } else if !is_sent {
        let why = "only GET, HEAD and OPTIONS are sent: HEAD asks whether the server answers with a status below 500";
        told(Kind::Changed, "method", why);
        return;
    } else if let Some(statuses) = statuses(&codes) {
        draft.option("http", "status", statuses);
    }
    if codes.iter().any(|code| code.as_u64().is_none()) {
        told(Kind::Lost, "valid_status_codes", "one of them is no number");
    }
    draft.option("http", "method", method);
    draft.option("http", "follow", follows);
    for (index, pattern) in patterns.iter().enumerate() {
        match literal(pattern) {
            Some(text) if index == 0 => draft.option("http", "text", text),
            Some(_) => told(
                Kind::Lost,
                "fail_if_body_not_matches_regexp",
                "only one text can be looked for",
            ),
            None => told(
                Kind::Lost,
                "fail_if_body_not_matches_regexp",
                "only plain text can be looked for",
            ),
        }
    }
}

/// Codes that follow each other as ranges; nothing where all are meant that are below 500.
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

fn tcp(draft: &mut Draft, options: &mut Fields, of: &str, left: &mut Vec<Left>) {
    let is_tls = options.switch("tls") == Some(true);
    let steps = options.list("query_response");
    let lost = |why: &str| Left {
        kind: Kind::Changed,
        of: tame(of),
        field: "tcp.query_response".to_owned(),
        why: why.to_owned(),
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
                left.push(lost(
                    "became a connect: STARTTLS is known on ports 25, 587, 143 and 110",
                ));
                return;
            }
        };
        draft.set("service", service);
        draft.set("tls", "starttls");
        left.push(lost("became the service's own exchange with STARTTLS"));
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
            left.push(lost("became a connect: only plain text can be waited for"));
        }
    }
}

fn dns(draft: &mut Draft, options: &mut Fields, of: &str, left: &mut Vec<Left>) {
    draft.option(
        "dns",
        "transport",
        options
            .text("transport_protocol")
            .unwrap_or_else(|| "udp".to_owned()),
    );
    if let Some(name) = options.text("query_name") {
        let name = name.trim_end_matches('.');
        if !name.is_empty() {
            draft.option("dns", "name", name);
        }
    }
    let mut told = |field: &str, why: &str| {
        left.push(Left {
            kind: Kind::Changed,
            of: tame(of),
            field: format!("dns.{field}"),
            why: why.to_owned(),
        });
    };
    match options.text("query_type") {
        Some(record_type) => draft.option("dns", "type", record_type.to_ascii_uppercase()),
        None => told("query_type", "it asks for ANY by default: set `dns.type`"),
    }
    let codes = options.texts("valid_rcodes");
    if codes.iter().any(|code| code != "NOERROR") {
        told(
            "valid_rcodes",
            "any answer but a failure of the server will do, where no records are named",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_ranges() {
        let all: Vec<_> = (200..500).map(Value::from).collect();
        assert_eq!(statuses(&all), None);
        assert_eq!(statuses(&[]), Some(json!(["2xx"])));
        assert_eq!(
            statuses(&[json!(301), json!(200), json!(201), json!(202)]),
            Some(json!(["200-202", 301]))
        );
    }
}
