//! Reads the expiry date of a DER-encoded certificate.

use std::time::Duration;

use jiff::Timestamp;

/// The expiry of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) at: Timestamp,
    /// Whole days until `at`, rounded down; negative after expiry.
    pub(crate) days: i64,
}

/// Reads the expiry of a certificate and counts the days from `now` (time since the Unix epoch).
///
/// Returns `None` if the certificate is malformed.
///
/// Source: RFC 5280, section 4.1: `Certificate ::= { tbsCertificate { [0] version?, serialNumber, signature, issuer,
/// validity { notBefore, notAfter }, … }, … }`.
pub(crate) fn expiry(certificate: &[u8], now: Duration) -> Option<Expiry> {
    let (outer, _) = take_element(certificate, SEQUENCE)?;
    let (mut tbs, _) = take_element(outer, SEQUENCE)?;
    if let Some((_, rest)) = take_element(tbs, EXPLICIT_0) {
        tbs = rest;
    }
    let (_serial, rest) = take_element(tbs, INTEGER)?;
    let (_signature, rest) = take_element(rest, SEQUENCE)?;
    let (_issuer, rest) = take_element(rest, SEQUENCE)?;
    let (validity, _) = take_element(rest, SEQUENCE)?;
    let (_not_before, rest) = take_time(validity)?;
    let (not_after, _) = take_time(rest)?;
    Some(Expiry {
        at: Timestamp::from_second(not_after).ok()?,
        days: (not_after - i64::try_from(now.as_secs()).ok()?).div_euclid(86_400),
    })
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const EXPLICIT_0: u8 = 0xa0;

/// Splits off the DER element at the start: its content and the remaining bytes. `None` if the tag differs.
fn take_element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f).min(5))?;
        let length = digits.iter().try_fold(0usize, |sum, &b| {
            sum.checked_mul(256)?.checked_add(usize::from(b))
        })?;
        (length, rest)
    };
    rest.split_at_checked(length)
}

/// Splits off the time at the start: seconds since the Unix epoch and the remaining bytes.
fn take_time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    if let Some((text, rest)) = take_element(bytes, UTC_TIME) {
        let (year, text) = take_number(text, 2)?;
        // RFC 5280, section 4.1.2.5.1.
        return Some((
            seconds(if year >= 50 { 1900 + year } else { 2000 + year }, text)?,
            rest,
        ));
    }
    let (text, rest) = take_element(bytes, GENERALIZED_TIME)?;
    let (year, text) = take_number(text, 4)?;
    Some((seconds(year, text)?, rest))
}

/// Converts a year and `MMDDHHMMSSZ` to seconds since the Unix epoch.
fn seconds(year: i64, text: &[u8]) -> Option<i64> {
    let (month, text) = take_number(text, 2)?;
    let (day, text) = take_number(text, 2)?;
    let (hour, text) = take_number(text, 2)?;
    let (minute, text) = take_number(text, 2)?;
    let (second, text) = take_number(text, 2)?;
    (text == b"Z" && (1..=12).contains(&month)).then_some(())?;
    // Days since the epoch. The year starts in March, so that a leap day is the last day of its year.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719_469;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn take_number(text: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    number.iter().all(u8::is_ascii_digit).then_some(())?;
    Some((std::str::from_utf8(number).ok()?.parse().ok()?, rest))
}

#[cfg(test)]
mod tests;
