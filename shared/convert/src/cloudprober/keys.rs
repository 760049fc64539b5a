//! The keys of cloudprober that are not converted, with the reasons.
//!
//! Source: <https://cloudprober.org/docs/config/latest/overview/>

use crate::note::NoteKind::{Changed, Lost, NotNeeded};
use crate::secret::CREDENTIALS;
use crate::source_fields::UnusedKey;

const OF_ITSELF: &str = "The setting concerns only cloudprober itself.";
const DISCOVERY: &str = "Discovered targets are not supported: list them with `host_names` or `endpoint`.";
const SOURCE_ADDRESS: &str = "The system chooses the source address.";
const AUTHORITIES: &str = "Certificates are verified against the authorities of the checker's system.";
const NO_MAP: &str = "The value is not a map.";
const DESTINATIONS: &str = "Notifications are configured apart: with the variable `subscribers`, or as destinations of the \
                            relay.";
const ONE_REQUEST: &str = "A check sends one request.";

pub(super) const FILE: [UnusedKey; 14] = [
    ("probe", Lost, "The value is not a list of messages."),
    ("surfacer", NotNeeded, OF_ITSELF),
    ("server", NotNeeded, OF_ITSELF),
    ("rds_server", NotNeeded, OF_ITSELF),
    ("port", NotNeeded, OF_ITSELF),
    ("grpc_port", NotNeeded, OF_ITSELF),
    ("grpc_tls_config", NotNeeded, OF_ITSELF),
    ("host", NotNeeded, OF_ITSELF),
    ("disable_jitter", NotNeeded, OF_ITSELF),
    ("sysvars_interval_msec", NotNeeded, OF_ITSELF),
    ("sysvars_env_var", NotNeeded, OF_ITSELF),
    ("stop_time_sec", NotNeeded, OF_ITSELF),
    ("global_targets_options", NotNeeded, OF_ITSELF),
    ("global_artifacts_options", NotNeeded, OF_ITSELF),
];
pub(super) const PROBE: [UnusedKey; 20] = [
    ("latency_distribution", NotNeeded, OF_ITSELF),
    ("latency_unit", NotNeeded, OF_ITSELF),
    ("latency_metric_name", NotNeeded, OF_ITSELF),
    ("stats_export_interval_msec", NotNeeded, OF_ITSELF),
    ("startup_delay_msec", NotNeeded, OF_ITSELF),
    ("targets_update_sec", NotNeeded, OF_ITSELF),
    ("debug_options", NotNeeded, OF_ITSELF),
    ("source_ip", Lost, SOURCE_ADDRESS),
    ("source_interface", Lost, SOURCE_ADDRESS),
    (
        "run_on",
        Lost,
        "The machine of a check is not chosen by its name: use `locations`.",
    ),
    (
        "schedule",
        Lost,
        "Checks have no schedule: write the times under `maintenance:`.",
    ),
    ("validator", Lost, "This validator is not supported."),
    ("interval_msec", NotNeeded, "`interval` is used."),
    ("timeout_msec", NotNeeded, "`timeout` is used."),
    ("http_probe", NotNeeded, "The probe has another type."),
    ("tcp_probe", NotNeeded, "The probe has another type."),
    ("dns_probe", NotNeeded, "The probe has another type."),
    ("ping_probe", NotNeeded, "The probe has another type."),
    ("udp_probe", NotNeeded, "The probe has another type."),
    ("grpc_probe", NotNeeded, "The probe has another type."),
];
pub(super) const TARGETS: [UnusedKey; 9] = [
    ("rds_targets", Lost, DISCOVERY),
    ("gce_targets", Lost, DISCOVERY),
    ("k8s", Lost, DISCOVERY),
    ("file_targets", Lost, DISCOVERY),
    ("dummy_targets", NotNeeded, OF_ITSELF),
    ("regex", Lost, "Targets are not filtered."),
    ("exclude_lameducks", NotNeeded, OF_ITSELF),
    ("dns_options", Lost, "The resolver of the checker is used."),
    ("dns_server", Lost, "The resolver of the checker is used."),
];
pub(super) const HTTP: [UnusedKey; 20] = [
    ("body", Lost, "The value is not a text."),
    (
        "body_file",
        Lost,
        "A file of the machine of cloudprober is not visible: write `http.body`.",
    ),
    ("relative_url", Lost, "The path is not valid."),
    ("oauth_config", Lost, CREDENTIALS),
    ("disable_cert_validation", Lost, "The value is not a boolean."),
    ("tls_config", Lost, NO_MAP),
    ("proxy_url", Lost, "Checks do not use proxies or tunnels."),
    (
        "proxy_connect_header",
        NotNeeded,
        "Checks do not use proxies or tunnels.",
    ),
    ("user_agent", Lost, "The value is not a text."),
    ("resolve_first", NotNeeded, "A name is always resolved first."),
    ("export_response_as_metrics", NotNeeded, OF_ITSELF),
    ("keep_alive", Lost, "Every check connects anew."),
    ("disable_http2", NotNeeded, "HTTP/1.1 is used."),
    ("max_idle_conns", NotNeeded, OF_ITSELF),
    ("latency_breakdown", NotNeeded, OF_ITSELF),
    ("response_metrics_options", NotNeeded, OF_ITSELF),
    ("interval_between_targets_msec", NotNeeded, OF_ITSELF),
    ("requests_per_probe", Lost, ONE_REQUEST),
    ("requests_interval_msec", NotNeeded, ONE_REQUEST),
    ("protocol", NotNeeded, "`scheme` is used."),
];
pub(super) const PING: [UnusedKey; 8] = [
    ("packets_per_probe", Changed, "One reply is enough."),
    ("packets_interval_msec", NotNeeded, "One reply is enough."),
    ("resolve_first", NotNeeded, "A name is always resolved first."),
    ("payload_size", Lost, "A ping has 32 bytes of data."),
    ("use_datagram_socket", NotNeeded, OF_ITSELF),
    ("disable_integrity_check", NotNeeded, OF_ITSELF),
    ("disable_fragmentation", Lost, "A ping may be fragmented."),
    ("export_reply_ttl", NotNeeded, OF_ITSELF),
];
pub(super) const TLS: [UnusedKey; 5] = [
    ("ca_cert_file", Lost, AUTHORITIES),
    ("min_tls_version", Lost, "TLS 1.2 and 1.3 are used."),
    ("max_tls_version", Lost, "TLS 1.2 and 1.3 are used."),
    ("reload_interval_sec", NotNeeded, OF_ITSELF),
    ("disable_cert_validation", Lost, "The value is not a boolean."),
];
pub(super) const TCP: [UnusedKey; 3] = [
    ("tls_config", Lost, NO_MAP),
    ("resolve_first", NotNeeded, "A name is always resolved first."),
    ("interval_between_targets_msec", NotNeeded, OF_ITSELF),
];
pub(super) const ALERT: [UnusedKey; 6] = [
    ("name", NotNeeded, OF_ITSELF),
    ("notify", Lost, DESTINATIONS),
    (
        "dashboard_url_template",
        Lost,
        "Notifications have one link: use `runbook`.",
    ),
    (
        "summary_template",
        Lost,
        "Notifications have no text of their own.",
    ),
    (
        "details_template",
        Lost,
        "Notifications have no text of their own.",
    ),
    ("other_info", Lost, "Notifications have no text of their own."),
];
