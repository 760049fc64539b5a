use super::*;
use proptest::prelude::*;

fn certificate(not_after: (i32, u8, u8)) -> Vec<u8> {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(1999, 1, 1);
    params.not_after = rcgen::date_time_ymd(not_after.0, not_after.1, not_after.2);
    params.self_signed(&key).unwrap().der().to_vec()
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

proptest! {
    #[test]
    fn invalid_certificate_has_no_expiry(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..200usize) {
        expiry(&bytes, day(0));
        let good = certificate((2030, 1, 1));
        prop_assert_eq!(expiry(good.get(..cut).unwrap(), day(0)), None);
    }
}
