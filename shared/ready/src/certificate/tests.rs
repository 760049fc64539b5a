use super::*;
use proptest::prelude::*;

fn certificate(not_after: (i32, u8, u8)) -> Vec<u8> {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(1999, 1, 1);
    params.not_after = rcgen::date_time_ymd(not_after.0, not_after.1, not_after.2);
    params.self_signed(&key).unwrap().der().to_vec()
}

fn expiry(certificate: &[u8], now: Duration) -> Option<Expiry> {
    Certificate::read(certificate)?.expiry(now)
}

const fn day(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

#[test]
fn days_count_to_not_after() {
    // 2026-11-22 is day 20779 of the epoch. From 2050 on, certificates write years with four digits.
    let rows = [
        ((2026, 11, 23), day(20_779), 1),
        ((2026, 11, 22), day(20_779), 0),
        ((2026, 11, 22), day(20_779) + Duration::from_secs(1), -1),
        ((2028, 2, 29), day(20_779), 464),
        ((2028, 3, 1), day(20_779), 465),
        ((2050, 1, 1), day(20_779), 8_441),
        ((2000, 3, 1), day(0), 11_017),
    ];
    for (not_after, now, expected) in rows {
        assert_eq!(
            expiry(&certificate(not_after), now).map(|expiry| expiry.days),
            Some(expected),
            "{not_after:?}"
        );
    }
    let at = expiry(&certificate((2026, 11, 23)), day(0)).unwrap().at;
    assert_eq!(at.to_string(), "2026-11-23T00:00:00Z");
}

#[test]
fn names_keys_and_algorithms_are_read() {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(rcgen::DnType::OrganizationName, "Example");
    let key = rcgen::KeyPair::generate().unwrap();
    let mut named = |name: Option<rcgen::DnValue>| {
        if let Some(name) = name {
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
        }
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let certificate = Certificate::read(&der).unwrap();
        assert!(certificate.is_self_issued() && !certificate.constrains_names());
        assert_eq!(
            (
                Certificate::rsa_bits(certificate.key),
                certificate.weak_algorithm()
            ),
            (None, None)
        );
        short_name(certificate.subject)
    };
    assert_eq!(named(None), "Example");
    assert_eq!(named(Some("Wurzel \u{fc}".into())), "Wurzel \u{fc}");
    let wide = rcgen::string::BmpString::try_from("Wurzel").unwrap();
    assert_eq!(named(Some(rcgen::DnValue::BmpString(wide))), "Wurzel");
    assert_eq!(
        named(Some("x".repeat(200).as_str().into())).len(),
        MAX_NAME_CHARACTERS
    );
    assert_eq!(short_name(b""), "a certificate without a name");
}

proptest! {
    #[test]
    fn invalid_certificate_has_no_expiry(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..200usize) {
        expiry(&bytes, day(0));
        let good = certificate((2030, 1, 1));
        prop_assert_eq!(expiry(good.get(..cut).unwrap(), day(0)), None);
    }
}
