//! The DNS question of a check, and the records that must or must not be in the answer.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::choice::choice;
use crate::text::quoted;

/// A DNS question with its expected answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsCheck {
    /// Lower case, without a final dot; empty for the root.
    name: String,
    record_type: RecordType,
    must: Vec<String>,
    must_not: Vec<String>,
    transport: Transport,
}

choice! {
    /// The supported record types.
    RecordType {
        /// An IPv4 address.
        A = "A",
        /// An IPv6 address.
        Aaaa = "AAAA",
        /// Another name.
        Cname = "CNAME",
        /// A mail server: `10 mail.example.com`.
        Mx = "MX",
        /// A name server.
        Ns = "NS",
        /// A name for an address.
        Ptr = "PTR",
        /// A text: the strings of the record, concatenated.
        Txt = "TXT",
        /// The start of a zone: `ns.example.com hostmaster.example.com 2026010100 7200 3600 1209600 3600`.
        Soa = "SOA",
        /// A server of a service: `10 5 5060 sip.example.com`.
        Srv = "SRV",
        /// A certificate authority that may issue certificates: `0 issue letsencrypt.org`.
        Caa = "CAA",
    }
}

choice! {
    /// The transport of a DNS question.
    Transport {
        /// TCP, as for zone transfers and large answers.
        Tcp = "tcp",
        /// UDP, as for most questions.
        Udp = "udp",
    }
}

impl RecordType {
    /// The number assigned by IANA.
    pub const fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ns => 2,
            Self::Cname => 5,
            Self::Soa => 6,
            Self::Ptr => 12,
            Self::Mx => 15,
            Self::Txt => 16,
            Self::Aaaa => 28,
            Self::Srv => 33,
            Self::Caa => 257,
        }
    }
}

/// Invalid options of a DNS check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsCheckError {
    /// The name is invalid.
    #[error(
        "`{0}` is not a DNS name: use labels of 1 to 63 printable ASCII characters, separated by dots, at most 253 in total"
    )]
    Name(String),
    /// Too many records.
    #[error("at most 32 records are supported in `must` and `must_not`")]
    Count,
    /// A record is not valid for the type. The index counts from 0 through `must`, then `must_not`.
    #[error("record {0} is not a valid {record_type} record of 1 to 255 bytes", record_type = .1.as_str())]
    Record(usize, RecordType),
}

impl Default for DnsCheck {
    /// `. NS` over TCP, which every server can answer or refuse.
    fn default() -> Self {
        Self {
            name: String::new(),
            record_type: RecordType::Ns,
            must: Vec::new(),
            must_not: Vec::new(),
            transport: Transport::Tcp,
        }
    }
}

impl DnsCheck {
    /// The maximum number of records in `must` and `must_not` together.
    pub const MAX_RECORDS: usize = 32;
    /// The maximum length of a record, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// Creates a question for `name`, with the records that must and must not be in the answer.
    ///
    /// Records have the format of a zone file: `192.0.2.1`, `10 mail.example.com`, a text without quotes.
    ///
    /// # Errors
    /// All invalid options together.
    pub fn new(
        name: &str,
        record_type: RecordType,
        must: &[String],
        must_not: &[String],
        transport: Transport,
    ) -> Result<Self, Vec<DnsCheckError>> {
        let mut errors = Vec::new();
        if !is_name(name) {
            errors.push(DnsCheckError::Name(quoted(name)));
        }
        if must.len() + must_not.len() > Self::MAX_RECORDS {
            errors.push(DnsCheckError::Count);
        }
        for (place, record) in must.iter().chain(must_not).enumerate() {
            if !(1..=Self::MAX_BYTES).contains(&record.len()) || canonical(record_type, record).is_none() {
                errors.push(DnsCheckError::Record(place, record_type));
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let normal = |records: &[String]| {
            records
                .iter()
                .filter_map(|record| canonical(record_type, record))
                .collect()
        };
        Ok(Self {
            name: canonical_name(name),
            record_type,
            must: normal(must),
            must_not: normal(must_not),
            transport,
        })
    }

    /// The name of the question: lower case, without a final dot; empty for the root.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of the question.
    pub fn record_type(&self) -> RecordType {
        self.record_type
    }

    /// The records that must be in the answer, in canonical form.
    pub fn must(&self) -> &[String] {
        &self.must
    }

    /// The records that must not be in the answer, in canonical form.
    pub fn must_not(&self) -> &[String] {
        &self.must_not
    }

    /// The transport of the question.
    pub fn transport(&self) -> Transport {
        self.transport
    }
}

impl fmt::Display for DnsCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "." } else { &self.name };
        write!(f, "{name} {}", self.record_type)
    }
}

