//! The keys in modules of the blackbox exporter that are not converted, with the reasons.
//!
//! Source: <https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md>

use crate::note::NoteKind;
use crate::source_fields::UnusedKey;

const HEADERS: &str = "custom request headers are not supported";
const ANSWER_HEADERS: &str = "response headers are not checked";
const BODY: &str = "requests have no body";
const CREDENTIALS: &str = "checks have no credentials";
const STRAIGHT: &str = "checks do not use proxies or tunnels";
const CERTIFICATES: &str = "certificates are always verified against public authorities and the host name";
pub(super) const HTTP_KEYS: [UnusedKey; 25] = [
    (
        "valid_status_codes",
        NoteKind::Lost,
        "requires a supported method",
    ),
    (
        "fail_if_body_not_matches_regexp",
        NoteKind::Lost,
        "requires a supported method",
    ),
    ("headers", NoteKind::Lost, HEADERS),
    ("http_headers", NoteKind::Lost, HEADERS),
    ("body", NoteKind::Lost, BODY),
    ("body_file", NoteKind::Lost, BODY),
    ("valid_http_versions", NoteKind::Lost, "HTTP/1.1 is used"),
    ("enable_http2", NoteKind::NotNeeded, "HTTP/1.1 is used"),
    ("enable_http3", NoteKind::NotNeeded, "HTTP/1.1 is used"),
    (
        "compression",
        NoteKind::NotNeeded,
        "responses are requested without compression",
    ),
    (
        "body_size_limit",
        NoteKind::NotNeeded,
        "responses are read up to a fixed limit",
    ),
    ("fail_if_ssl", NoteKind::Lost, "the scheme of the target decides"),
    (
        "fail_if_not_ssl",
        NoteKind::NotNeeded,
        "the scheme of the target decides",
    ),
    (
        "fail_if_body_matches_regexp",
        NoteKind::Lost,
        "a text can only be required, not forbidden",
    ),
    (
        "fail_if_body_json_matches_cel",
        NoteKind::Lost,
        "only plain text is supported",
    ),
    (
        "fail_if_body_json_not_matches_cel",
        NoteKind::Lost,
        "only plain text is supported",
    ),
    ("fail_if_header_matches", NoteKind::Lost, ANSWER_HEADERS),
    ("fail_if_header_not_matches", NoteKind::Lost, ANSWER_HEADERS),
    ("basic_auth", NoteKind::Lost, CREDENTIALS),
    ("authorization", NoteKind::Lost, CREDENTIALS),
    ("bearer_token", NoteKind::Lost, CREDENTIALS),
    ("oauth2", NoteKind::Lost, CREDENTIALS),
    ("proxy_url", NoteKind::Lost, STRAIGHT),
    ("skip_resolve_phase_with_proxy", NoteKind::NotNeeded, STRAIGHT),
    ("tls_config", NoteKind::Lost, CERTIFICATES),
];
pub(super) const TCP_KEYS: [UnusedKey; 2] = [
    ("tls_config", NoteKind::Lost, CERTIFICATES),
    (
        "source_ip_address",
        NoteKind::Lost,
        "the system chooses the source address",
    ),
];
pub(super) const DNS_KEYS: [UnusedKey; 8] = [
    (
        "validate_answer_rrs",
        NoteKind::Lost,
        "use complete records in `dns.must` and `dns.must_not`",
    ),
    (
        "validate_authority_rrs",
        NoteKind::Lost,
        "only the answer section is checked",
    ),
    (
        "validate_additional_rrs",
        NoteKind::Lost,
        "only the answer section is checked",
    ),
    ("query_class", NoteKind::Lost, "the class is always IN"),
    (
        "recursion_desired",
        NoteKind::Lost,
        "recursion is always requested",
    ),
    (
        "dns_over_tls",
        NoteKind::Lost,
        "use `tls: true` with `transport: tcp`",
    ),
    ("tls_config", NoteKind::Lost, CERTIFICATES),
    (
        "source_ip_address",
        NoteKind::Lost,
        "the system chooses the source address",
    ),
];
pub(super) const ICMP_KEYS: [UnusedKey; 6] = [
    (
        "preferred_ip_protocol",
        NoteKind::NotNeeded,
        "ICMP is not supported",
    ),
    (
        "ip_protocol_fallback",
        NoteKind::NotNeeded,
        "ICMP is not supported",
    ),
    ("source_ip_address", NoteKind::NotNeeded, "ICMP is not supported"),
    ("dont_fragment", NoteKind::NotNeeded, "ICMP is not supported"),
    ("payload_size", NoteKind::NotNeeded, "ICMP is not supported"),
    ("ttl", NoteKind::NotNeeded, "ICMP is not supported"),
];
