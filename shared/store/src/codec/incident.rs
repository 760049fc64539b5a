//! Findings and incidents, which location states, decision states and closed incidents share.

use portpulse_core::diagnosis::{Diagnosis, Evidence, FailurePoint, HostEvidence, Layer};
use portpulse_core::group_state::{
    Cause, CauseChange, Finding, Health, Incident, Notified, Stability, Status, Urgency,
};
use portpulse_core::outcome::Detail;
use portpulse_core::time::{Tick, parse_time};

use super::attributes::{AttributeMap, AttributeReader};
use crate::error::Malformed;
use crate::table::REVISION;

const ANSWERS: &str = "answers:";
const ANSWERS_PING: &str = "answers_ping";
const SILENT: &str = "silent:";
const MIXED: &str = "mixed";
const PARENT: &str = "parent:";
const NOT_YET: &str = "not yet";
const CAUSE_CHANGES: &str = "causes_before";
const URGENCY: &str = "urgency";
const RAISED: &str = "raised";
/// Short, since a large state has a thousand of them.
const FLAPPED_UNTIL: &str = "flap";
const STABILITY: &str = "state";
const STOPPED_FLAPPING: &str = "stopped_flapping";
const FLAPPING_GOOD: &str = "flapping_good";
const FLAPPING_FAILING: &str = "flapping";

impl AttributeMap {
    pub(super) fn finding(self, finding: Option<&Finding>) -> Self {
        let cause = finding.map(|finding| finding.cause.code());
        let detail = finding.and_then(|finding| finding.detail.as_ref());
        self.optional_text("cause", cause).optional_text("detail", detail)
    }

    pub(super) fn failure_point(self, point: Option<&FailurePoint>) -> Self {
        self.optional_text("phase", point.map(|point| point.phase))
            .optional_text("address", point.and_then(|point| point.address))
    }

    pub(super) fn notified(self, notified: Notified) -> Self {
        match notified {
            Notified::NotYet => self.text("notified", NOT_YET),
            Notified::At {
                first,
                last,
                reminders,
            } => self
                .text("notified", last)
                .optional_text("first", (first != last).then_some(first))
                .number("reminders", reminders),
        }
    }

    pub(super) fn incident(self, incident: &Incident) -> Self {
        self.text("status", incident.status)
            .text("opened", incident.opened)
            .number(REVISION, incident.revision)
            .text("since", incident.since)
            .optional_text(FLAPPED_UNTIL, incident.flapped_until)
            .finding(incident.finding.as_ref())
            .cause_changes(&incident.cause_changes)
            .optional_text("layer", incident.diagnosis.as_ref().map(encode_diagnosis))
            .notified(incident.notified)
            .urgency(incident.urgency)
            .stability(incident.stability)
    }

    /// The changes of the cause as one text, such as `2026-11-22T05:41:00Z refused,2026-11-22T05:43:00Z timeout`.
    fn cause_changes(self, changes: &[CauseChange]) -> Self {
        let changes: Vec<_> = changes
            .iter()
            .map(|change| format!("{} {}", change.at, change.before.code()))
            .collect();
        self.optional_text(CAUSE_CHANGES, (!changes.is_empty()).then(|| changes.join(",")))
    }

    /// The default urgency is omitted.
    pub(super) fn urgency(self, urgency: Urgency) -> Self {
        match urgency {
            Urgency::Normal => self,
            Urgency::Escalated => self.text(URGENCY, RAISED),
        }
    }

    /// A steady incident has no such attribute.
    fn stability(self, stability: Stability) -> Self {
        match stability {
            Stability::Steady => self,
            Stability::StoppedFlapping => self.text(STABILITY, STOPPED_FLAPPING),
            Stability::Flapping { state, notified } => {
                let code = match state {
                    Health::Good => FLAPPING_GOOD,
                    Health::Failing => FLAPPING_FAILING,
                };
                self.text(STABILITY, code).optional_text("flapping_at", notified)
            }
        }
    }
}

/// A diagnosis as text: the layer; the failing, good and pending locations; the evidence of the host; the parent.
fn encode_diagnosis(diagnosis: &Diagnosis) -> String {
    let Some(evidence) = &diagnosis.evidence else {
        return diagnosis.layer.to_string();
    };
    let Evidence {
        failing,
        good,
        pending,
        host,
        parent,
    } = evidence;
    let mut text = format!("{} {failing}/{good}/{pending}", diagnosis.layer);
    match host {
        HostEvidence::Unchecked => {}
        HostEvidence::Answers { port } => text += &format!(" {ANSWERS}{port}"),
        HostEvidence::AnswersPing => text += &format!(" {ANSWERS_PING}"),
        HostEvidence::Silent { ports } => text += &format!(" {SILENT}{ports}"),
        HostEvidence::Mixed => text += &format!(" {MIXED}"),
    }
    if let Some(parent) = parent {
        text += &format!(" {PARENT}{parent}");
    }
    text
}

