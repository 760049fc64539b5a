//! When a certificate expires, read from its DER form.

use std::time::Duration;

use jiff::Timestamp;

/// When a certificate expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) at: Timestamp,
    /// Whole days until then, rounded down.
    pub(crate) days: i64,
}

/// When a certificate expires, seen at `now` (since the Unix epoch); `None` if it cannot be read.
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

/// The content of the element at the front, and what follows it.
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

/// A time at the front, in seconds since the Unix epoch, and what follows it.
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

/// Seconds since the Unix epoch, from a year and `MMDDHHMMSSZ`.
fn seconds(year: i64, text: &[u8]) -> Option<i64> {
    let (month, text) = take_number(text, 2)?;
    let (day, text) = take_number(text, 2)?;
    let (hour, text) = take_number(text, 2)?;
    let (minute, text) = take_number(text, 2)?;
    let (second, text) = take_number(text, 2)?;
    (text == b"Z" && (1..=12).contains(&month)).then_some(())?;
    // Days since the epoch, with years that begin in March, so that a leap day comes last.
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
