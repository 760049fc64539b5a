//! The layers from which a monitor takes the values of its fields.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::declaration::Merge;
use super::field::Field;
use crate::choice::Tier;
use crate::preset::{self, Fields};
use crate::service::Service;

/// The values that one source sets, by field. An empty value is kept; unknown names are not.
#[derive(Debug, Clone)]
pub(super) struct Layer<'a>([Option<&'a Value>; Field::COUNT]);

impl<'a> Layer<'a> {
    pub(super) fn of(fields: &'a Fields) -> Self {
        let mut layer = Self([None; Field::COUNT]);
        for (name, value) in fields {
            let slot = Field::named(name).and_then(|field| layer.0.get_mut(field as usize));
            if let Some(slot) = slot {
                *slot = Some(value);
            }
        }
        layer
    }

    /// The layer without the selected fields.
    pub(super) fn without(mut self, is_selected: impl Fn(Field) -> bool) -> Self {
        for (field, slot) in Field::ALL.iter().zip(&mut self.0) {
            if is_selected(*field) {
                *slot = None;
            }
        }
        self
    }

    /// The value as written, which may be empty.
    pub(super) fn written(&self, field: Field) -> Option<&'a Value> {
        self.0.get(field as usize).copied().flatten()
    }

    /// The value, unless it is empty.
    fn value(&self, field: Field) -> Option<&'a Value> {
        self.written(field).filter(|value| !value.is_null())
    }
}

static BUILT_IN: LazyLock<Layer<'static>> = LazyLock::new(|| Layer::of(preset::default()));
static TIERS: LazyLock<Vec<Layer<'static>>> = LazyLock::new(|| {
    Tier::ALL
        .iter()
        .map(|tier| Layer::of(preset::tier(*tier)))
        .collect()
});
static SERVICES: LazyLock<Vec<Layer<'static>>> = LazyLock::new(|| {
    let all = Service::ALL.iter();
    all.map(|service| Layer::of(preset::service(*service))).collect()
});

/// The layers of one monitor.
#[derive(Debug, Clone)]
pub(super) struct Layers<'a> {
    /// The monitor.
    pub(super) own: Layer<'a>,
    /// The file's `defaults:`.
    pub(super) defaults: &'a Layer<'a>,
    pub(super) tier: Option<Tier>,
    pub(super) service: Option<Service>,
}

/// The source of an effective value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The monitor itself.
    Monitor,
    /// The monitor and the file's `defaults:` together.
    Both,
    /// The file's `defaults:`.
    Defaults,
    /// The monitor's tier.
    Tier(Tier),
    /// The monitor's service.
    Service(Service),
    /// The program.
    BuiltIn,
}

impl<'a> Layers<'a> {
    /// The effective value of a field and its source.
    ///
    /// Precedence, highest first: the monitor, the file's defaults, the tier, the service, the built-in default.
    pub(super) fn value(&self, field: Field) -> Option<(Cow<'a, Value>, Origin)> {
        let (own, default) = (self.own.value(field), self.defaults.value(field));
        if let (Some(own), Some(default)) = (own, default)
            && let Some(merged) = merged(field, own, default)
        {
            return Some((Cow::Owned(merged), Origin::Both));
        }
        let tier = || {
            let layer = TIERS.get(self.tier? as usize)?;
            Some((layer.value(field)?, Origin::Tier(self.tier?)))
        };
        let service = || {
            let layer = SERVICES.get(self.service? as usize)?;
            Some((layer.value(field)?, Origin::Service(self.service?)))
        };
        let found = own
            .map(|value| (value, Origin::Monitor))
            .or_else(|| default.map(|value| (value, Origin::Defaults)))
            .or_else(tier)
            .or_else(service)
            .or_else(|| BUILT_IN.value(field).map(|value| (value, Origin::BuiltIn)));
        found.map(|(value, origin)| (Cow::Borrowed(value), origin))
    }
}

/// The combination of a monitor's own value with the default; `None` if the own value replaces the default.
pub(super) fn merged(field: Field, own: &Value, default: &Value) -> Option<Value> {
    match (field.declaration().merge, own, default) {
        (Merge::Union, Value::Array(own), Value::Array(default)) => {
            let mut all = default.clone();
            all.extend(own.iter().filter(|value| !default.contains(value)).cloned());
            Some(Value::Array(all))
        }
        (Merge::Keys, Value::Object(own), Value::Object(default)) => {
            let mut all = default.clone();
            all.extend(own.clone());
            Some(Value::Object(all))
        }
        (Merge::Replace | Merge::Union | Merge::Keys, _, _) => None,
    }
}

/// A monitor's own fields over the file's defaults, as its item holds them.
pub(super) fn attributes(defaults: &Fields, own: &Fields) -> Map<String, Value> {
    let mut attributes = defaults.clone();
    for (name, value) in own {
        let both = Field::named(name).zip(defaults.get(name));
        let merged = both.and_then(|(field, default)| merged(field, value, default));
        attributes.insert(name.clone(), merged.unwrap_or_else(|| value.clone()));
    }
    attributes
}
