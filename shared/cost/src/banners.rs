//! What keeping the words of services asks of DynamoDB each hour, by the size of the item that holds them.

use portpulse_core::banners::{Banner, Banners};
use portpulse_core::definition::{Defined, Monitor};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::outcome::Detail;
use portpulse_core::target::Check;
use portpulse_core::time::Tick;
use portpulse_store::layout;
use portpulse_store::size;
use portpulse_store::table::Read;

use crate::tick::{SOME_TIME, checked, whole};

/// What noting what services say costs one region each hour, beside the tick that does it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BannersCost {
    /// DynamoDB's write units.
    pub write_units: f64,
    /// DynamoDB's read units.
    pub read_units: f64,
    /// What it reads and writes, in bytes on the network.
    pub bytes: f64,
    /// Its requests.
    pub requests: u32,
    /// What it keeps in the table, in bytes: each hour's words replace those before.
    pub kept_bytes: usize,
}

impl BannersCost {
    /// The words of every monitor that is asked whether it is ready, each so many bytes long; none, where no monitor is.
    pub fn of(
        group: GroupId,
        definitions: &[&Defined],
        location: &Location,
        banner_bytes: usize,
    ) -> Option<Self> {
        let tick = Tick::containing(SOME_TIME, group.interval);
        let speaks = |monitor: &&Monitor| matches!(monitor.target().check, Check::Ready(_));
        let banner = checked(definitions, location)
            .filter(speaks)
            .filter_map(|monitor| {
                let text = Detail::new(&"x".repeat(banner_bytes))?;
                Some((monitor.id().clone(), Banner { text, at: tick }))
            });
        let banners = Banners {
            tick,
            banner: banner.collect(),
        };
        if banners.banner.is_empty() {
            return None;
        }
        let item = layout::banners(group, location, &banners);
        Some(Self {
            write_units: whole(size::write_units(item.stored)),
            read_units: size::read_units(item.stored, Read::Eventual),
            bytes: 2.0 * whole(item.sent),
            requests: 2,
            kept_bytes: item.stored,
        })
    }
}
