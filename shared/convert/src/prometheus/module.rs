//! Converts modules of the blackbox exporter to fields of monitors.

use std::time::Duration;

use portpulse_core::readiness::RecordType;
use serde_json::{Value, json};

use super::account::Account;
use super::expression::literal;
use super::tcp::tcp;
use super::unused_keys::{AUTHORITIES, DNS, HTTP, ICMP, TCP, VERSIONS};
use crate::address::Address;
use crate::draft::Draft;
use crate::note::{Note, NoteKind};
use crate::source_fields::{SourceFields, text_of};
use crate::statuses::Statuses;

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

/// Applies a module to the draft. `available` is the time of the scrape.
///
/// # Errors
/// The reason, if the module or the target is not supported.
pub(super) fn apply(
    name: &str,
    mut module: SourceFields,
    target: &str,
    available: Duration,
    draft: &mut Draft,
    notes: &mut Vec<Note>,
) -> Result<(), &'static str> {
    let mut account = Account {
        item: format!("module {name}"),
        notes,
    };
    let prober = module.text("prober").unwrap_or_default();
    let timeout = module.duration("timeout", Duration::from_secs(1));
    let timeout = timeout.filter(|timeout| !timeout.is_zero());
    draft.set_timeout(
        "timeout",
        timeout.map_or(available, |timeout| timeout.min(available)),
    );
    let mut options = module.map(&prober).unwrap_or_default();
    let address = Address::parse(target).ok_or("Its target is not an address.")?;
    match prober.as_str() {
        "http" => {
            draft.set_http_target(&address);
            family(draft, &mut options, &mut account);
            http(draft, &mut options, &address, &mut account);
            tls_config(draft, &mut options, "http.", &mut account);
            account.unused(options, "http.", &HTTP);
        }
        "tcp" => {
            draft.set_target(&address, None);
            if address.port.is_none() {
                return Err("Its target has no port.");
            }
            family(draft, &mut options, &mut account);
            tcp(draft, &mut options, &mut account);
            tls_config(draft, &mut options, "tcp.", &mut account);
            account.unused(options, "tcp.", &TCP);
        }
        "dns" => {
            draft.set("service", "dns");
            draft.set_target(&address, Some(53));
            family(draft, &mut options, &mut account);
            dns(draft, &mut options, &mut account)?;
            tls_config(draft, &mut options, "dns.", &mut account);
            account.unused(options, "dns.", &DNS);
        }
        "icmp" => {
            draft.set_ping(&address.host);
            family(draft, &mut options, &mut account);
            account.unused(options, "icmp.", &ICMP);
        }
        "grpc" | "websocket" => {
            let is_tls = options.switch("tls") == Some(true);
            let reason = if prober == "grpc" {
                draft.set_grpc_target(&address, is_tls);
                "The health service is checked for the whole server."
            } else {
                draft.set_websocket_target(&address);
                "The upgrade to WebSocket is checked, and no message is sent."
            };
            family(draft, &mut options, &mut account);
            account.note(NoteKind::Changed, &prober, reason);
            tls_config(draft, &mut options, &format!("{prober}."), &mut account);
            let keys = ["service", "metadata", "tls_config", "query_response", "headers"];
            let keys = keys.map(|key| (key, NoteKind::Lost, reason));
            account.unused(options, &format!("{prober}."), &keys);
        }
        "unix" => return Err("A socket of the machine of the exporter is not visible from outside."),
        _ => return Err("Its module has an unknown prober."),
    }
    account.unused(module, "", &[]);
    Ok(())
}

/// TLS: the server name, a certificate of the client, and whether that of the server is verified.
fn tls_config(draft: &mut Draft, options: &mut SourceFields, prefix: &str, account: &mut Account<'_>) {
    let Some(mut tls) = options.map("tls_config") else {
        return;
    };
    let prefix = format!("{prefix}tls_config.");
    if tls.switch("insecure_skip_verify") == Some(true) {
        draft.set_insecure(&format!("{prefix}insecure_skip_verify"));
    }
    if let Some(name) = tls.text("server_name") {
        draft.set_tls_name(&format!("{prefix}server_name"), &name);
    }
    let mut has_certificate = false;
    for field in ["cert", "cert_file", "key", "key_file"] {
        has_certificate |= tls.take(field).is_some();
    }
    if has_certificate {
        draft.set_client_certificate(&format!("{prefix}cert"));
    }
    let known = [
        ("ca", NoteKind::Lost, AUTHORITIES),
        ("ca_file", NoteKind::Lost, AUTHORITIES),
        ("min_version", NoteKind::Lost, VERSIONS),
        ("max_version", NoteKind::Lost, VERSIONS),
    ];
    account.unused(tls, &prefix, &known);
}

