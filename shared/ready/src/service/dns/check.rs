//! The question to ask and the records that must or must not come back.

use std::fmt;

/// One question and its expectations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsCheck {
    /// Lower case, without a final dot; empty for the root.
    name: String,
    record_type: RecordType,
    must: Vec<String>,
    must_not: Vec<String>,
}

/// The types of records that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name.
    Cname,
    /// A mail server: `10 mail.example.com`.
    Mx,
    /// A name server.
    Ns,
    /// A name for an address.
    Ptr,
    /// A text, its strings joined.
    Txt,
}

impl RecordType {
    /// Every type.
    pub const ALL: [Self; 7] = [
        Self::A,
        Self::Aaaa,
        Self::Cname,
        Self::Mx,
        Self::Ns,
        Self::Ptr,
        Self::Txt,
    ];

    /// IANA's number for it.
    pub const fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ns => 2,
            Self::Cname => 5,
            Self::Ptr => 12,
            Self::Mx => 15,
            Self::Txt => 16,
            Self::Aaaa => 28,
        }
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Ns => "NS",
            Self::Cname => "CNAME",
            Self::Ptr => "PTR",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Aaaa => "AAAA",
        }
    }
}

/// Options that make no question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsCheckError {
    /// The name is not one.
    #[error(
        "`{0}` is not a DNS name: labels of 1 to 63 printable ASCII characters, joined by dots, 253 in all"
    )]
    Name(String),
    /// The records fill more than any answer holds.
    #[error("at most 32 records of at most 255 bytes can be asked to be there, or not to be")]
    Records,
}

impl Default for DnsCheck {
    /// `. NS`, which every server can answer or refuse.
    fn default() -> Self {
        Self {
            name: String::new(),
            record_type: RecordType::Ns,
            must: Vec::new(),
            must_not: Vec::new(),
        }
    }
}

impl DnsCheck {
    /// A question for `name`, with the records that must, and those that must not, be in the answer.
    ///
    /// Records are written as in a zone file: `192.0.2.1`, `10 mail.example.com`, a text without quotes.
    ///
    /// # Errors
    /// Each option that makes no question, all of them together.
    pub fn new(
        name: &str,
        record_type: RecordType,
        must: &[String],
        must_not: &[String],
    ) -> Result<Self, Vec<DnsCheckError>> {
        let mut errors = Vec::new();
        let bare = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let label_is_good =
            |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_graphic());
        if !bare.is_empty() && (bare.len() > 253 || !bare.split('.').all(label_is_good)) {
            errors.push(DnsCheckError::Name(
                name.chars().take(80).filter(|c| !c.is_control()).collect(),
            ));
        }
        if must.len() + must_not.len() > 32
            || must
                .iter()
                .chain(must_not)
                .any(|record| !(1..=255).contains(&record.len()))
        {
            errors.push(DnsCheckError::Records);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let normal = |records: &[String]| {
            records
                .iter()
                .map(|record| canonical(record_type, record))
                .collect()
        };
        Ok(Self {
            name: bare,
            record_type,
            must: normal(must),
            must_not: normal(must_not),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn record_type(&self) -> RecordType {
        self.record_type
    }

    pub(super) fn must(&self) -> &[String] {
        &self.must
    }

    pub(super) fn must_not(&self) -> &[String] {
        &self.must_not
    }
}

impl fmt::Display for DnsCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "." } else { &self.name };
        write!(f, "{name} {}", self.record_type.as_str())
    }
}

/// A record as answers are compared: names in lower case without a final dot, addresses in their usual form.
fn canonical(record_type: RecordType, record: &str) -> String {
    match record_type {
        RecordType::Txt => record.to_owned(),
        RecordType::A | RecordType::Aaaa => record
            .parse::<std::net::IpAddr>()
            .map_or_else(|_| record.to_owned(), |address| address.to_string()),
        RecordType::Cname | RecordType::Mx | RecordType::Ns | RecordType::Ptr => {
            record.strip_suffix('.').unwrap_or(record).to_ascii_lowercase()
        }
    }
}