/// The inverse of [`encode_diagnosis`]; `None` for any other text.
fn decode_diagnosis(text: &str) -> Option<Diagnosis> {
    let mut words = text.split(' ');
    let layer: Layer = words.next()?.parse().ok()?;
    let Some(counts) = words.next() else {
        let evidence = None;
        return Some(Diagnosis { layer, evidence });
    };
    let mut counts = counts.split('/').map(str::parse);
    let mut count = || counts.next()?.ok();
    let mut evidence = Evidence {
        failing: count()?,
        good: count()?,
        pending: count()?,
        host: HostEvidence::Unchecked,
        parent: None,
    };
    for word in words {
        if let Some(port) = word.strip_prefix(ANSWERS) {
            evidence.host = HostEvidence::Answers {
                port: port.parse().ok()?,
            };
        } else if let Some(ports) = word.strip_prefix(SILENT) {
            evidence.host = HostEvidence::Silent {
                ports: ports.parse().ok()?,
            };
        } else if word == ANSWERS_PING {
            evidence.host = HostEvidence::AnswersPing;
        } else if word == MIXED {
            evidence.host = HostEvidence::Mixed;
        } else {
            evidence.parent = Some(word.strip_prefix(PARENT)?.parse().ok()?);
        }
    }
    let evidence = Some(evidence);
    Some(Diagnosis { layer, evidence })
}

impl AttributeReader<'_> {
    pub(super) fn finding(&self) -> Result<Option<Finding>, Malformed> {
        if !self.has("cause") {
            return Ok(None);
        }
        let cause = self.text::<Cause>("cause")?;
        let detail = if self.has("detail") {
            Detail::new(self.str("detail")?)
        } else {
            None
        };
        Ok(Some(Finding { cause, detail }))
    }

    pub(super) fn time(&self, name: &str) -> Result<jiff::Timestamp, Malformed> {
        parse_time(self.str(name)?).map_err(|error| self.invalid(name, error))
    }

    pub(super) fn notified(&self) -> Result<Notified, Malformed> {
        if self.str("notified")? == NOT_YET {
            return Ok(Notified::NotYet);
        }
        let last = self.time("notified")?;
        let first = self.optional_time("first")?.unwrap_or(last);
        Ok(Notified::At {
            first,
            last,
            reminders: self.number("reminders")?,
        })
    }

    pub(super) fn incident(&self) -> Result<Incident, Malformed> {
        Ok(Incident {
            status: self.text::<Status>("status")?,
            opened: self.text::<Tick>("opened")?,
            revision: self.number(REVISION)?,
            since: self.text::<Tick>("since")?,
            flapped_until: self.optional_text(FLAPPED_UNTIL)?,
            finding: self.finding()?,
            cause_changes: self.cause_changes()?,
            diagnosis: self.diagnosis()?,
            cluster: None,
            notified: self.notified()?,
            urgency: self.urgency()?,
            stability: self.stability()?,
        })
    }

    fn cause_changes(&self) -> Result<Vec<CauseChange>, Malformed> {
        let expected = "expected times and causes, such as `2026-11-22T05:41:00Z refused`";
        let text: Option<String> = self.optional_text(CAUSE_CHANGES)?;
        let changes = text.iter().flat_map(|text| text.split(','));
        changes
            .map(|change| {
                let (at, before) = change.split_once(' ')?;
                Some(CauseChange {
                    at: at.parse().ok()?,
                    before: before.parse().ok()?,
                })
            })
            .map(|change| change.ok_or_else(|| self.invalid(CAUSE_CHANGES, expected)))
            .collect()
    }

    fn diagnosis(&self) -> Result<Option<Diagnosis>, Malformed> {
        if !self.has("layer") {
            return Ok(None);
        }
        let text = self.str("layer")?;
        let expected = "expected a layer, and possibly its evidence, such as `port 3/0/0 answers:22`";
        decode_diagnosis(text)
            .map(Some)
            .ok_or_else(|| self.invalid("layer", expected))
    }

    /// Where a check failed.
    pub(super) fn failure_point(&self) -> Result<Option<FailurePoint>, Malformed> {
        Ok(match self.optional_text("phase")? {
            Some(phase) => Some(FailurePoint {
                phase,
                address: self.optional_text("address")?,
            }),
            None => None,
        })
    }

    fn optional_time(&self, name: &str) -> Result<Option<jiff::Timestamp>, Malformed> {
        self.has(name).then(|| self.time(name)).transpose()
    }

    pub(super) fn urgency(&self) -> Result<Urgency, Malformed> {
        if !self.has(URGENCY) {
            return Ok(Urgency::Normal);
        }
        self.one_of(URGENCY, &[Urgency::Escalated], |_| RAISED)
    }

    fn stability(&self) -> Result<Stability, Malformed> {
        if !self.has(STABILITY) {
            return Ok(Stability::Steady);
        }
        let state = match self.str(STABILITY)? {
            STOPPED_FLAPPING => return Ok(Stability::StoppedFlapping),
            FLAPPING_GOOD => Health::Good,
            FLAPPING_FAILING => Health::Failing,
            _ => {
                let expected =
                    format!("expected one of `{STOPPED_FLAPPING}`, `{FLAPPING_GOOD}`, `{FLAPPING_FAILING}`");
                return Err(self.invalid(STABILITY, expected));
            }
        };
        let notified = self.optional_time("flapping_at")?;
        Ok(Stability::Flapping { state, notified })
    }
}
