//! The item of the home table that names the standby table. Terraform writes it, without a layout version.

use super::AttributeReader;
use crate::error::Malformed;
use crate::standby::StandbyTable;
use crate::table::Item;

pub(crate) fn decode(item: &Item) -> Result<StandbyTable, Malformed> {
    let fields = AttributeReader::top(item);
    Ok(StandbyTable {
        region: fields.str("region")?.to_owned(),
        table: fields.str("table")?.to_owned(),
    })
}
