//! DynamoDB usage of recording banners once an hour, from the size of the item.

use portpulse_core::banners::{Banner, Banners};
use portpulse_core::definition::{Defined, Monitor};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::outcome::Detail;
use portpulse_core::target::Check;
use portpulse_core::time::Tick;
use portpulse_store::item_sizes;
use portpulse_store::size;
use portpulse_store::table::Read;

use crate::tick::{SAMPLE_TIME, as_quantity, checked_monitors};

/// The additional usage of recording banners, per hour and location.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BannersCost {
    /// DynamoDB write units.
    pub write_units: f64,
    /// DynamoDB read units.
    pub read_units: f64,
    /// Bytes read and written over the network.
    pub bytes: f64,
    /// The number of requests.
    pub requests: u32,
    /// Bytes stored in the table. Each hour's item replaces the one before.
    pub stored_bytes: usize,
}

impl BannersCost {
    /// The usage if every monitor with `check: ready` has a banner of `banner_bytes`; `None` if there are no such monitors.
    pub fn of(
        group: GroupId,
        definitions: &[&Defined],
        location: &Location,
        banner_bytes: usize,
    ) -> Option<Self> {
        let tick = Tick::containing(SAMPLE_TIME, group.interval);
        let has_banner = |monitor: &&Monitor| matches!(monitor.target().check, Check::Ready(_));
        let all = checked_monitors(definitions, location)
            .filter(has_banner)
            .filter_map(|monitor| {
                let text = Detail::new(&"x".repeat(banner_bytes))?;
                Some((monitor.id().clone(), Banner { text, at: tick }))
            });
        let banners = Banners {
            tick,
            by_monitor: all.collect(),
        };
        if banners.by_monitor.is_empty() {
            return None;
        }
        let item = item_sizes::banners(group, location, &banners);
        Some(Self {
            write_units: as_quantity(size::write_units(item.stored)),
            read_units: size::read_units(item.stored, Read::Eventual),
            bytes: 2.0 * as_quantity(item.sent),
            requests: 2,
            stored_bytes: item.stored,
        })
    }
}
