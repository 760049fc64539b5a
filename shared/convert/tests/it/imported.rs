//! An import, as the oracles look at it.

use std::time::Duration;

use portpulse_convert::{Format, ImportError, Options, Report, Source, import};
use portpulse_core::definition::{DefinitionFile, Monitor, NetworkAccess};
use portpulse_core::readiness::{HttpCheck, Protocol, Readiness};
use portpulse_core::target::Check;

/// The definitions and the report of an import.
pub(crate) struct Imported {
    pub(crate) text: String,
    pub(crate) report: Report,
    file: Option<DefinitionFile>,
}

impl Imported {
    pub(crate) fn of(format: Format, texts: &[(&str, &str)]) -> Self {
        Self::import(format, texts, &Options::default())
    }

    pub(crate) fn with_host(format: Format, texts: &[(&str, &str)], host: &str) -> Self {
        let options = Options {
            host: Some(host),
            ..Options::default()
        };
        Self::import(format, texts, &options)
    }

    pub(crate) fn import(format: Format, texts: &[(&str, &str)], options: &Options<'_>) -> Self {
        let sources: Vec<_> = texts.iter().map(|(name, text)| Source { name, text }).collect();
        match import(format, &sources, options) {
            Ok(import) => Self {
                file: Some(portpulse_monitors_file::read(&import.text, NetworkAccess::OwnNetwork).unwrap()),
                text: import.text,
                report: import.report,
            },
            Err(ImportError::NoMonitors { report }) => Self {
                text: String::new(),
                report,
                file: None,
            },
            Err(
                error @ (ImportError::Unreadable { .. }
                | ImportError::Foreign { .. }
                | ImportError::Invalid { .. }),
            ) => panic!("{error}"),
        }
    }

    /// The monitor with this id.
    pub(crate) fn monitor(&self, id: &str) -> Option<&Monitor> {
        let monitors = self.file.as_ref()?.monitors();
        monitors
            .iter()
            .map(|defined| &defined.monitor)
            .find(|monitor| monitor.id().as_str() == id)
    }

    /// Whether the report says that a field of an item, whose name contains `part`, was lost or behaves differently.
    pub(crate) fn is_named(&self, item: &str, part: &str) -> bool {
        let mut differences = self.report.lost.iter().chain(&self.report.changed);
        differences.any(|each| each.field.contains(part) && each.items.iter().any(|known| known == item))
    }

    /// Whether the report says that the whole item was not imported.
    pub(crate) fn is_refused(&self, item: &str) -> bool {
        let mut lost = self.report.lost.iter();
        lost.any(|each| each.field.is_empty() && each.items.iter().any(|known| known == item))
    }

    /// Everything that people and programs see.
    pub(crate) fn shown(&self) -> String {
        format!("{}\n{:?}", self.text, self.report)
    }
}

/// The HTTP check of a monitor.
pub(crate) fn http(monitor: &Monitor) -> Option<&HttpCheck> {
    match &monitor.target().check {
        Check::Ready(ready) => match ready.protocol() {
            Protocol::Http(http) => Some(http),
            Protocol::Simple(_)
            | Protocol::Dns(_)
            | Protocol::WebSocket(_)
            | Protocol::Script(_)
            | Protocol::TlsAlone => None,
        },
        Check::Connect(_) | Check::Ping => None,
    }
}

/// Whether a body meets the text, the patterns and the conditions on JSON of a check.
pub(crate) fn accepts_body(http: &HttpCheck, body: &str) -> bool {
    let conditions = http.conditions();
    let value = serde_json::from_str(body).unwrap_or_default();
    http.text().is_none_or(|text| body.contains(text))
        && conditions.matches.iter().all(|pattern| pattern.is_match(body))
        && !conditions
            .not_matches
            .iter()
            .any(|pattern| pattern.is_match(body))
        && conditions
            .json
            .iter()
            .all(|condition| condition.check(&value).is_ok())
}

/// The longest supported interval that is at most this long, in seconds; one below a minute is longer than the timeout.
pub(crate) fn interval(seconds: u64, timeout: Duration) -> u64 {
    let mut supported = vec![3_600, 1_800, 900, 600, 300, 120, 60, 30, 20, 15, 10];
    supported.retain(|known| *known >= 60 || Duration::from_secs(*known) > timeout);
    let found = supported.iter().copied().find(|known| *known <= seconds);
    found.or(supported.last().copied()).unwrap()
}

/// The readiness check of a monitor.
pub(crate) fn readiness(monitor: &Monitor) -> Option<&Readiness> {
    match &monitor.target().check {
        Check::Ready(readiness) => Some(readiness),
        Check::Connect(_) | Check::Ping => None,
    }
}

/// How many attempts in a row must fail until the monitor is down.
pub(crate) fn attempts(monitor: &Monitor) -> u32 {
    let rule = monitor.rule();
    (rule.retry.count + 1) * rule.failures_to_open
}

/// The interval of a monitor in seconds.
pub(crate) fn interval_of(monitor: &Monitor) -> u64 {
    u64::try_from(monitor.rule().interval.seconds()).unwrap()
}

/// A timeout within the limits of definitions.
pub(crate) fn timeout(wanted: Duration) -> Duration {
    wanted.clamp(Duration::from_millis(100), Duration::from_secs(30))
}

/// Compares what is checked with an oracle: equal, or named in the report.
#[macro_export]
macro_rules! equal_or_named {
    ($imported:expr, $item:expr, $field:expr, $found:expr, $expected:expr) => {{
        let (found, expected) = (&$found, &$expected);
        proptest::prop_assert!(
            found == expected || $imported.is_named($item, $field),
            "{}: {}: found {:?}, expected {:?}\n{}",
            $item,
            $field,
            found,
            expected,
            $imported.shown()
        );
    }};
}
