//! The keys of Gatus that are not converted, with the reasons.
//!
//! Source: <https://github.com/TwiN/gatus/blob/master/README.md#configuration>

use crate::note::NoteKind::{Lost, NotNeeded};
use crate::secret::CREDENTIALS;
use crate::source_fields::UnusedKey;

pub(super) const DESTINATIONS: &str = "Notifications are configured apart: with the variable `subscribers`, or as \
                                       destinations of the relay.";
const OF_ITSELF: &str = "The setting concerns only Gatus itself.";
const OF_THE_PAGE: &str = "The setting concerns only the status page.";
const SUITES: &str = "Sequences of checks are not supported.";
const PROXIES: &str = "Checks do not use proxies or tunnels.";

pub(super) const FILE: [UnusedKey; 17] = [
    ("maintenance", Lost, "The value is not a map."),
    ("endpoints", Lost, "The value is not a list."),
    ("external-endpoints", Lost, "The value is not a list."),
    ("tunneling", Lost, PROXIES),
    (
        "connectivity",
        NotNeeded,
        "A checker without connectivity reports no data.",
    ),
    ("announcements", NotNeeded, OF_THE_PAGE),
    ("metrics", NotNeeded, OF_ITSELF),
    ("storage", NotNeeded, OF_ITSELF),
    ("security", NotNeeded, OF_THE_PAGE),
    ("web", NotNeeded, OF_ITSELF),
    ("ui", NotNeeded, OF_THE_PAGE),
    ("concurrency", NotNeeded, OF_ITSELF),
    ("disable-monitoring-lock", NotNeeded, OF_ITSELF),
    ("skip-invalid-config-update", NotNeeded, OF_ITSELF),
    ("debug", NotNeeded, OF_ITSELF),
    ("remote", NotNeeded, OF_ITSELF),
    ("suites", Lost, SUITES),
];
pub(super) const ENDPOINT: [UnusedKey; 9] = [
    ("method", NotNeeded, "The setting concerns only HTTP."),
    ("graphql", NotNeeded, "The setting concerns only HTTP."),
    ("body", Lost, "Only a request of HTTP, or a text of TCP, is sent."),
    ("headers", NotNeeded, "The setting concerns only HTTP."),
    ("ssh", Lost, "The value is not a map."),
    ("maintenance-windows", Lost, "The value is not a list of maps."),
    ("always-run", Lost, SUITES),
    ("store", Lost, SUITES),
    ("ui", NotNeeded, OF_THE_PAGE),
];
pub(super) const CLIENT: [UnusedKey; 8] = [
    ("insecure", Lost, "The value is not a boolean."),
    ("dns-resolver", Lost, "The resolver of the checker is used."),
    ("oauth2", Lost, CREDENTIALS),
    ("identity-aware-proxy", Lost, CREDENTIALS),
    ("proxy-url", Lost, PROXIES),
    ("tls", Lost, "The value is not a map."),
    ("tunnel", Lost, PROXIES),
    ("store-cookies", Lost, "Cookies are not kept across redirects."),
];
pub(super) const ALERT: [UnusedKey; 2] = [
    (
        "description",
        Lost,
        "Notifications have no text of their own; use `runbook`.",
    ),
    ("provider-override", Lost, DESTINATIONS),
];
