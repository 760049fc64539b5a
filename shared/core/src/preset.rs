//! Presets: the defaults of a service or a tier, from a data file that Terraform reads as well.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::choice::Tier;
use crate::service::Service;

/// Fields of a definition, named as in the file.
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

static NO_FIELDS: LazyLock<Fields> = LazyLock::new(Fields::new);

/// The built-in defaults.
pub fn default() -> &'static Fields {
    &PRESETS.default
}

/// The fields that a tier sets.
pub fn tier(tier: Tier) -> &'static Fields {
    PRESETS.tiers.get(tier.as_str()).unwrap_or(&NO_FIELDS)
}

/// The fields that a service sets.
pub fn service(service: Service) -> &'static Fields {
    PRESETS
        .services
        .get(service.as_str())
        .map_or(&NO_FIELDS, |preset| &preset.fields)
}

/// The display name of a service, such as `PostgreSQL`.
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
    fn presets_cover_exactly_all_tiers_and_services() {
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
