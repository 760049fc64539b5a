//! The keys of Prometheus and the blackbox exporter that are not converted, with the reasons.
//!
//! Sources: <https://prometheus.io/docs/prometheus/latest/configuration/configuration/> and
//! <https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md>

use crate::note::NoteKind::{Lost, NotNeeded};
use crate::secret::CREDENTIALS;
use crate::source_fields::UnusedKey;

const EXPORTER: &str = "The setting concerns only the connection to the exporter.";
pub(super) const OF_ITSELF: &str = "The setting concerns only Prometheus itself.";
const NOT_FILES: &str = "Service discovery is not supported: list the targets in a file.";
const ANSWER_HEADERS: &str = "Response headers are not checked.";
const BODY: &str = "A file of the machine of the exporter is not visible: write `http.body`.";
const PROXIES: &str = "Checks do not use proxies or tunnels.";
pub(super) const AUTHORITIES: &str =
    "Certificates are verified against the authorities of the checker's system.";
pub(super) const VERSIONS: &str = "TLS 1.2 and 1.3 are used.";
const TEXT_ONLY: &str = "Only plain text is supported, so this condition is not checked.";
const ANSWER_SECTION: &str = "Only the answer section is checked.";
const SOURCE_ADDRESS: &str = "The system chooses the source address.";