/// Whether a text is a DNS name, including the root.
fn is_name(text: &str) -> bool {
    let bare = text.strip_suffix('.').unwrap_or(text);
    let label_is_good =
        |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_graphic());
    bare.is_empty() || (bare.len() <= 253 && bare.split('.').all(label_is_good))
}

/// The canonical form of a record, in which answers are compared: names in lower case without a final dot, addresses and
/// numbers in their standard form, no quotes. `None` if the text is not a record of the type.
fn canonical(record_type: RecordType, record: &str) -> Option<String> {
    let name = |text| is_name(text).then(|| canonical_name(text));
    Some(match record_type {
        RecordType::A => record.parse::<Ipv4Addr>().ok()?.to_string(),
        RecordType::Aaaa => record.parse::<Ipv6Addr>().ok()?.to_string(),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => name(record)?,
        RecordType::Txt => record.to_owned(),
        RecordType::Mx => {
            let [preference, exchange] = fields(record)?;
            format!("{} {}", number::<u16>(preference)?, name(exchange)?)
        }
        RecordType::Srv => {
            let [priority, weight, port, target] = fields(record)?;
            let (priority, weight) = (number::<u16>(priority)?, number::<u16>(weight)?);
            format!("{priority} {weight} {} {}", number::<u16>(port)?, name(target)?)
        }
        RecordType::Soa => {
            let [primary, mailbox, serial, refresh, retry, expire, minimum] = fields(record)?;
            let mut record = format!("{} {}", name(primary)?, name(mailbox)?);
            for field in [serial, refresh, retry, expire, minimum] {
                record.push_str(&format!(" {}", number::<u32>(field)?));
            }
            record
        }
        RecordType::Caa => {
            let [flags, tag, value] = fields(record)?;
            let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let value = bare.unwrap_or(value);
            // RFC 8659, section 4.1: tags are case-insensitive.
            let is_tag = !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !is_tag || value.contains('"') {
                return None;
            }
            format!("{} {} {value}", number::<u8>(flags)?, tag.to_ascii_lowercase())
        }
    })
}

/// The fields of a record, which are separated by one space.
fn fields<const N: usize>(record: &str) -> Option<[&str; N]> {
    record.splitn(N, ' ').collect::<Vec<_>>().try_into().ok()
}

/// A number without a sign.
fn number<T: FromStr>(text: &str) -> Option<T> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

