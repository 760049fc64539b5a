//! Reads the parts of a DER-encoded certificate that messages and warnings need.
//!
//! `rustls-webpki` does not publish the validity, and `x509-parser` would add 9 crates for it.

use std::time::Duration;

use jiff::Timestamp;

/// The parts of a certificate, as encoded.
///
/// Source: RFC 5280, section 4.1: `Certificate ::= { tbsCertificate { [0] version?, serialNumber, signature, issuer,
/// validity { notBefore, notAfter }, subject, subjectPublicKeyInfo, [3] extensions? }, signatureAlgorithm, signature }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Certificate<'a> {
    /// The signed bytes: `tbsCertificate` with its header.
    pub(crate) signed: &'a [u8],
    /// The content of `issuer`.
    pub(crate) issuer: &'a [u8],
    /// The content of `subject`.
    pub(crate) subject: &'a [u8],
    /// Seconds since the Unix epoch.
    pub(crate) not_before: i64,
    /// Seconds since the Unix epoch.
    pub(crate) not_after: i64,
    /// The content of `subjectPublicKeyInfo`.
    pub(crate) key: &'a [u8],
    /// What follows the key: the extensions.
    extensions: &'a [u8],
    /// The content of `signatureAlgorithm`.
    pub(crate) algorithm: &'a [u8],
    /// The signature.
    pub(crate) signature: &'a [u8],
}

/// The expiry of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) at: Timestamp,
    /// Whole days until `at`, rounded down; negative after expiry.
    pub(crate) days: i64,
}

impl Expiry {
    /// Counts the days from `now` (time since the Unix epoch) to an expiry in seconds since the Unix epoch.
    pub(crate) fn new(not_after: i64, now: Duration) -> Option<Self> {
        Some(Self {
            at: Timestamp::from_second(not_after).ok()?,
            days: (not_after - i64::try_from(now.as_secs()).ok()?).div_euclid(86_400),
        })
    }
}

impl<'a> Certificate<'a> {
    /// Reads a certificate; `None` if it is malformed.
    pub(crate) fn read(der: &'a [u8]) -> Option<Self> {
        let (outer, _) = take_element(der, SEQUENCE)?;
        let (content, after) = take_element(outer, SEQUENCE)?;
        let signed = outer.get(..outer.len() - after.len())?;
        let (algorithm, after) = take_element(after, SEQUENCE)?;
        let (signature, _) = take_element(after, BIT_STRING)?;
        let mut tbs = content;
        if let Some((_, rest)) = take_element(tbs, EXPLICIT_0) {
            tbs = rest;
        }
        let (_serial, rest) = take_element(tbs, INTEGER)?;
        let (_algorithm, rest) = take_element(rest, SEQUENCE)?;
        let (issuer, rest) = take_element(rest, SEQUENCE)?;
        let (validity, rest) = take_element(rest, SEQUENCE)?;
        let (not_before, not_after) = take_time(validity)?;
        let (not_after, _) = take_time(not_after)?;
        let (subject, rest) = take_element(rest, SEQUENCE)?;
        let (key, extensions) = take_element(rest, SEQUENCE)?;
        Some(Self {
            signed,
            issuer,
            subject,
            not_before,
            not_after,
            key,
            extensions,
            algorithm,
            // The first byte counts unused bits, of which a signature has none.
            signature: signature.strip_prefix(&[0])?,
        })
    }

    /// Counts the days from `now` (time since the Unix epoch) to the expiry.
    pub(crate) fn expiry(&self, now: Duration) -> Option<Expiry> {
        Expiry::new(self.not_after, now)
    }

    /// Whether subject and issuer are the same.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether an extension limits the names for which the issued certificates are valid (RFC 5280, section 4.2.1.10).
    pub(crate) fn constrains_names(&self) -> bool {
        const NAME_CONSTRAINTS: &[u8] = &[6, 3, 0x55, 0x1d, 0x1e];
        self.extensions
            .windows(NAME_CONSTRAINTS.len())
            .any(|bytes| bytes == NAME_CONSTRAINTS)
    }