pub(super) const FILE: [UnusedKey; 11] = [
    (
        "alerting",
        Lost,
        "Notifications are configured apart: with the variable `subscribers`, or as destinations of the relay.",
    ),
    ("scrape_config_files", Lost, "Import these files too."),
    ("scrape_configs", Lost, "The value is not a list."),
    ("remote_write", NotNeeded, OF_ITSELF),
    ("remote_read", NotNeeded, OF_ITSELF),
    ("storage", NotNeeded, OF_ITSELF),
    ("tracing", NotNeeded, OF_ITSELF),
    ("otlp", NotNeeded, OF_ITSELF),
    ("runtime", NotNeeded, OF_ITSELF),
    ("tls_server_config", NotNeeded, OF_ITSELF),
    ("modules", Lost, "The value is not a map."),
];
pub(super) const GLOBAL: [UnusedKey; 8] = [
    ("external_labels", NotNeeded, OF_ITSELF),
    ("evaluation_interval", NotNeeded, OF_ITSELF),
    ("rule_query_offset", NotNeeded, OF_ITSELF),
    ("query_log_file", NotNeeded, OF_ITSELF),
    ("scrape_failure_log_file", NotNeeded, OF_ITSELF),
    ("scrape_protocols", NotNeeded, OF_ITSELF),
    ("sample_limit", NotNeeded, OF_ITSELF),
    ("body_size_limit", NotNeeded, OF_ITSELF),
];
pub(super) const SCRAPE: [UnusedKey; 34] = [
    ("metrics_path", NotNeeded, EXPORTER),
    ("scheme", NotNeeded, EXPORTER),
    ("metric_relabel_configs", NotNeeded, OF_ITSELF),
    ("basic_auth", NotNeeded, EXPORTER),
    ("authorization", NotNeeded, EXPORTER),
    ("oauth2", NotNeeded, EXPORTER),
    ("bearer_token", NotNeeded, EXPORTER),
    ("bearer_token_file", NotNeeded, EXPORTER),
    ("tls_config", NotNeeded, EXPORTER),
    ("proxy_url", NotNeeded, EXPORTER),
    ("proxy_from_environment", NotNeeded, EXPORTER),
    ("follow_redirects", NotNeeded, EXPORTER),
    ("enable_http2", NotNeeded, EXPORTER),
    ("honor_labels", NotNeeded, OF_ITSELF),
    ("honor_timestamps", NotNeeded, OF_ITSELF),
    ("sample_limit", NotNeeded, OF_ITSELF),
    ("label_limit", NotNeeded, OF_ITSELF),
    ("target_limit", NotNeeded, OF_ITSELF),
    ("body_size_limit", NotNeeded, OF_ITSELF),
    ("scrape_protocols", NotNeeded, OF_ITSELF),
    ("static_configs", Lost, "The value is not a list."),
    ("relabel_configs", Lost, "The value is not a list of maps."),
    ("file_sd_configs", Lost, "The value is not a list of maps."),
    ("params", Lost, "The value is not a map."),
    ("dns_sd_configs", Lost, NOT_FILES),
    ("kubernetes_sd_configs", Lost, NOT_FILES),
    ("http_sd_configs", Lost, NOT_FILES),
    ("consul_sd_configs", Lost, NOT_FILES),
    ("ec2_sd_configs", Lost, NOT_FILES),
    ("docker_sd_configs", Lost, NOT_FILES),
    ("dockerswarm_sd_configs", Lost, NOT_FILES),
    ("gce_sd_configs", Lost, NOT_FILES),
    ("azure_sd_configs", Lost, NOT_FILES),
    ("nomad_sd_configs", Lost, NOT_FILES),
];
pub(super) const HTTP: [UnusedKey; 27] = [
    ("valid_status_codes", Lost, "The value is not a list."),
    (
        "fail_if_body_not_matches_regexp",
        Lost,
        "The value is not a list.",
    ),
    ("fail_if_body_matches_regexp", Lost, "The value is not a list."),
    ("headers", Lost, "The value is not a map."),
    ("http_headers", Lost, "The value is not a map."),
    ("basic_auth", Lost, "The value is not a map."),
    ("authorization", Lost, "The value is not a map."),
    ("body_file", Lost, BODY),
    ("valid_http_versions", Lost, "HTTP/1.1 is used."),
    ("enable_http2", NotNeeded, "HTTP/1.1 is used."),
    ("enable_http3", NotNeeded, "HTTP/1.1 is used."),
    (
        "compression",
        NotNeeded,
        "Responses are requested without compression.",
    ),
    (
        "body_size_limit",
        NotNeeded,
        "Responses are read up to a fixed limit.",
    ),
    ("fail_if_ssl", Lost, "The scheme of the target decides."),
    ("fail_if_not_ssl", Lost, "A redirect to HTTPS cannot be required."),
    ("fail_if_body_json_matches_cel", Lost, TEXT_ONLY),
    ("fail_if_body_json_not_matches_cel", Lost, TEXT_ONLY),
    ("fail_if_header_matches", Lost, ANSWER_HEADERS),
    ("fail_if_header_not_matches", Lost, ANSWER_HEADERS),
    ("oauth2", Lost, CREDENTIALS),
    ("proxy_url", Lost, PROXIES),
    ("no_proxy", NotNeeded, PROXIES),
    ("proxy_from_environment", Lost, PROXIES),
    ("proxy_connect_header", NotNeeded, PROXIES),
    ("skip_resolve_phase_with_proxy", NotNeeded, PROXIES),
    ("tls_config", Lost, "The value is not a map."),
    ("no_follow_redirects", Lost, "The value is not a boolean."),
];
pub(super) const TCP: [UnusedKey; 3] = [
    ("tls_config", Lost, "The value is not a map."),
    ("source_ip_address", Lost, SOURCE_ADDRESS),
    ("query_response", Lost, "The value is not a list."),
];
pub(super) const DNS: [UnusedKey; 8] = [
    (
        "validate_answer_rrs",
        Lost,
        "Records are not compared with expressions: write complete records in `dns.must` and `dns.must_not`.",
    ),
    ("validate_authority_rrs", Lost, ANSWER_SECTION),
    ("validate_additional_rrs", Lost, ANSWER_SECTION),
    ("query_class", Lost, "The class is always IN."),
    ("recursion_desired", Lost, "Recursion is always requested."),
    ("dns_over_tls", Lost, "The value is not a boolean."),
    ("tls_config", Lost, "The value is not a map."),
    ("source_ip_address", Lost, SOURCE_ADDRESS),
];
pub(super) const ICMP: [UnusedKey; 4] = [
    ("source_ip_address", Lost, SOURCE_ADDRESS),
    ("dont_fragment", Lost, "A ping may be fragmented."),
    ("payload_size", Lost, "A ping has 32 bytes of data."),
    ("ttl", Lost, "The system chooses the hop limit."),
];
