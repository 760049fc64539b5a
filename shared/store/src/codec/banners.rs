//! Banners of services at one location: plain text for banners of the item's tick, text and time for earlier ones.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::banners::{Banner, Banners};
use portpulse_core::outcome::Detail;

use super::attributes::{AttributeMap, AttributeReader};
use super::{RESULT_DAYS, begin_expiring, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::{Item, TICK};

pub(crate) fn encode(key: &Key, banners: &Banners) -> Item {
    let entries = banners.by_monitor.iter().map(|(id, banner)| {
        let text = AttributeValue::S(banner.text.to_string());
        let value = if banner.at == banners.tick {
            text
        } else {
            AttributeMap::default()
                .text("at", banner.at)
                .with("text", text)
                .into_value()
        };
        (id.to_string(), value)
    });
    begin_expiring(key, banners.tick.as_second(), RESULT_DAYS)
        .text(TICK, banners.tick)
        .map("banners", entries)
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<Banners, Malformed> {
    let fields = open(item)?;
    let tick = fields.text(TICK)?;
    let banners = fields.map("banners")?;
    let entry = |id| {
        let entry = match banners.map(id) {
            Ok(earlier) => Banner {
                text: text(&earlier, "text")?,
                at: earlier.text("at")?,
            },
            Err(_) => Banner {
                text: text(&banners, id)?,
                at: tick,
            },
        };
        Ok((banners.key(id)?, entry))
    };
    Ok(Banners {
        tick,
        by_monitor: banners.names().map(entry).collect::<Result<_, Malformed>>()?,
    })
}

fn text(fields: &AttributeReader<'_>, name: &str) -> Result<Detail, Malformed> {
    Detail::new(fields.str(name)?).ok_or_else(|| fields.invalid(name, "blank text"))
}
