//! The results of one location and tick: for each monitor the times of the phases in milliseconds, or a code.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::observation::{Observation, Remark, Seen, milliseconds};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::round::Observations;
use portpulse_core::time::Tick;

use super::attributes::AttributeReader;
use super::{RESULT_DAYS, begin_expiring, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::Item;

pub(crate) fn encode(key: &Key, tick: Tick, observations: &Observations) -> Item {
    let seen = observations.iter();
    begin_expiring(key, tick.as_second(), RESULT_DAYS)
        .map(
            "seen",
            seen.map(|(id, observation)| (id.to_string(), encode_observation(observation))),
        )
        .into_item()
}

/// Decodes results. Results have no details.
pub(crate) fn decode(item: &Item) -> Result<Observations, Malformed> {
    let seen = open(item)?.map("seen")?;
    let observation = |id| Ok((seen.key(id)?, decode_observation(&seen, id)?));
    seen.names().map(observation).collect()
}

/// A connect time alone is a number: fewer bytes, and usable in calculations.
fn encode_observation(observation: &Observation) -> AttributeValue {
    match observation.seen {
        Seen::Open {
            connect,
            others:
                OtherPhases {
                    dns: None,
                    tls: None,
                    ready: None,
                },
            remark: Remark::None,
        } if observation.retries == 0 => AttributeValue::N(milliseconds(connect)),
        Seen::Open { .. } | Seen::Failed(_) | Seen::NoData(_) => AttributeValue::S(observation.to_string()),
    }
}

fn decode_observation(fields: &AttributeReader<'_>, id: &str) -> Result<Observation, Malformed> {
    let value = fields.value(id)?;
    let text = value.as_n().or_else(|_| value.as_s());
    let text = text.map_err(|other| fields.wrong_type(id, other, "a time or a code"))?;
    Observation::parse(text).map_err(|error| fields.invalid(id, error))
}
