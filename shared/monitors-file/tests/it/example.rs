//! The example that newcomers edit.

use portpulse_core::definition::NetworkAccess;

#[test]
fn the_example_is_valid_for_a_lambda() {
    let text = include_str!("../../../../infra/monitors.yaml");
    let file = portpulse_monitors_file::read(text, NetworkAccess::PlainLambda);
    let messages = |mistakes: Vec<portpulse_monitors_file::Mistake>| {
        mistakes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(file.map_err(messages).unwrap().monitors().len() >= 3);
}
