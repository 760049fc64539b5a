//! The fleet row: which regions are in trouble, by the groups that see it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::board::{FleetRow, FleetTrouble, Trouble};
use portpulse_core::id::Region;

use super::fields::{Fields, Map};
use super::{begin, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::{Item, REVISION};

pub(crate) fn encode(key: &Key, row: &FleetRow) -> Item {
    // Two levels: region, then kind of trouble.
    let mut regions = BTreeMap::<_, Map>::new();
    for ((region, trouble), state) in &row.troubles {
        let troubles = regions.remove(region).unwrap_or_default();
        regions.insert(region, troubles.with(trouble.as_str(), encode_trouble(state)));
    }
    let regions = regions.into_iter();
    begin(key)
        .number(REVISION, row.revision)
        .map(
            "regions",
            regions.map(|(region, troubles)| (region.to_string(), troubles.into_value())),
        )
        .outbox(&row.outbox)
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<FleetRow, Malformed> {
    let fields = open(item)?;
    let regions = fields.map("regions")?;
    let mut troubles = BTreeMap::new();
    for name in regions.names() {
        let (region, of_region) = (regions.key::<Region>(name)?, regions.map(name)?);
        for word in of_region.names() {
            let trouble = match word {
                "silent" => Trouble::Silent,
                "suspect" => Trouble::Suspect,
                _ => return Err(of_region.nonsense(word, "it is none of silent, suspect")),
            };
            troubles.insert((region.clone(), trouble), decode_trouble(&of_region.map(word)?)?);
        }
    }
    Ok(FleetRow {
        revision: fields.number(REVISION)?,
        troubles,
        outbox: fields.outbox()?,
    })
}

fn encode_trouble(trouble: &FleetTrouble) -> AttributeValue {
    let groups = trouble.groups.iter();
    Map::default()
        .text("since", trouble.since)
        .number(REVISION, trouble.revision)
        .map(
            "groups",
            groups.map(|(group, seen)| (group.to_string(), AttributeValue::S(seen.to_string()))),
        )
        .into_value()
}

fn decode_trouble(fields: &Fields<'_>) -> Result<FleetTrouble, Malformed> {
    let groups = fields.map("groups")?;
    let note = |group| Ok((groups.key(group)?, groups.time(group)?));
    Ok(FleetTrouble {
        since: fields.time("since")?,
        revision: fields.number(REVISION)?,
        groups: groups.names().map(note).collect::<Result<_, _>>()?,
    })
}
