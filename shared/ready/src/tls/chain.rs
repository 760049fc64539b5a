//! Judges the chain of certificates that a server presents: every certificate by itself, and named.

use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

use super::anchors::{Anchors, Trusted};
use super::chain_error::describe;
use super::words::ago;
use crate::certificate::{Certificate, Expiry, short_name};

/// The maximum number of intermediate certificates used. The verifier builds chains of at most six, tries certificates of
/// the same name in every order, and reads all of them in each of up to 200,000 steps.
const MAX_INTERMEDIATES: usize = 6;
/// The maximum number of certificates that are looked at. Servers may send them in any order, and some that do not belong
/// to the chain (RFC 8446, section 4.4.2).
const MAX_SENT: usize = 32;
/// The minimum length of an RSA key in bits, as of the verifier and of OpenSSL's security level 2.
const MIN_RSA_BITS: usize = 2_048;

type Algorithms<'a> = &'a [&'a dyn SignatureVerificationAlgorithm];

/// The certificate of a valid chain that expires first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FirstExpiry {
    pub(crate) expiry: Expiry,
    /// The name of an issuer; `None` for the certificate of the server.
    pub(crate) issuer: Option<String>,
}

/// What a chain is judged by.
pub(super) struct Rules<'a> {
    pub(super) anchors: &'a Anchors,
    pub(super) algorithms: Algorithms<'a>,
    /// The name that the certificate must be for.
    pub(super) name: &'a ServerName<'a>,
    /// The time since the Unix epoch.
    pub(super) now: Duration,
}

/// A certificate that the server sent.
#[derive(Clone, Copy)]
struct Sent<'a> {
    /// The place in the server's message: 1 is the certificate of the server.
    position: usize,
    der: &'a CertificateDer<'a>,
    certificate: Certificate<'a>,
}

/// Judges a chain, of which the first certificate is the server's.
///
/// # Errors
/// What is wrong with each certificate at fault.
pub(super) fn judge(chain: &[CertificateDer<'_>], rules: &Rules<'_>) -> Result<FirstExpiry, String> {
    let Some((leaf, others)) = chain.split_first() else {
        return Err("the server presented no certificate".to_owned());
    };
    let Some(certificate) = Certificate::read(leaf) else {
        return Err("the certificate is malformed".to_owned());
    };
    let leaf = Sent {
        position: 1,
        der: leaf,
        certificate,
    };
    let end_entity = EndEntityCert::try_from(leaf.der).map_err(|error| describe(&error))?;
    let intermediates = needed(&leaf, others);
    let verified = verify(&end_entity, &leaf, &intermediates, rules);
    let named = end_entity.verify_is_valid_for_subject_name(rules.name);
    match (verified, named) {
        (verified, Ok(())) => verified,
        (Ok(_), Err(error)) => Err(name_error(&error)),
        (Err(chain), Err(error)) => Err(format!("{chain}; {}", name_error(&error))),
    }
}

/// The certificates that can be issuers in the chain, wherever the server put them.
fn needed<'a>(leaf: &Sent<'a>, others: &'a [CertificateDer<'a>]) -> Vec<Sent<'a>> {
    let sent: Vec<_> = others
        .iter()
        .take(MAX_SENT)
        .zip(2..)
        .filter_map(|(der, position)| {
            let certificate = Certificate::read(der)?;
            Some(Sent {
                position,
                der,
                certificate,
            })
        })
        .collect();
    let mut needed: Vec<Sent<'a>> = Vec::new();
    let mut next = Some(leaf.certificate.issuer);
    let mut followed = 0;
    while let Some(issuer) = next {
        for candidate in sent.iter().filter(|sent| sent.certificate.subject == issuer) {
            let known = needed.iter().any(|known| known.der == candidate.der);
            if !known && candidate.der != leaf.der && needed.len() < MAX_INTERMEDIATES {
                needed.push(*candidate);
            }
        }
        next = needed.get(followed).map(|sent| sent.certificate.issuer);
        followed += 1;
    }
    needed
}