/// Sets the address family, which is fixed only without a fallback.
fn family(draft: &mut Draft, options: &mut SourceFields, account: &mut Account<'_>) {
    let preferred = options.text("preferred_ip_protocol");
    let is_v4 = preferred.as_deref() == Some("ip4");
    let is_address = draft
        .text("host")
        .is_some_and(|host| host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok());
    if options.switch("ip_protocol_fallback") == Some(false) {
        draft.set("ip", if is_v4 { "v4" } else { "v6" });
    } else if !is_address {
        account.note(
            NoteKind::Changed,
            "preferred_ip_protocol",
            "A check uses an address of either family; the exporter uses only the preferred one where a name has both, by \
             default IPv6.",
        );
    }
}

fn http(draft: &mut Draft, options: &mut SourceFields, address: &Address, account: &mut Account<'_>) {
    let method = options.text("method").unwrap_or_else(|| "GET".to_owned());
    options.ignore_if_off("fail_if_ssl");
    options.ignore_if_off("fail_if_not_ssl");
    if address.scheme == "https" && options.switch("fail_if_not_ssl") == Some(true) {
        account.note(
            NoteKind::NotNeeded,
            "http.fail_if_not_ssl",
            "The target uses HTTPS.",
        );
    }
    draft.set_method("http.method", &method);
    headers(draft, options);
    credentials(draft, options);
    if let Some(body) = options.text("body") {
        draft.set_body("http.body", &body);
    }
    let not_following = options.switch("no_follow_redirects").map(|not| !not);
    let follows = options
        .switch("follow_redirects")
        .or(not_following)
        .unwrap_or(true);
    if options.switch("accept_any_response") == Some(true) {
        drop(options.take("valid_status_codes"));
        draft.set_option("http", "status", json!(["100-999"]));
    } else {
        let codes = options.list("valid_status_codes");
        if codes.iter().any(|code| code.as_u64().is_none()) {
            let reason = "The list contains a value that is not a number.";
            account.note(NoteKind::Lost, "http.valid_status_codes", reason);
        }
        match statuses(&codes) {
            Ok(Some(statuses)) => draft.set_option("http", "status", statuses),
            Ok(None) => {}
            Err(reason) => {
                draft.set_option("http", "status", json!(["100-999"]));
                account.note(NoteKind::Lost, "http.valid_status_codes", reason);
            }
        }
    }
    draft.set_option("http", "follow", follows);
    for pattern in options.texts("fail_if_body_not_matches_regexp") {
        let field = "http.fail_if_body_not_matches_regexp";
        match literal(&pattern).filter(|_| !pattern.starts_with('^') && !pattern.ends_with('$')) {
            Some(text) if !draft.has_method("HEAD") => draft.require_text(field, &text),
            Some(_) | None => draft.add_pattern(field, "body_matches", &pattern),
        }
    }
    for pattern in options.texts("fail_if_body_matches_regexp") {
        draft.add_pattern("http.fail_if_body_matches_regexp", "body_not_matches", &pattern);
    }
}

/// The header fields: `headers` with a text each, and `http_headers` with lists of values, secrets and files.
fn headers(draft: &mut Draft, options: &mut SourceFields) {
    for (name, value) in options
        .map("headers")
        .into_iter()
        .flat_map(SourceFields::into_entries)
    {
        let value = text_of(&value).unwrap_or_default();
        draft.add_header(&format!("http.headers.{name}"), &name, &value);
    }
    for (name, values) in options
        .map("http_headers")
        .into_iter()
        .flat_map(SourceFields::into_entries)
    {
        let field = format!("http.http_headers.{name}");
        let of = |key: &str| values.get(key).and_then(Value::as_array).map_or(0, Vec::len);
        let first = values
            .get("values")
            .and_then(|values| values.get(0))
            .and_then(text_of);
        if of("values") + of("secrets") + of("files") > 1 {
            draft.changed(&field, "Only the first value of the header field is sent.");
        }
        match first {
            Some(value) => draft.add_header(&field, &name, &value),
            None => draft.add_secret_header(&field, &name),
        }
    }
}

