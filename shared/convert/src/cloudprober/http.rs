//! HTTP probes and the validators of their responses.

use serde_json::json;

use super::keys::{HTTP, TLS};
use super::targets::{Target, maps, port};
use crate::NoteKind;
use crate::address::Address;
use crate::draft::Draft;
use crate::source_fields::{SourceFields, text_of};
use crate::statuses::Statuses;

/// Sets the target and the request.
///
/// # Errors
/// If the URL has no host.
pub(super) fn http(
    draft: &mut Draft,
    probe: &mut SourceFields,
    target: &Target,
    host: &str,
) -> Result<(), &'static str> {
    let mut options = probe.map("http_probe").unwrap_or_default();
    let scheme = options.text("scheme").or(options.text("protocol"));
    let scheme = scheme.or_else(|| target.labels.get("scheme").cloned());
    let scheme = scheme.map_or_else(|| "http".to_owned(), |scheme| scheme.to_ascii_lowercase());
    let port = options.number("port").and_then(port).or(target.port);
    let path = options
        .text("relative_url")
        .or_else(|| target.labels.get("path").cloned());
    let has_own_url = path.is_some();
    let address = match target.url.as_deref().filter(|_| !has_own_url) {
        Some(url) => Address::parse(url).ok_or("Its `url` has no host.")?,
        None => Address {
            scheme,
            has_user: false,
            user: None,
            host: host.to_owned(),
            port,
            path: path
                .filter(|path| path.starts_with('/'))
                .unwrap_or_else(|| "/".to_owned()),
        },
    };
    draft.set_http_target(&address);
    if target.ip.is_some() && target.name != host {
        draft.changed(
            "targets.endpoint.ip",
            "The address is checked under its own name, not under that of the target.",
        );
    }
    let method = options.text("method").unwrap_or_else(|| "GET".to_owned());
    draft.set_method("http_probe.method", &method);
    let redirects = options.number("max_redirects").unwrap_or(10.0);
    for field in ["header", "headers"] {
        for mut header in maps(&mut options, field) {
            let own = header.text("key").or_else(|| header.text("name"));
            let entries: Vec<(String, Option<String>)> = match own {
                Some(name) => {
                    let value = header.text("value");
                    let item = draft.name.clone();
                    header.note_unused(&item, &format!("http_probe.{field}."), &[], &mut draft.notes);
                    vec![(name, value)]
                }
                None => header
                    .into_entries()
                    .map(|(name, value)| (name, text_of(&value)))
                    .collect(),
            };
            for (name, value) in entries {
                let field = format!("http_probe.header.{name}");
                draft.add_header(&field, &name, &value.unwrap_or_default());
            }
        }
    }
    if let Some(agent) = options.text("user_agent") {
        draft.add_header("http_probe.user_agent", "User-Agent", &agent);
    }
    if let Some(body) = options.text("body") {
        draft.set_body("http_probe.body", &body);
    }
    let mut statuses = Statuses::all();
    for mut validator in maps(probe, "validator") {
        let name = validator.text("name").unwrap_or_default();
        validate(draft, &mut validator, &mut statuses);
        let item = draft.name.clone();
        let known = [
            "json_validator",
            "integrity_validator",
            "dns_validator",
            "http_validator",
        ];
        let known = known.map(|key| (key, NoteKind::Lost, "This validator is not supported."));
        validator.note_unused(&item, &format!("validator {name}."), &known, &mut draft.notes);
    }
    draft.set_option("http", "follow", redirects > 0.0);
    match statuses.field() {
        Ok(field) => draft.set_option("http", "status", field),
        Err(reason) => {
            draft.set_option("http", "status", json!(["100-999"]));
            draft.lost("validator.http_validator", reason);
        }
    }
    if options.switch("disable_cert_validation") == Some(true) {
        draft.set_insecure("http_probe.disable_cert_validation");
    }
    tls_config(draft, &mut options, "http_probe.");
    options.ignore_if_off("keep_alive");
    let item = draft.name.clone();
    options.note_unused(&item, "http_probe.", &HTTP, &mut draft.notes);
    Ok(())
}

/// TLS: the server name, a certificate of the client, and whether that of the server is verified.
pub(super) fn tls_config(draft: &mut Draft, options: &mut SourceFields, prefix: &str) {
    let Some(mut tls) = options.map("tls_config") else {
        return;
    };
    let prefix = format!("{prefix}tls_config.");
    if tls.switch("disable_cert_validation") == Some(true) {
        draft.set_insecure(&format!("{prefix}disable_cert_validation"));
    }
    if let Some(name) = tls.text("server_name") {
        draft.set_tls_name(&format!("{prefix}server_name"), &name);
    }
    let files = (tls.take("tls_cert_file"), tls.take("tls_key_file"));
    if files.0.is_some() || files.1.is_some() {
        draft.set_client_certificate(&format!("{prefix}tls_cert_file"));
    }
    let item = draft.name.clone();
    tls.note_unused(&item, &prefix, &TLS, &mut draft.notes);
}

/// Applies a validator of the response.
fn validate(draft: &mut Draft, validator: &mut SourceFields, statuses: &mut Statuses) {
    if let Some(mut http) = validator.map("http_validator") {
        for (field, keeps) in [("success_status_codes", true), ("failure_status_codes", false)] {
            if let Some(list) = http.text(field) {
                match ranges(&list) {
                    Some(ranges) => statuses.keep(|status| {
                        ranges.iter().any(|(from, to)| (*from..=*to).contains(&status)) == keeps
                    }),
                    None => draft.lost(&format!("http_validator.{field}"), "The list is not valid."),
                }
            }
        }
        let item = draft.name.clone();
        let reason = "Response headers are not checked.";
        let known = ["success_header", "failure_header", "max_last_modified_diff_sec"];
        let known = known.map(|key| (key, NoteKind::Lost, reason));
        http.note_unused(&item, "http_validator.", &known, &mut draft.notes);
    }
    if let Some(pattern) = validator.text("regex") {
        draft.add_pattern("validator.regex", "body_matches", &pattern);
    }
}

/// `200-299,301`.
fn ranges(list: &str) -> Option<Vec<(u16, u16)>> {
    let range = |part: &str| {
        let part = part.trim();
        Some(match part.split_once('-') {
            Some((from, to)) => (from.trim().parse().ok()?, to.trim().parse().ok()?),
            None => (part.parse().ok()?, part.parse().ok()?),
        })
    };
    list.split(',').map(range).collect()
}