/// Verifies signatures, times and purposes up to a trust anchor.
fn verify(
    end_entity: &EndEntityCert<'_>,
    leaf: &Sent<'_>,
    intermediates: &[Sent<'_>],
    rules: &Rules<'_>,
) -> Result<FirstExpiry, String> {
    let ders: Vec<_> = intermediates
        .iter()
        .map(|sent| CertificateDer::from(&**sent.der))
        .collect();
    let path = end_entity.verify_for_usage(
        rules.algorithms,
        rules.anchors.unexpired(seconds(rules.now)),
        &ders,
        UnixTime::since_unix_epoch(rules.now),
        KeyUsage::server_auth(),
        None,
        None,
    );
    let error = match path {
        Ok(path) => {
            let issuers = path.intermediate_certificates().map(webpki::Cert::der);
            let issuers: Vec<_> = issuers.collect();
            let issuers = issuers.iter().filter_map(|der| Certificate::read(der));
            let anchor = rules.anchors.found(path.anchor());
            return first_expiry(&leaf.certificate, issuers, anchor, rules.now);
        }
        Err(error) => error,
    };
    let walk = Walk::new(leaf, intermediates, rules);
    if !walk.findings.is_empty() {
        return Err(walk.findings.join("; "));
    }
    // OpenSSL accepts the certificate of an authority as that of a server, above all a trusted self-signed one
    // (`openssl req -x509`).
    if error == webpki::Error::CaUsedAsEndEntity && walk.is_believed(rules) {
        let issuers = walk.issuers.iter().map(|sent| sent.certificate);
        return first_expiry(&leaf.certificate, issuers, walk.anchor, rules.now);
    }
    Err(describe(&error))
}

/// The first expiry of a valid chain.
fn first_expiry<'a>(
    leaf: &Certificate<'_>,
    issuers: impl Iterator<Item = Certificate<'a>>,
    anchor: Option<Trusted<'_>>,
    now: Duration,
) -> Result<FirstExpiry, String> {
    let malformed = || "the certificate is malformed".to_owned();
    let mut first = FirstExpiry {
        expiry: leaf.expiry(now).ok_or_else(malformed)?,
        issuer: None,
    };
    let issuers = issuers.map(|issuer| (issuer.not_after, short_name(issuer.subject)));
    let anchor = anchor
        .filter(|anchor| !anchor.is(leaf))
        .map(|anchor| (anchor.not_after, anchor.name()));
    for (not_after, name) in issuers.chain(anchor) {
        // Only what expires before the certificate of the server is of interest.
        if not_after < first.expiry.at.as_second() {
            let expiry = Expiry::new(not_after, now).ok_or_else(malformed)?;
            first = FirstExpiry {
                expiry,
                issuer: Some(name),
            };
        }
    }
    Ok(first)
}

/// The most plausible way from the certificate of the server to a trust anchor, with what is wrong on it.
struct Walk<'a> {
    findings: Vec<String>,
    issuers: Vec<Sent<'a>>,
    anchor: Option<Trusted<'a>>,
}

