//! Findings and incidents, which location states, decision states and closed incidents share.

use portpulse_core::group_state::{Cause, Finding, Health, Incident, Notified, Stability, Status, Urgency};
use portpulse_core::outcome::Detail;
use portpulse_core::time::{Tick, parse_time};

use super::attributes::{AttributeMap, AttributeReader};
use crate::error::Malformed;
use crate::table::REVISION;

const NOT_YET: &str = "not yet";
const URGENCY: &str = "urgency";
const RAISED: &str = "raised";
const STABILITY: &str = "stability";
const STOPPED_FLAPPING: &str = "stopped_flapping";
const FLAPPING_GOOD: &str = "flapping, good";
const FLAPPING_FAILING: &str = "flapping, failing";

impl AttributeMap {
    pub(super) fn finding(self, finding: Option<&Finding>) -> Self {
        let cause = finding.map(|finding| finding.cause.code());
        let detail = finding.and_then(|finding| finding.detail.as_ref());
        self.optional_text("cause", cause).optional_text("detail", detail)
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
                .optional_text("first_notified", (first != last).then_some(first))
                .number("reminders", reminders),
        }
    }

    pub(super) fn incident(self, incident: &Incident) -> Self {
        self.text("status", incident.status)
            .text("opened", incident.opened)
            .number(REVISION, incident.revision)
            .text("since", incident.since)
            .finding(incident.finding.as_ref())
            .notified(incident.notified)
            .urgency(incident.urgency)
            .stability(incident.stability)
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
                self.text(STABILITY, code)
                    .optional_text("flapping_notified", notified)
            }
        }
    }
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
        let first = self.optional_time("first_notified")?.unwrap_or(last);
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
            finding: self.finding()?,
            notified: self.notified()?,
            urgency: self.urgency()?,
            stability: self.stability()?,
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
        let notified = self.optional_time("flapping_notified")?;
        Ok(Stability::Flapping { state, notified })
    }
}
