//! etcd: reads `/health`, which every member answers without a login.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `health` with the status 200 | `true` | open | the member has a leader and can write |
//! | `health` with the status 200 | any other | service_error | with the reason, such as `RAFT NO LEADER` or an alarm |
//! | `health` with the status 503 | any other | service_error | as above |
//! | 200 without `health`, or not in JSON | – | wrong_service | another HTTP server |
//! | another status | `429` `507` `509` | busy | too many requests, no storage, too much traffic |
//! | another status | `502` `504` `520` `521` `522` `523` `524` `525` `526` `530` | no_backend | a proxy cannot reach its server |
//! | another status | `500` to `599` | service_error | an error of the server or of a proxy |
//! | another status | any other | wrong_service | also 401 and 403: etcd does not protect this path |
//! | the end of the stream | – | closed | also where the server expects TLS |
//!
//! A member that demands a client certificate on this port does so during the TLS handshake.
//!
//! Sources: etcd documentation, "Monitoring etcd", and `etcdhttp/health.go`; tested with 3.4.

use portpulse_core::outcome::FailureClass;
use serde_json::Value;

use super::http_document::{DocumentDialogue, StateDocument, foreign_status};
use super::http_response::Head;
use crate::dialogue::Step;
use crate::input::excerpt;

/// The dialogue with etcd.
pub(crate) type Etcd = DocumentDialogue<Health>;

#[derive(Debug)]
pub(crate) struct Health;

impl StateDocument for Health {
    const PATH: &'static str = "/health";

    fn has_document(code: u16) -> bool {
        matches!(code, 200 | 503)
    }

    fn evaluate(head: &Head, document: Option<&Value>) -> Step {
        let health = match document.and_then(|document| document.get("health")) {
            Some(Value::String(health)) => health.clone(),
            Some(Value::Bool(health)) => health.to_string(),
            Some(_) | None if head.code == 200 => return Step::WRONG_SERVICE,
            Some(_) | None => return Step::failure(foreign_status(head.code), head.description()),
        };
        if health == "true" && head.code == 200 {
            return Step::healthy("health: true");
        }
        let reason = document.and_then(|document| document.get("reason")?.as_str());
        let reason = reason.filter(|reason| !reason.is_empty());
        let reason = reason.map_or(String::new(), |reason| {
            format!(": {}", excerpt(reason.as_bytes()))
        });
        let message = format!(
            "{}, health: {}{reason}",
            head.description(),
            excerpt(health.as_bytes())
        );
        Step::failure(FailureClass::ServiceError, message)
    }
}

#[cfg(test)]
mod tests;