/// A certificate that may have issued another one.
#[derive(Clone, Copy)]
enum Issuer<'a> {
    Anchor(Trusted<'a>),
    Sent(Sent<'a>),
}

impl<'a> Walk<'a> {
    fn new(leaf: &Sent<'a>, intermediates: &[Sent<'a>], rules: &Rules<'a>) -> Self {
        let mut walk = Self {
            findings: Vec::new(),
            issuers: Vec::new(),
            anchor: None,
        };
        let now = seconds(rules.now);
        let mut current = *leaf;
        loop {
            let subject = label(&current);
            // A trusted certificate ends the chain, whatever the copy says that the server sends.
            walk.anchor = best_anchor(rules, now, |anchor| anchor.is(&current.certificate));
            let is_leaf = current.position == 1;
            if is_leaf || walk.anchor.is_none() {
                walk.findings.extend(time_finding(
                    &subject,
                    current.certificate.not_before,
                    current.certificate.not_after,
                    now,
                ));
            }
            if walk.anchor.is_some() {
                break;
            }
            let Some((issuer, signed)) = walk.issuer_of(&current, intermediates, rules) else {
                walk.findings.push(unknown_issuer(&current, &subject));
                break;
            };
            if let Err(finding) = signed {
                // What follows belongs to another chain.
                walk.findings.push(finding);
                return walk;
            }
            match issuer {
                Issuer::Anchor(anchor) => {
                    walk.anchor = Some(anchor);
                    break;
                }
                Issuer::Sent(sent) => {
                    walk.issuers.push(sent);
                    current = sent;
                }
            }
        }
        if let Some(anchor) = walk.anchor
            && !anchor.is(&leaf.certificate)
        {
            let subject = format!("the trusted certificate `{}`", anchor.name());
            walk.findings
                .extend(time_finding(&subject, anchor.not_before, anchor.not_after, now));
        }
        walk
    }

    /// The best candidate, and what is wrong with its signature.
    fn issuer_of(
        &self,
        current: &Sent<'a>,
        intermediates: &[Sent<'a>],
        rules: &Rules<'a>,
    ) -> Option<(Issuer<'a>, Result<(), String>)> {
        let now = seconds(rules.now);
        let name = current.certificate.issuer;
        let anchors = rules.anchors.all().filter(|anchor| anchor.subject == name);
        let sent = intermediates.iter().filter(|sent| {
            let used = sent.der == current.der || self.issuers.iter().any(|used| used.der == sent.der);
            !used && sent.certificate.subject == name
        });
        let candidates = anchors.map(Issuer::Anchor).chain(sent.copied().map(Issuer::Sent));
        let judged = candidates.map(|issuer| {
            let signed = signature(current, &issuer, rules.algorithms);
            let (not_before, not_after) = match &issuer {
                Issuer::Anchor(anchor) => (anchor.not_before, anchor.not_after),
                Issuer::Sent(sent) => (sent.certificate.not_before, sent.certificate.not_after),
            };
            (
                signed.is_ok(),
                (not_before..=not_after).contains(&now),
                issuer,
                signed,
            )
        });
        // Of equal candidates the first is kept: an anchor.
        let best = judged.reduce(|best, next| {
            if (next.0, next.1) > (best.0, best.1) {
                next
            } else {
                best
            }
        });
        best.map(|(_, _, issuer, signed)| (issuer, signed))
    }

    /// Whether a chain without findings holds although its first certificate is of an authority, for which the verifier
    /// builds no chain: all signatures fit, all issuers are authorities, and none limits names.
    fn is_believed(&self, rules: &Rules<'_>) -> bool {
        let is_authority = |sent: &Sent<'_>| {
            let time = UnixTime::since_unix_epoch(rules.now);
            let usage = KeyUsage::server_auth();
            EndEntityCert::try_from(sent.der).is_ok_and(|certificate| {
                let verified =
                    certificate.verify_for_usage(rules.algorithms, &[], &[], time, usage, None, None);
                verified.err() == Some(webpki::Error::CaUsedAsEndEntity)
            })
        };
        let limits_names = |sent: &Sent<'_>| sent.certificate.constrains_names();
        self.anchor.is_some_and(|anchor| !anchor.constrains_names)
            && self
                .issuers
                .iter()
                .all(|sent| is_authority(sent) && !limits_names(sent))
    }
}

