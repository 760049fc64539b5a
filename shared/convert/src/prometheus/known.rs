//! The keys of a module of the blackbox exporter that are not used, and why.
//!
//! Source: <https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md>

use crate::fields::Known;
use crate::left::Kind;

const HEADERS: &str = "requests have no headers of one's own";
const ANSWER_HEADERS: &str = "the headers of an answer are not looked at";
const BODY: &str = "requests have no body";
const CREDENTIALS: &str = "checks have no credentials";
const STRAIGHT: &str = "checks go straight to their target";
const CERTIFICATES: &str =
    "certificates are always checked, against the public authorities and the host's name";
pub(super) const OF_HTTP: [Known; 25] = [
    ("valid_status_codes", Kind::Lost, "goes with the method"),
    (
        "fail_if_body_not_matches_regexp",
        Kind::Lost,
        "goes with the method",
    ),
    ("headers", Kind::Lost, HEADERS),
    ("http_headers", Kind::Lost, HEADERS),
    ("body", Kind::Lost, BODY),
    ("body_file", Kind::Lost, BODY),
    ("valid_http_versions", Kind::Lost, "HTTP/1.1 is spoken"),
    ("enable_http2", Kind::NotNeeded, "HTTP/1.1 is spoken"),
    ("enable_http3", Kind::NotNeeded, "HTTP/1.1 is spoken"),
    (
        "compression",
        Kind::NotNeeded,
        "answers are asked for as they are",
    ),
    (
        "body_size_limit",
        Kind::NotNeeded,
        "answers are read up to a limit",
    ),
    ("fail_if_ssl", Kind::Lost, "the scheme of the target says it"),
    (
        "fail_if_not_ssl",
        Kind::NotNeeded,
        "the scheme of the target says it",
    ),
    (
        "fail_if_body_matches_regexp",
        Kind::Lost,
        "a text can only be asked to be there",
    ),
    (
        "fail_if_body_json_matches_cel",
        Kind::Lost,
        "only plain text can be looked for",
    ),
    (
        "fail_if_body_json_not_matches_cel",
        Kind::Lost,
        "only plain text can be looked for",
    ),
    ("fail_if_header_matches", Kind::Lost, ANSWER_HEADERS),
    ("fail_if_header_not_matches", Kind::Lost, ANSWER_HEADERS),
    ("basic_auth", Kind::Lost, CREDENTIALS),
    ("authorization", Kind::Lost, CREDENTIALS),
    ("bearer_token", Kind::Lost, CREDENTIALS),
    ("oauth2", Kind::Lost, CREDENTIALS),
    ("proxy_url", Kind::Lost, STRAIGHT),
    ("skip_resolve_phase_with_proxy", Kind::NotNeeded, STRAIGHT),
    ("tls_config", Kind::Lost, CERTIFICATES),
];
pub(super) const OF_TCP: [Known; 2] = [
    ("tls_config", Kind::Lost, CERTIFICATES),
    ("source_ip_address", Kind::Lost, "the system chooses the source"),
];
pub(super) const OF_DNS: [Known; 8] = [
    (
        "validate_answer_rrs",
        Kind::Lost,
        "write whole records into `dns.must` and `dns.must_not`",
    ),
    ("validate_authority_rrs", Kind::Lost, "only answers are looked at"),
    (
        "validate_additional_rrs",
        Kind::Lost,
        "only answers are looked at",
    ),
    ("query_class", Kind::Lost, "the class is IN"),
    ("recursion_desired", Kind::Lost, "recursion is asked for"),
    (
        "dns_over_tls",
        Kind::Lost,
        "set `tls: true` with `transport: tcp`",
    ),
    ("tls_config", Kind::Lost, CERTIFICATES),
    ("source_ip_address", Kind::Lost, "the system chooses the source"),
];
pub(super) const OF_ICMP: [Known; 6] = [
    ("preferred_ip_protocol", Kind::NotNeeded, "there is no ICMP"),
    ("ip_protocol_fallback", Kind::NotNeeded, "there is no ICMP"),
    ("source_ip_address", Kind::NotNeeded, "there is no ICMP"),
    ("dont_fragment", Kind::NotNeeded, "there is no ICMP"),
    ("payload_size", Kind::NotNeeded, "there is no ICMP"),
    ("ttl", Kind::NotNeeded, "there is no ICMP"),
];
