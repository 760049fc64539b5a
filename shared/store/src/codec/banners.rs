//! What services last said to one region: those of the item's own tick as plain text, earlier ones with their time.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::banners::{Banner, Banners};
use portpulse_core::outcome::Detail;

use super::fields::{Fields, Map};
use super::{RESULT_DAYS, begin_expiring, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::{Item, TICK};

pub(crate) fn encode(key: &Key, banners: &Banners) -> Item {
    let banner = banners.banner.iter().map(|(id, banner)| {
        let text = AttributeValue::S(banner.text.to_string());
        let value = if banner.at == banners.tick {
            text
        } else {
            Map::default()
                .text("at", banner.at)
                .with("text", text)
                .into_value()
        };
        (id.to_string(), value)
    });
    begin_expiring(key, banners.tick.as_second(), RESULT_DAYS)
        .text(TICK, banners.tick)
        .map("banners", banner)
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<Banners, Malformed> {
    let fields = open(item)?;
    let tick = fields.text(TICK)?;
    let banner = fields.map("banners")?;
    let entry = |id| {
        let entry = match banner.map(id) {
            Ok(earlier) => Banner {
                text: text(&earlier, "text")?,
                at: earlier.text("at")?,
            },
            Err(_) => Banner {
                text: text(&banner, id)?,
                at: tick,
            },
        };
        Ok((banner.key(id)?, entry))
    };
    Ok(Banners {
        tick,
        banner: banner.names().map(entry).collect::<Result<_, Malformed>>()?,
    })
}

fn text(fields: &Fields<'_>, name: &str) -> Result<Detail, Malformed> {
    Detail::new(fields.str(name)?).ok_or_else(|| fields.nonsense(name, "it is blank"))
}
