//! The outbox: notifications that are decided and not published yet.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::outbox::{Claim, Claimant, Outbox, Pending, Subject};

use super::attributes::{AttributeMap, AttributeReader};
use crate::error::Malformed;

const MEMBERS: &str = "members";
const MONITORS: &str = "monitors";
const OUTBOX: &str = "outbox";
const PORTPULSE: &str = "portpulse";

impl AttributeMap {
    pub(super) fn outbox(self, outbox: &Outbox) -> Self {
        self.list(OUTBOX, outbox.pending().iter().map(encode))
    }
}

impl AttributeReader<'_> {
    pub(super) fn outbox(&self) -> Result<Outbox, Malformed> {
        let pending: Result<_, _> = self.maps(OUTBOX)?.iter().map(decode).collect();
        Ok(Outbox::new(pending?))
    }
}

fn encode(pending: &Pending) -> AttributeValue {
    let subject = match &pending.subject {
        Subject::Monitor(_) => "monitor",
        Subject::Location(_) => "location",
        Subject::Definition(_) => "definition",
        Subject::Portpulse => PORTPULSE,
    };
    let (by, at) = match &pending.claim {
        Some(claim) => (Some(claim.by.as_str()), Some(claim.at)),
        None => (None, None),
    };
    AttributeMap::default()
        .text("id", &pending.id)
        .text("kind", pending.kind)
        .text(subject, &pending.subject)
        .text("status", pending.status)
        .optional_text("cause", pending.cause.map(|cause| cause.code()))
        .urgency(pending.urgency)
        .optional_text(MONITORS, (pending.monitors != 1).then_some(pending.monitors))
        .optional_texts(MEMBERS, &pending.members)
        .text("since", pending.since)
        .text("at", pending.at)
        .optional_text("claimed_by", by)
        .optional_text("claimed_at", at)
        .into_value()
}

fn decode(fields: &AttributeReader<'_>) -> Result<Pending, Malformed> {
    let subject = if fields.has(PORTPULSE) {
        Subject::Portpulse
    } else if fields.has("location") {
        Subject::Location(fields.text("location")?)
    } else if fields.has("definition") {
        Subject::Definition(fields.str("definition")?.to_owned())
    } else {
        Subject::Monitor(fields.text("monitor")?)
    };
    let claim = if fields.has("claimed_by") || fields.has("claimed_at") {
        Some(Claim {
            by: Claimant::new(fields.str("claimed_by")?),
            at: fields.time("claimed_at")?,
        })
    } else {
        None
    };
    Ok(Pending {
        id: fields.str("id")?.to_owned(),
        kind: fields.text("kind")?,
        subject,
        status: fields.text("status")?,
        cause: fields.optional_text("cause")?,
        urgency: fields.urgency()?,
        monitors: fields.optional_text(MONITORS)?.unwrap_or(1),
        members: fields.optional_texts(MEMBERS)?,
        since: fields.time("since")?,
        at: fields.time("at")?,
        claim,
    })
}