    /// The content of the `AlgorithmIdentifier` of a key.
    pub(crate) fn key_algorithm(key: &[u8]) -> Option<&[u8]> {
        take_element(key, SEQUENCE).map(|(algorithm, _)| algorithm)
    }

    /// The bytes of a public key, without its algorithm.
    pub(crate) fn public_key(key: &[u8]) -> Option<&[u8]> {
        let (_, rest) = take_element(key, SEQUENCE)?;
        // The first byte counts unused bits, of which a key has none.
        take_element(rest, BIT_STRING)?.0.strip_prefix(&[0])
    }

    /// The length of an RSA key in bits; `None` for other keys.
    pub(crate) fn rsa_bits(key: &[u8]) -> Option<usize> {
        /// 1.2.840.113549.1.1.1, `rsaEncryption` (RFC 8017, appendix A.1).
        const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
        if take_element(Self::key_algorithm(key)?, OBJECT_IDENTIFIER)?.0 != RSA {
            return None;
        }
        let (content, _) = take_element(Self::public_key(key)?, SEQUENCE)?;
        let (modulus, _) = take_element(content, INTEGER)?;
        let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
        let leading = usize::try_from(modulus.first()?.leading_zeros()).ok()?;
        (modulus.len() * 8).checked_sub(leading)
    }

    /// The name of the algorithm of the signature, where it is one that is refused.
    pub(crate) fn weak_algorithm(&self) -> Option<&'static str> {
        let (identifier, _) = take_element(self.algorithm, OBJECT_IDENTIFIER)?;
        // RFC 8017, appendix A.2.4; RFC 3279, section 2.2.
        Some(match identifier {
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2] => "MD2 with RSA",
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4] => "MD5 with RSA",
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5] => "SHA-1 with RSA",
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1] => "SHA-1 with ECDSA",
            [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3] => "SHA-1 with DSA",
            [0x2b, 0x65, 0x71] => "Ed448",
            _ => return None,
        })
    }
}

/// The part of a name by which people know it: the common name, else the unit, else the organization.
pub(crate) fn short_name(name: &[u8]) -> String {
    let (mut rest, mut best) = (name, (0, String::new()));
    while let Some((set, after)) = take_element(rest, SET) {
        rest = after;
        let Some((attribute, _)) = take_element(set, SEQUENCE) else {
            continue;
        };
        let Some((kind, value)) = take_element(attribute, OBJECT_IDENTIFIER) else {
            continue;
        };
        // RFC 5280, appendix A.1: id-at-commonName, id-at-organizationalUnitName, id-at-organizationName.
        let rank = match kind {
            [0x55, 4, 3] => 3,
            [0x55, 4, 11] => 2,
            [0x55, 4, 10] => 1,
            _ => 0,
        };
        if rank > best.0
            && let Some(text) = directory_string(value)
        {
            best = (rank, text);
        }
    }
    if best.1.is_empty() {
        "a certificate without a name".to_owned()
    } else {
        best.1.chars().take(MAX_NAME_CHARACTERS).collect()
    }
}

/// The text of a `DirectoryString` (RFC 5280, section 4.1.2.4).
fn directory_string(value: &[u8]) -> Option<String> {
    const BMP_STRING: u8 = 0x1e;
    let tag = *value.first()?;
    let (text, _) = take_element(value, tag)?;
    if tag == BMP_STRING {
        let units = text.chunks_exact(2).map(|pair| match pair {
            [high, low] => u16::from_be_bytes([*high, *low]),
            _ => 0,
        });
        return Some(String::from_utf16_lossy(&units.collect::<Vec<_>>()));
    }
    Some(String::from_utf8_lossy(text).into_owned())
}

/// The number of characters of a name in messages, of which one has 200 bytes.
const MAX_NAME_CHARACTERS: usize = 40;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
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