/// The anchor for which a condition holds, preferably one that is valid now.
fn best_anchor<'a>(rules: &Rules<'a>, now: i64, is_it: impl Fn(&Trusted<'a>) -> bool) -> Option<Trusted<'a>> {
    let mut matching = rules.anchors.all().filter(|anchor| is_it(anchor)).peekable();
    let first = matching.peek().copied();
    matching
        .find(|anchor| (anchor.not_before..=anchor.not_after).contains(&now))
        .or(first)
}

/// `the certificate`, or `certificate 2 (R3)`.
fn label(sent: &Sent<'_>) -> String {
    match sent.position {
        1 => "the certificate".to_owned(),
        position => format!(
            "certificate {position} (`{}`)",
            short_name(sent.certificate.subject)
        ),
    }
}

fn time_finding(subject: &str, not_before: i64, not_after: i64, now: i64) -> Option<String> {
    let seconds = |difference: i64| u64::try_from(difference).unwrap_or_default();
    if not_after < now {
        Some(format!("{subject} expired {} ago", ago(seconds(now - not_after))))
    } else if now < not_before {
        Some(format!(
            "{subject} is not yet valid: valid in {}",
            ago(seconds(not_before - now))
        ))
    } else {
        None
    }
}

fn unknown_issuer(current: &Sent<'_>, subject: &str) -> String {
    if current.certificate.is_self_issued() {
        return format!("{subject} is self-signed and not trusted");
    }
    let issuer = short_name(current.certificate.issuer);
    format!("{subject} has an unknown issuer: `{issuer}` is neither trusted nor sent by the server")
}

/// Checks that one certificate was signed by another.
fn signature(current: &Sent<'_>, issuer: &Issuer<'_>, algorithms: Algorithms<'_>) -> Result<(), String> {
    let subject = label(current);
    let (key, issuer_name, bits) = match issuer {
        Issuer::Anchor(anchor) => (
            anchor.key,
            format!("`{}`", anchor.name()),
            Certificate::rsa_bits(anchor.key),
        ),
        Issuer::Sent(sent) => (
            sent.certificate.key,
            label(sent),
            Certificate::rsa_bits(sent.certificate.key),
        ),
    };
    if let Some(bits) = bits.filter(|bits| *bits < MIN_RSA_BITS) {
        return Err(format!("the key of {issuer_name} {}", too_short(bits)));
    }
    if let Some(algorithm) = current.certificate.weak_algorithm() {
        return Err(format!(
            "{subject} is signed with {algorithm}, which is not accepted"
        ));
    }
    let unsupported = || format!("{subject} has a signature of a type that is not supported");
    let key_algorithm = Certificate::key_algorithm(key).ok_or_else(unsupported)?;
    let mut fitting = algorithms
        .iter()
        .filter(|algorithm| {
            *algorithm.signature_alg_id() == *current.certificate.algorithm
                && *algorithm.public_key_alg_id() == *key_algorithm
        })
        .peekable();
    if fitting.peek().is_none() {
        return Err(unsupported());
    }
    let key = Certificate::public_key(key);
    let is_signed = fitting.any(|algorithm| {
        let (signed, signature) = (current.certificate.signed, current.certificate.signature);
        key.is_some_and(|key| algorithm.verify_signature(key, signed, signature).is_ok())
    });
    if is_signed {
        return Ok(());
    }
    Err(format!("{subject} was not signed by the issuer that it names"))
}

/// What is wrong with a short RSA key.
pub(super) fn too_short(bits: usize) -> String {
    format!("is too short ({bits} bits; at least {MIN_RSA_BITS} are required)")
}

/// The server's RSA key, if it is too short.
pub(super) fn short_key(leaf: &CertificateDer<'_>) -> Option<usize> {
    let bits = Certificate::rsa_bits(Certificate::read(leaf)?.key)?;
    (bits < MIN_RSA_BITS).then_some(bits)
}

fn name_error(error: &webpki::Error) -> String {
    let webpki::Error::CertNotValidForName(context) = error else {
        return describe(error);
    };
    let expected = context.expected.to_str();
    let presented: Vec<_> = context.presented.iter().map(|name| plain_name(name)).collect();
    if presented.is_empty() {
        return format!(
            "the certificate is for no host, so not for {expected}: it has no subject alternative name"
        );
    }
    format!(
        "the certificate is for another name: for {}, not for {expected}",
        presented.join(", ")
    )
}

/// Extracts `a.example` from the library's form `DnsName("a.example")`.
fn plain_name(presented: &str) -> &str {
    presented.split('"').nth(1).unwrap_or(presented)
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
