use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, NameConstraints, date_time_ymd,
};
use rustls::crypto::aws_lc_rs;

use super::*;
use Special::{Authority, Expired, Future, LimitsNames, Nothing, OnlyForClients, Soon};

/// 2026-07-01.
const NOW: Duration = Duration::from_secs(1_782_864_000);

/// What is unusual about a certificate.
#[derive(Clone, Copy, PartialEq)]
enum Special {
    Nothing,
    /// Expired on 2026-05-22, 40 days ago.
    Expired,
    /// Valid from 2026-07-11, in 10 days.
    Future,
    /// Expires on 2026-07-05, in 4 days.
    Soon,
    /// A server's certificate with `CA:TRUE`.
    Authority,
    OnlyForClients,
    LimitsNames,
}

fn parameters(name: &str, special: Special) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2030, 1, 1);
    match special {
        Nothing => {}
        Expired => params.not_after = date_time_ymd(2026, 5, 22),
        Future => params.not_before = date_time_ymd(2026, 7, 11),
        Soon => params.not_after = date_time_ymd(2026, 7, 5),
        Authority => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
        OnlyForClients => params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
        LimitsNames => {
            let permitted = rcgen::GeneralSubtree::DnsName("other.example".to_owned());
            params.name_constraints = Some(NameConstraints {
                permitted_subtrees: vec![permitted],
                excluded_subtrees: vec![],
            });
        }
    }
    params
}

fn authority(name: &str, special: Special) -> CertificateParams {
    let mut params = parameters(name, special);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

type Ca = CertifiedIssuer<'static, KeyPair>;

fn root_of(name: &str, special: Special) -> Ca {
    Ca::self_signed(authority(name, special), KeyPair::generate().unwrap()).unwrap()
}

fn intermediate(name: &str, special: Special, by: &Ca) -> Ca {
    Ca::signed_by(authority(name, special), KeyPair::generate().unwrap(), by).unwrap()
}

/// Another certificate for an authority's name and key.
fn cross_signed(ca: &Ca, name: &str, special: Special, by: &Ca) -> CertificateDer<'static> {
    authority(name, special)
        .signed_by(ca.key(), by)
        .unwrap()
        .der()
        .clone()
}

fn leaf(special: Special, by: &Issuer<'_, KeyPair>) -> CertificateDer<'static> {
    let mut params = parameters("db", special);
    params.subject_alt_names = vec![rcgen::SanType::DnsName("db.example".try_into().unwrap())];
    params
        .signed_by(&KeyPair::generate().unwrap(), by)
        .unwrap()
        .der()
        .clone()
}

fn der(ca: &Ca) -> CertificateDer<'static> {
    ca.der().clone()
}

fn judged(trusted: &[CertificateDer<'static>], chain: &[CertificateDer<'static>]) -> String {
    let (anchors, malformed) = Anchors::read(trusted.to_vec());
    assert_eq!(malformed, 0);
    let provider = aws_lc_rs::default_provider();
    let rules = Rules {
        anchors: &anchors,
        algorithms: provider.signature_verification_algorithms.all,
        name: &ServerName::try_from("db.example").unwrap(),
        now: NOW,
    };
    match judge(chain, &rules) {
        Ok(first) => format!(
            "{} days, {}",
            first.expiry.days,
            first.issuer.as_deref().unwrap_or("itself")
        ),
        Err(error) => error,
    }
}

#[track_caller]
fn check(trusted: &[CertificateDer<'static>], chain: &[CertificateDer<'static>], expected: &str) {
    assert_eq!(judged(trusted, chain), expected);
}

const GOOD: &str = "1280 days, itself";

#[test]
fn each_certificate_at_fault_is_named_with_its_position() {
    let root = root_of("Root", Nothing);
    let middle = |special| intermediate("R3", special, &root);
    let good = middle(Nothing);
    check(&[der(&root)], &[leaf(Nothing, &good), der(&good)], GOOD);
    for (special, expected) in [
        (Expired, "certificate 2 (`R3`) expired 40 days ago"),
        (Future, "certificate 2 (`R3`) is not yet valid: valid in 10 days"),
    ] {
        let bad = middle(special);
        check(&[der(&root)], &[leaf(Nothing, &bad), der(&bad)], expected);
        let both = format!("the certificate expired 40 days ago; {expected}");
        check(&[der(&root)], &[leaf(Expired, &bad), der(&bad)], &both);
    }
    let untrusted =
        "certificate 2 (`R3`) has an unknown issuer: `Root` is neither trusted nor sent by the server";
    let other = root_of("Other", Nothing);
    check(&[der(&other)], &[leaf(Nothing, &good), der(&good)], untrusted);
    let sent_along = "certificate 3 (`Root`) is self-signed and not trusted";
    check(
        &[der(&other)],
        &[leaf(Nothing, &good), der(&good), der(&root)],
        sent_along,
    );
    let missing = "the certificate has an unknown issuer: `R3` is neither trusted nor sent by the server";
    check(&[der(&root)], &[leaf(Nothing, &good)], missing);
    let same_name = root_of("Root", Nothing);
    let forged = "certificate 2 (`R3`) was not signed by the issuer that it names";
    check(&[der(&same_name)], &[leaf(Nothing, &good), der(&good)], forged);
    let purpose = "the certificate is not for servers";
    check(&[der(&root)], &[leaf(OnlyForClients, &good), der(&good)], purpose);
    let limited = middle(LimitsNames);
    let name = "the certificate has a name that its issuer must not certify";
    check(&[der(&root)], &[leaf(Nothing, &limited), der(&limited)], name);
    check(&[der(&root)], &[], "the server presented no certificate");
    check(
        &[der(&root)],
        &[CertificateDer::from(vec![1, 2])],
        "the certificate is malformed",
    );
}