/// The credentials. Files are read by the exporter only, so their secrets are to be stored too.
fn credentials(draft: &mut Draft, options: &mut SourceFields) {
    if let Some(mut basic) = options.map("basic_auth") {
        let user = basic.text("username").unwrap_or_default();
        draft.set_basic_auth("http.basic_auth", &user);
    }
    let mut has_token = false;
    for field in ["bearer_token", "bearer_token_file"] {
        has_token |= options.take(field).is_some();
    }
    let scheme = options.map("authorization").map(|mut authorization| {
        let scheme = authorization.text("type");
        scheme.unwrap_or_else(|| "Bearer".to_owned())
    });
    match scheme {
        Some(scheme) if scheme.eq_ignore_ascii_case("bearer") => draft.set_bearer_token("http.authorization"),
        Some(_) => draft.add_secret_header("http.authorization", "Authorization"),
        None if has_token => draft.set_bearer_token("http.bearer_token"),
        None => {}
    }
}

/// The accepted statuses; `None` for 200 to 499, the default of definitions.
fn statuses(codes: &[Value]) -> Result<Option<Value>, &'static str> {
    let codes: Vec<u64> = codes.iter().filter_map(Value::as_u64).collect();
    if codes.is_empty() {
        return Ok(Some(json!(["2xx"])));
    }
    let mut statuses = Statuses::all();
    statuses.keep(|status| codes.contains(&u64::from(status)));
    let field = statuses.field()?;
    Ok((field != json!(["200-499"])).then_some(field))
}

fn dns(draft: &mut Draft, options: &mut SourceFields, account: &mut Account<'_>) -> Result<(), &'static str> {
    let transport = options.text("transport_protocol");
    draft.set_option("dns", "transport", transport.unwrap_or_else(|| "udp".to_owned()));
    let record_type = options.text("query_type").map(|kind| kind.to_ascii_uppercase());
    let name = options.text("query_name").unwrap_or_default();
    let name = name.trim_end_matches('.');
    if !name.is_empty() {
        draft.set_option("dns", "name", name);
    }
    match record_type.as_deref() {
        Some(name) if name.parse::<RecordType>().is_ok() => {
            draft.set_option("dns", "type", record_type);
        }
        None | Some("ANY") => account.note(
            NoteKind::Changed,
            "dns.query_type",
            "The exporter asks for records of any type, a definition for those of one type: set `dns.type`.",
        ),
        Some(_) => return Err("DNS records of its `query_type` are not supported."),
    }
    if options.switch("dns_over_tls") == Some(true) {
        draft.set_option("dns", "transport", "tcp");
        draft.set("tls", true);
        if !draft.has("port") {
            draft.set("port", 853);
        }
    }
    if options.switch("recursion_desired") == Some(false) {
        account.note(
            NoteKind::Changed,
            "dns.recursion_desired",
            "Recursion is always requested.",
        );
    }
    if let Some(class) = options.text("query_class")
        && class != "IN"
    {
        return Err("DNS records of its `query_class` are not supported.");
    }
    drop(options.texts("valid_rcodes"));
    account.note(
        NoteKind::Changed,
        "dns.valid_rcodes",
        "Any answer except a server failure is accepted. Write the records in `dns.must` to require NOERROR.",
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_codes_become_ranges() {
        let all: Vec<_> = (200..500).map(Value::from).collect();
        assert_eq!(statuses(&all), Ok(None));
        assert_eq!(statuses(&[]), Ok(Some(json!(["2xx"]))));
        assert_eq!(
            statuses(&[json!(301), json!(200), json!(201), json!(202)]),
            Ok(Some(json!(["200-202", 301])))
        );
    }
}
