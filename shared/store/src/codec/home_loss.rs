//! The loss of home, in the standby table: who cannot reach home, and the notifications of it.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::home_loss::HomeLoss;

use super::{begin, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::{Item, REVISION};

const NOTIFIED: &str = "notified";

pub(crate) fn encode(key: &Key, loss: &HomeLoss) -> Item {
    let locations = loss.locations.iter();
    begin(key)
        .number(REVISION, loss.revision)
        .number("began", loss.began)
        .map(
            "locations",
            locations.map(|(location, since)| (location.to_string(), AttributeValue::S(since.to_string()))),
        )
        .optional_text(NOTIFIED, loss.notified)
        .outbox(&loss.outbox)
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<HomeLoss, Malformed> {
    let fields = open(item)?;
    let locations = fields.map("locations")?;
    let location = |name| Ok((locations.key(name)?, locations.time(name)?));
    Ok(HomeLoss {
        revision: fields.number(REVISION)?,
        began: fields.number("began")?,
        locations: locations.names().map(location).collect::<Result<_, _>>()?,
        notified: match fields.has(NOTIFIED) {
            true => Some(fields.time(NOTIFIED)?),
            false => None,
        },
        outbox: fields.outbox()?,
    })
}