fn canonical_name(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ask(name: &str, record_type: RecordType, must: &[&str]) -> Result<DnsCheck, Vec<DnsCheckError>> {
        let must: Vec<_> = must.iter().map(|&record| record.to_owned()).collect();
        DnsCheck::new(name, record_type, &must, &[], Transport::Tcp)
    }

    #[test]
    fn records_are_stored_in_canonical_form() {
        let rows = [
            (RecordType::A, "192.0.2.1", "192.0.2.1"),
            (RecordType::Aaaa, "2001:DB8:0::1", "2001:db8::1"),
            (RecordType::Mx, "010 Mail.Example.com.", "10 mail.example.com"),
            (RecordType::Mx, "0 .", "0 "),
            (RecordType::Cname, "WWW.example.com.", "www.example.com"),
            (RecordType::Txt, "v=spf1 -ALL.", "v=spf1 -ALL."),
            (
                RecordType::Srv,
                "0 05 5060 SIP.example.com.",
                "0 5 5060 sip.example.com",
            ),
            (RecordType::Srv, "0 0 0 .", "0 0 0 "),
            (
                RecordType::Soa,
                "NS.example.com. Host\\.master.example.com 2026010100 7200 3600 1209600 60",
                "ns.example.com host\\.master.example.com 2026010100 7200 3600 1209600 60",
            ),
            (
                RecordType::Caa,
                "0 Issue \"letsencrypt.org; a=B\"",
                "0 issue letsencrypt.org; a=B",
            ),
            (RecordType::Caa, "128 issue ;", "128 issue ;"),
        ];
        for (record_type, written, kept) in rows {
            let check = ask("Example.COM.", record_type, &[written]).unwrap();
            assert_eq!(check.must(), [kept]);
            assert_eq!(check.to_string(), format!("example.com {record_type}"));
        }
    }

    #[test]
    fn all_invalid_dns_options_are_reported() {
        let messages = |asked: Result<DnsCheck, Vec<DnsCheckError>>| {
            let errors = asked.unwrap_err();
            errors.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let name = "`a..b` is not a DNS name: use labels of 1 to 63 printable ASCII characters, separated by dots, at most 253 in total";
        assert_eq!(
            messages(ask("a..b", RecordType::A, &["192.0.2.1", "::1"])),
            [name, "record 1 is not a valid A record of 1 to 255 bytes"]
        );
        let many = "at most 32 records are supported in `must` and `must_not`";
        assert_eq!(messages(ask("a", RecordType::Txt, &["x"; 33])), [many]);
        let long = "x".repeat(256);
        for (record_type, record) in [
            (RecordType::Aaaa, "192.0.2.1"),
            (RecordType::Mx, "mail.example.com"),
            (RecordType::Mx, "+1 mail.example.com"),
            (RecordType::Ns, "a b"),
            (RecordType::Srv, "1 2 sip.example.com"),
            (RecordType::Srv, "1 2 70000 sip.example.com"),
            (RecordType::Soa, "ns.example.com host.example.com 1 2 3 4"),
            (RecordType::Soa, "ns.example.com host.example.com 1 2 3 4 5 6"),
            (RecordType::Caa, "0 issue"),
            (RecordType::Caa, "256 issue a"),
            (RecordType::Caa, "0 is-sue a"),
            (RecordType::Caa, "0 issue \"\"a\"\""),
            (RecordType::Txt, ""),
            (RecordType::Txt, &long),
        ] {
            let expected = format!("record 0 is not a valid {record_type} record of 1 to 255 bytes");
            assert_eq!(messages(ask("a", record_type, &[record])), [expected]);
        }
    }

    proptest! {
        #[test]
        fn canonical_dns_check_parses_to_itself(
            name in "[a-zA-Z0-9._-]{0,30}|.{0,30}",
            kind in 0..RecordType::ALL.len(),
            must in prop::collection::vec(
                "[0-9a-f.:]{0,12}|[0-9]{1,5} [a-zA-Z.]{0,10}|([0-9]{1,3} ){3}[a-z.]{0,9}|[a-z.]{0,3} [a-z.]{0,3}( [0-9]{1,3}){5}|[0-9]{1,3} [a-z]{1,3} .{0,9}|.{0,20}",
                0..4,
            ),
        ) {
            let record_type = RecordType::ALL[kind];
            if let Ok(check) = DnsCheck::new(&name, record_type, &must, &must, Transport::Udp) {
                // In answers the root is empty; users write it as a dot.
                let written = |record: &String| if record.is_empty() { ".".to_owned() } else { record.clone() };
                let must: Vec<_> = check.must().iter().map(written).collect();
                let again = DnsCheck::new(check.name(), record_type, &must, &must, Transport::Udp);
                prop_assert_eq!(again, Ok(check));
            }
        }
    }
}
