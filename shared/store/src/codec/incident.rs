//! What region rows, verdict rows and closed incidents have in common: findings and incidents.

use portpulse_core::board::{Cause, Finding, Incident, Told, Verdict};
use portpulse_core::outcome::Detail;
use portpulse_core::time::{Tick, parse_time};

use super::fields::{Fields, Map};
use crate::error::Malformed;
use crate::table::REVISION;

const NOT_YET: &str = "not yet";

impl Map {
    pub(super) fn finding(self, finding: Option<&Finding>) -> Self {
        let cause = finding.map(|finding| finding.cause.code());
        let detail = finding.and_then(|finding| finding.detail.as_ref());
        self.optional_text("cause", cause).optional_text("detail", detail)
    }

    pub(super) fn told(self, told: Told) -> Self {
        match told {
            Told::NotYet => self.text("told", NOT_YET),
            Told::At { last, reminders } => self.text("told", last).number("reminders", reminders),
        }
    }

    pub(super) fn incident(self, incident: &Incident) -> Self {
        self.text("verdict", incident.verdict)
            .text("opened", incident.opened)
            .number(REVISION, incident.revision)
            .text("since", incident.since)
            .finding(incident.finding.as_ref())
            .told(incident.told)
    }
}

impl Fields<'_> {
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
        parse_time(self.str(name)?).map_err(|error| self.nonsense(name, error))
    }

    pub(super) fn told(&self) -> Result<Told, Malformed> {
        if self.str("told")? == NOT_YET {
            return Ok(Told::NotYet);
        }
        Ok(Told::At {
            last: self.time("told")?,
            reminders: self.number("reminders")?,
        })
    }

    pub(super) fn incident(&self) -> Result<Incident, Malformed> {
        Ok(Incident {
            verdict: self.text::<Verdict>("verdict")?,
            opened: self.text::<Tick>("opened")?,
            revision: self.number(REVISION)?,
            since: self.text::<Tick>("since")?,
            finding: self.finding()?,
            told: self.told()?,
        })
    }
}
