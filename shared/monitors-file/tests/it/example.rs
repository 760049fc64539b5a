//! The example file in `infra`.

use portpulse_core::definition::NetworkAccess;

#[test]
fn example_is_valid_for_lambda() {
    let text = include_str!("../../../../infra/monitors.yaml");
    let file = portpulse_monitors_file::read(text, NetworkAccess::PlainLambda);
    let messages = |mistakes: Vec<portpulse_monitors_file::Mistake>| {
        mistakes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(file.map_err(messages).unwrap().monitors().len() >= 3);
}
