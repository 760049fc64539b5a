//! The protocol, checked exhaustively: every order of the requests of concurrent checkers, with crashes, lost responses, lost,
//! late and doubled deliveries, up to a number of faults.
//!
//! The steps are those of the real [`portpulse_checker::Checker`]: the model runs it again from its start with the responses
//! that it has received so far, until it makes its next request. The real conditions decide which of the writes succeed. So
//! nothing of the protocol is repeated here; a model has only the table, the running checkers, and the sent messages.
//!
//! Simulations visit long random schedules; this test visits all short ones. For a model of another size (without faults, and
//! with two ticks, unless the environment sets their numbers):
//!
//! ```text
//! PORTPULSE_MODEL_LOCATIONS=2 PORTPULSE_MODEL_FAULTS=1 PORTPULSE_MODEL_TICKS=2 cargo test -p portpulse-checker --test it protocol -- --nocapture
//! ```

mod interner;
mod memory;
mod model;
mod properties;
mod replay;
mod world;

use stateright::{Checker as _, HasDiscoveries, Model as _};

use model::{Defect, FIRST, ProtocolModel, Size};
use world::World;

/// Checks all states of a model, and returns their number as text.
#[track_caller]
fn check(size: Size, worlds: &[World]) -> String {
    let model = ProtocolModel::new(size, worlds.to_vec(), None);
    let checker = model.checker().spawn_bfs().join();
    checker.assert_properties();
    let (states, histories) = (checker.unique_state_count(), checker.model().histories());
    format!("{size:?}: {states} states, {histories} histories of a checker")
}

/// The size that the environment asks for, if it sets the number of locations: by default no faults, and two ticks.
fn asked_size() -> Option<Size> {
    let number = |name: &str| Some(std::env::var(name).ok()?.parse::<u8>().unwrap());
    Some(Size {
        locations: number("PORTPULSE_MODEL_LOCATIONS")?.into(),
        faults: number("PORTPULSE_MODEL_FAULTS").unwrap_or(0),
        ticks: number("PORTPULSE_MODEL_TICKS").unwrap_or(2).into(),
    })
}

#[test]
fn every_order_of_requests_keeps_the_rules() {
    let worlds = World::all(FIRST);
    if let Some(size) = asked_size() {
        println!("{}", check(size, &worlds));
        return;
    }
    for (locations, faults, ticks) in [(2, 0, 3), (3, 0, 1), (2, 1, 1)] {
        let size = Size {
            locations,
            faults,
            ticks,
        };
        println!("{}", check(size, &worlds));
    }
}

#[test]
fn table_with_a_defect_breaks_a_rule() {
    for (defect, faults) in [
        (Defect::ConditionsAreIgnored, 1),
        (Defect::DecisionIsNotRead, 0),
        (Defect::DecisionIsLost, 0),
    ] {
        let size = Size {
            locations: 2,
            faults,
            ticks: 2,
        };
        let model = ProtocolModel::new(size, World::all(FIRST), Some(defect));
        let checker = model.checker().finish_when(HasDiscoveries::AnyFailures);
        let checker = checker.spawn_dfs().join();
        let is_broken = checker.discovery("no rule is broken").is_some();
        assert!(is_broken, "{defect:?} is not noticed");
    }
}
