//! Elasticsearch and OpenSearch: reads `/_cluster/health`, which needs an elected master.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `status` of the cluster | `green` `yellow` | open | every primary shard is available; yellow lacks replicas, as a single node always does |
//! | `status` of the cluster | any other | service_error | red: some data can be neither read nor written |
//! | 200 without `status`, or not in JSON | – | wrong_service | another HTTP server |
//! | 403 with a `security_exception` | – | open | the server decided about the missing login |
//! | another status | `401` | open | the server requires a login |
//! | another status | `403` | blocked | a proxy or a policy refuses this client |
//! | another status | `408` `503` | service_error | with the error's type, such as `master_not_discovered_exception` |
//! | another status | `429` `507` `509` | busy | too many requests, no storage, too much traffic |
//! | another status | `502` `504` `520` `521` `522` `523` `524` `525` `526` `530` | no_backend | a proxy cannot reach its server |
//! | another status | `500` to `599` | service_error | an error of the server or of a proxy |
//! | another status | any other | wrong_service | another HTTP server |
//! | the end of the stream | – | closed | also where the server expects TLS |
//!
//! A node without a master answers after 30 seconds, which is a timeout here.
//!
//! Sources: Elasticsearch and OpenSearch documentation, "Cluster health API". Not tested with a real server, which the
//! registries used here do not have.

use portpulse_core::outcome::FailureClass;
use serde_json::Value;

use super::http_document::{DocumentDialogue, StateDocument, foreign_status};
use super::http_response::Head;
use crate::dialogue::Step;
use crate::input::excerpt;

/// The dialogue with Elasticsearch.
pub(crate) type Elasticsearch = DocumentDialogue<ClusterHealth>;

#[derive(Debug)]
pub(crate) struct ClusterHealth;

impl StateDocument for ClusterHealth {
    const PATH: &'static str = "/_cluster/health";
    const TIMEOUT_HINT: &'static str = ": a node without an elected master answers only after 30 seconds";

    fn has_document(code: u16) -> bool {
        matches!(code, 200 | 403 | 408 | 503)
    }

    fn evaluate(head: &Head, document: Option<&Value>) -> Step {
        let text = |pointer: &str| document.and_then(|document| document.pointer(pointer)?.as_str());
        let error = text("/error/type");
        let explained = match error {
            Some(error) => format!("{}: {}", head.description(), excerpt(error.as_bytes())),
            None => head.description(),
        };
        let class = match (head.code, text("/status"), error) {
            (200, Some(status), _) => return of_cluster(status, text("/cluster_name")),
            (200, None, _) => return Step::WRONG_SERVICE,
            (401, ..) | (403, _, Some("security_exception")) => {
                return Step::healthy(format!("{}, requires a login", head.status));
            }
            (403, ..) => FailureClass::Blocked,
            (408, ..) => FailureClass::ServiceError,
            (code, ..) => foreign_status(code),
        };
        Step::failure(class, explained)
    }
}

fn of_cluster(status: &str, name: Option<&str>) -> Step {
    let name = name.map_or(String::new(), |name| format!(" of {}", excerpt(name.as_bytes())));
    let message = format!("cluster status{name}: {}", excerpt(status.as_bytes()));
    match status {
        "green" | "yellow" => Step::healthy(message),
        _ => Step::failure(FailureClass::ServiceError, message),
    }
}

#[cfg(test)]
mod tests;
