//! Everything that is open now, read from a table: definitions, boards, controls, and what is known of the regions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portpulse_core::board::{Board, FleetRow};
use portpulse_core::control::Control;
use portpulse_core::decide::Input;
use portpulse_core::group::GroupId;
use portpulse_core::id::{MonitorId, Region};
use portpulse_core::outbox::Claimant;
use portpulse_core::round::Definitions;
use portpulse_core::time::Interval;
use portpulse_store::table::Table;
use portpulse_store::{Error, Store};

/// What a table says now.
#[derive(Debug)]
pub(crate) struct Overview {
    pub(crate) now: Timestamp,
    pub(crate) groups: BTreeMap<GroupId, Group>,
    pub(crate) controls: BTreeMap<MonitorId, Control>,
    pub(crate) fleet: FleetRow,
    /// What could not be read, and so is missing here.
    pub(crate) unreadable: Vec<Error>,
    reader: Claimant,
}

/// A group as it stands.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) definitions: Definitions,
    pub(crate) board: Board,
    /// The regions that should report; where the table lists none, those that have, or are waited for.
    pub(crate) regions: BTreeSet<Region>,
}

impl Overview {
    /// Reads two partitions a group, and two more.
    ///
    /// # Errors
    /// When the table cannot be read; an item that is malformed is no error of the whole.
    pub(crate) async fn read<T: Table>(store: &Store<T>, now: Timestamp) -> Result<Self, Error> {
        let (controls, mut unreadable) = store.controls().await?;
        let fleet = match store.fleet().await {
            Err(error @ Error::Unreadable { .. }) => {
                unreadable.push(error);
                FleetRow::default()
            }
            fleet => fleet?,
        };
        let mut groups = BTreeMap::new();
        for interval in Interval::ALL {
            // Shards fill evenly, so that the first empty one is the end.
            for shard in 0.. {
                let group = GroupId {
                    interval: *interval,
                    shard,
                };
                let definitions = store.definitions(group).await?;
                let read = store.board(group).await?;
                if definitions == Definitions::default()
                    && read.board == Board::default()
                    && read.unreadable.is_empty()
                {
                    break;
                }
                unreadable.extend(read.unreadable.into_values());
                let board = read.board;
                let rows = board.rows.keys();
                let regions = match board.listed.is_empty() {
                    true => rows.chain(board.verdict.regions.keys()).cloned().collect(),
                    false => board.listed.clone(),
                };
                let read = Group {
                    definitions,
                    board,
                    regions,
                };
                groups.insert(group, read);
            }
        }
        let rows = groups
            .values()
            .flat_map(|group: &Group| group.board.rows.values());
        // A clock that ran faster than ours may have counted ticks that lie ahead.
        let latest = rows.map(|row| row.tick.timestamp()).max();
        Ok(Self {
            now: latest.map_or(now, |latest| latest.max(now)),
            groups,
            controls,
            fleet,
            unreadable,
            reader: Claimant::new("reader"),
        })
    }

    /// What a decision on a group would rest on now.
    pub(crate) fn input<'a>(&'a self, group: GroupId, read: &'a Group) -> Input<'a> {
        const NOBODY: &BTreeSet<MonitorId> = &BTreeSet::new();
        Input {
            group,
            definitions: &read.definitions,
            board: &read.board,
            fleet: Some(&self.fleet),
            otherwise: &read.regions,
            controls: &self.controls,
            down_elsewhere: NOBODY,
            now: self.now,
            me: &self.reader,
        }
    }

    /// The last tick that anybody has reported.
    pub(crate) fn latest_tick(&self) -> Option<Timestamp> {
        let rows = self.groups.values().flat_map(|group| group.board.rows.values());
        rows.map(|row| row.tick.timestamp()).max()
    }
}
