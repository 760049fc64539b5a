//! What services last said to one region: those of the item's own tick as plain text, earlier ones with their time.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::outcome::Detail;
use portpulse_core::words::{Said, Words};

use super::fields::{Fields, Map};
use super::{RESULT_DAYS, begin_expiring, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::{Item, TICK};

pub(crate) fn encode(key: &Key, words: &Words) -> Item {
    let said = words.said.iter().map(|(id, said)| {
        let text = AttributeValue::S(said.text.to_string());
        let value = if said.at == words.tick {
            text
        } else {
            Map::default().text("at", said.at).with("text", text).into_value()
        };
        (id.to_string(), value)
    });
    begin_expiring(key, words.tick.as_second(), RESULT_DAYS)
        .text(TICK, words.tick)
        .map("said", said)
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<Words, Malformed> {
    let fields = open(item)?;
    let tick = fields.text(TICK)?;
    let said = fields.map("said")?;
    let entry = |id| {
        let entry = match said.map(id) {
            Ok(earlier) => Said {
                text: text(&earlier, "text")?,
                at: earlier.text("at")?,
            },
            Err(_) => Said {
                text: text(&said, id)?,
                at: tick,
            },
        };
        Ok((said.key(id)?, entry))
    };
    Ok(Words {
        tick,
        said: said.names().map(entry).collect::<Result<_, Malformed>>()?,
    })
}

fn text(fields: &Fields<'_>, name: &str) -> Result<Detail, Malformed> {
    Detail::new(fields.str(name)?).ok_or_else(|| fields.nonsense(name, "it is blank"))
}
