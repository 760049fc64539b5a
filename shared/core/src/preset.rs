//! Presets: the values that a service or a tier brings along, from the one data file that Terraform reads too.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::choice::Tier;
use crate::target::Service;

/// The fields of a definition that a preset sets, under the names that a user would write.
pub type Fields = Map<String, Value>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Presets {
    default: Fields,
    tiers: BTreeMap<String, Fields>,
    services: BTreeMap<String, ServicePreset>,
}

#[derive(Deserialize)]
struct ServicePreset {
    title: String,
    #[serde(flatten)]
    fields: Fields,
}

#[expect(
    clippy::expect_used,
    reason = "the file is compiled in, and a test reads all of it"
)]
static PRESETS: LazyLock<Presets> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../infra/presets.json"))
        .expect("infra/presets.json is well formed")
});

static NOTHING: LazyLock<Fields> = LazyLock::new(Fields::new);

/// What holds where nothing else is said.
pub fn default() -> &'static Fields {
    &PRESETS.default
}

/// What a tier sets.
pub fn tier(tier: Tier) -> &'static Fields {
    PRESETS.tiers.get(tier.as_str()).unwrap_or(&NOTHING)
}

/// What a service sets.
pub fn service(service: Service) -> &'static Fields {
    PRESETS
        .services
        .get(service.as_str())
        .map_or(&NOTHING, |preset| &preset.fields)
}

/// A service's name as people write it, such as `PostgreSQL`.
pub fn title(service: Service) -> &'static str {
    PRESETS
        .services
        .get(service.as_str())
        .map_or(service.as_str(), |preset| preset.title.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_names_exactly_the_tiers_and_services_that_the_code_knows() {
        let tiers: Vec<_> = PRESETS.tiers.keys().map(String::as_str).collect();
        let mut known: Vec<_> = Tier::ALL.iter().map(|tier| tier.as_str()).collect();
        known.sort_unstable();
        assert_eq!(tiers, known);

        let services: Vec<_> = PRESETS.services.keys().map(String::as_str).collect();
        let mut known: Vec<_> = Service::ALL.iter().map(|service| service.as_str()).collect();
        known.sort_unstable();
        assert_eq!(services, known);
    }
}
