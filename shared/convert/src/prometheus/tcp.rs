//! TCP probes of the blackbox exporter: a connect, TLS, the exchange of a service, or a script.

use serde_json::Value;

use super::account::Account;
use super::expression::script;
use crate::draft::Draft;
use crate::http_request::SECRET_BODY;
use crate::note::NoteKind;
use crate::secret::seems_secret;
use crate::source_fields::SourceFields;

/// Sets what follows the connect.
pub(super) fn tcp(draft: &mut Draft, options: &mut SourceFields, account: &mut Account<'_>) {
    let is_tls = options.switch("tls") == Some(true);
    let steps = options.list("query_response");
    let field = "tcp.query_response";
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
        if steps.len() > 1 {
            let reason = "Became the exchange of SSH, which reads the identification of the server.";
            account.note(NoteKind::Changed, field, reason);
        }
        return;
    }
    let upgrades = |step: &Value| step.get("starttls") == Some(&Value::Bool(true));
    if steps.iter().any(upgrades) {
        let service = match port {
            Some(25) => "smtp",
            Some(587) => "submission",
            Some(143) => "imap",
            Some(110) => "pop3",
            _ => {
                let reason = "Became a connect: STARTTLS is supported on ports 25, 587, 143 and 110.";
                account.note(NoteKind::Changed, field, reason);
                return;
            }
        };
        draft.set("service", service);
        draft.set("tls", "starttls");
        account.note(
            NoteKind::Changed,
            field,
            "Became the STARTTLS exchange of the service.",
        );
        return;
    }
    let has_secret = steps
        .iter()
        .filter_map(|step| step.get("send")?.as_str())
        .any(seems_secret);
    match script(&steps) {
        Some(_) if has_secret => {
            if is_tls {
                draft.set("service", "tls");
            }
            account.note(NoteKind::Lost, field, SECRET_BODY);
        }
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
            let reason = "Became a connect: only plain text is supported in `expect` and `send`.";
            account.note(NoteKind::Changed, field, reason);
        }
    }
}
