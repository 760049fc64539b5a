use super::*;
use serde_json::json;

fn window(value: Value) -> Result<Window, Vec<Diagnostic>> {
    RawWindow::read(&value, &FieldPath::root()).map(|raw| raw.window)
}

/// Whether the window covers each of the times, as a string of `x` and `.`.
fn covered(value: Value, times: &[&str]) -> String {
    let window = window(value).unwrap();
    times
        .iter()
        .map(|time| {
            if window.covers(time.parse().unwrap()) {
                'x'
            } else {
                '.'
            }
        })
        .collect()
}

#[test]
fn a_single_window_has_a_start_and_an_end() {
    let value = json!({ "from": "2026-11-22T02:00:00Z", "until": "2026-11-22T04:00:00Z" });
    let times = [
        "2026-11-22T01:59:59Z",
        "2026-11-22T02:00:00Z",
        "2026-11-22T03:59:59Z",
        "2026-11-22T04:00:00Z",
    ];
    assert_eq!(covered(value, &times), ".xx.");
}

#[test]
fn a_weekly_window_comes_on_its_day_and_may_pass_midnight() {
    let value = json!({ "every": "sat 23:00", "for": "3h" });
    // 2026-11-21 is a Saturday.
    let times = [
        "2026-11-21T22:59:59Z",
        "2026-11-21T23:00:00Z",
        "2026-11-22T01:59:59Z",
        "2026-11-22T02:00:00Z",
        "2026-11-22T23:30:00Z",
    ];
    assert_eq!(covered(value, &times), ".xx..");
}

#[test]
fn local_time_is_kept_over_the_change_of_clocks() {
    let value = || json!({ "every": "daily 09:00", "for": "1h", "zone": "Europe/Berlin" });
    assert_eq!(
        covered(value(), &["2026-07-01T07:00:00Z", "2026-07-01T08:00:00Z"]),
        "x."
    );
    assert_eq!(
        covered(value(), &["2026-12-01T07:30:00Z", "2026-12-01T08:30:00Z"]),
        ".x"
    );
}

#[test]
fn a_start_that_does_not_exist_moves_forward_and_a_doubled_one_is_the_first() {
    let value = || json!({ "every": "sun 02:30", "for": "1h", "zone": "Europe/Berlin" });
    // 2026-03-29: 02:00 becomes 03:00. 02:30 is taken as 03:30 summer time, 01:30 UTC.
    assert_eq!(
        covered(
            value(),
            &[
                "2026-03-29T01:29:59Z",
                "2026-03-29T01:30:00Z",
                "2026-03-29T02:29:59Z",
                "2026-03-29T02:30:00Z"
            ]
        ),
        ".xx."
    );
    // 2026-10-25: 02:30 comes twice; the first is summer time, 00:30 UTC.
    assert_eq!(
        covered(
            value(),
            &[
                "2026-10-25T00:29:59Z",
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:29:59Z",
                "2026-10-25T01:30:00Z"
            ]
        ),
        ".xx."
    );
}

#[test]
fn the_next_window_is_the_one_that_is_on_or_comes_first() {
    let check = |value: Value, now: &str, expected: Option<(&str, &str)>| {
        let next = window(value).unwrap().next(now.parse().unwrap());
        let next = next.map(|(from, until)| (from.to_string(), until.to_string()));
        let expected = expected.map(|(from, until)| (from.to_owned(), until.to_owned()));
        assert_eq!(next, expected, "at {now}");
    };
    let (from, until) = ("2026-11-22T02:00:00Z", "2026-11-22T04:00:00Z");
    let once = || json!({ "from": from, "until": until });
    for now in ["2026-11-01T00:00:00Z", from, "2026-11-22T03:59:59Z"] {
        check(once(), now, Some((from, until)));
    }
    check(once(), until, None);
    // 2026-11-22 is a Sunday.
    let weekly = || json!({ "every": "sun 02:00", "for": "2h" });
    let next_week = ("2026-11-29T02:00:00Z", "2026-11-29T04:00:00Z");
    check(weekly(), "2026-11-15T04:00:00Z", Some((from, until)));
    check(weekly(), "2026-11-22T03:59:59Z", Some((from, until)));
    check(weekly(), until, Some(next_week));
    let overlapping = json!({ "every": "daily 00:00", "for": "2d" });
    check(
        overlapping,
        "2026-11-22T12:00:00Z",
        Some(("2026-11-21T00:00:00Z", "2026-11-23T00:00:00Z")),
    );
}

#[test]
fn mistakes_are_named_all_at_once() {
    for (value, count) in [
        (json!({}), 1),
        (json!({ "from": "x", "until": "y" }), 2),
        (
            json!({ "from": "2026-11-22T02:00:00Z", "until": "2026-11-22T02:00:00Z" }),
            1,
        ),
        (
            json!({ "every": "someday 02:00", "for": "8d", "zone": "Mars/Base" }),
            3,
        ),
        (json!({ "every": "sun 2:00", "for": "1h" }), 1),
        (json!({ "every": "sun +2:00", "for": "1h" }), 1),
        (
            json!({ "every": "sun 02:00", "for": 2, "zone": 3, "monitors": [], "tags": [4] }),
            4,
        ),
        (
            json!({ "from": 1, "until": 2, "zone": "UTC", "why": "x".repeat(201) }),
            4,
        ),
        (
            json!({ "every": format!("{} 02:00", ["mon"; 60].join(",")), "for": "1h" }),
            1,
        ),
        (
            json!({ "every": "sun 02:00", "for": format!("{}1h", "0".repeat(200)) }),
            1,
        ),
        (json!({ "from": "2026-11-22T02:00:00Z", "for": "1h" }), 1),
        (json!({ "every": "sun 02:00", "for": "1h", "colour": "red" }), 1),
        (json!("always"), 1),
    ] {
        assert_eq!(window(value.clone()).unwrap_err().len(), count, "{value}");
    }
}