#[test]
fn anchors_are_believed_as_openssl_believes_them() {
    let (root, old) = (root_of("X1", Nothing), root_of("X3", Expired));
    let good = intermediate("R3", Nothing, &root);
    let leaf_of = |ca: &Ca| leaf(Nothing, ca);
    let cross = cross_signed(&root, "X1", Expired, &old);
    let trusted = [der(&old), der(&root)];
    // An expired cross-signed root beside a good path, with and without the old root; in any order, with the root, twice,
    // and with certificates of others.
    check(&trusted, &[leaf_of(&good), der(&good), cross.clone()], GOOD);
    check(&[der(&root)], &[leaf_of(&good), cross.clone(), der(&good)], GOOD);
    check(&[der(&root)], &[leaf_of(&good), der(&root), der(&good)], GOOD);
    let mut many: Vec<_> = (0..9)
        .map(|n| der(&root_of(&format!("Other {n}"), Nothing)))
        .collect();
    many.insert(0, leaf_of(&good));
    many.extend([der(&good), der(&good)]);
    check(&[der(&root)], &many, GOOD);
    // Only the old root is trusted, and it expired.
    let long = cross_signed(&root, "X1", Nothing, &old);
    let expired = "the trusted certificate `X3` expired 40 days ago";
    check(&[der(&old)], &[leaf_of(&good), der(&good), long], expired);
    // An expired intermediate beside its renewal, with the same name and key.
    let renewed = cross_signed(&good, "R3", Expired, &root);
    check(&[der(&root)], &[leaf_of(&good), renewed, der(&good)], GOOD);
    // An intermediate certificate is an anchor, without its root.
    check(&[der(&good)], &[leaf_of(&good)], GOOD);
    check(&[der(&good)], &[leaf_of(&good), der(&good)], GOOD);
    // The certificate of an authority as that of a server.
    let authority = leaf(Authority, &good);
    check(&[der(&root)], &[authority.clone(), der(&good)], GOOD);
    check(
        std::slice::from_ref(&authority),
        std::slice::from_ref(&authority),
        GOOD,
    );
    let limited = intermediate("R4", LimitsNames, &root);
    let refused = "the certificate is the certificate of an authority, not of a server";
    check(
        &[der(&root)],
        &[leaf(Authority, &limited), der(&limited)],
        refused,
    );
}

#[test]
fn trusted_self_signed_certificate_is_believed() {
    for special in [Nothing, Authority] {
        let mut params = parameters("db", special);
        params.subject_alt_names = vec![rcgen::SanType::DnsName("db.example".try_into().unwrap())];
        let own = params
            .self_signed(&KeyPair::generate().unwrap())
            .unwrap()
            .der()
            .clone();
        check(std::slice::from_ref(&own), std::slice::from_ref(&own), GOOD);
        let other = root_of("Other", Nothing);
        let unknown = "the certificate is self-signed and not trusted";
        check(&[der(&other)], &[own], unknown);
    }
    let mut params = parameters("db", Expired);
    params.subject_alt_names = vec![rcgen::SanType::DnsName("db.example".try_into().unwrap())];
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = params
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap()
        .der()
        .clone();
    check(
        std::slice::from_ref(&own),
        std::slice::from_ref(&own),
        "the certificate expired 40 days ago",
    );
    let nameless = parameters("db", Nothing);
    let own = nameless
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap()
        .der()
        .clone();
    let text = "the certificate is for no host, so not for db.example: it has no subject alternative name";
    check(std::slice::from_ref(&own), std::slice::from_ref(&own), text);
}

#[test]
fn first_expiry_of_the_chain_is_found() {
    let (long, short) = (root_of("Root", Nothing), root_of("Root 2", Soon));
    let soon = intermediate("R3", Soon, &long);
    check(&[der(&long)], &[leaf(Nothing, &soon), der(&soon)], "4 days, R3");
    check(&[der(&long)], &[leaf(Soon, &soon), der(&soon)], "4 days, itself");
    let good = intermediate("R4", Nothing, &short);
    check(
        &[der(&short)],
        &[leaf(Nothing, &good), der(&good)],
        "4 days, Root 2",
    );
    // A renewed root counts, not the old one beside it.
    let renewed = cross_signed(&short, "Root 2", Nothing, &long);
    check(&[der(&short), renewed], &[leaf(Nothing, &good), der(&good)], GOOD);
}
