use super::*;
use serde_json::json;

fn window(value: Value) -> Result<Window, Vec<Diagnostic>> {
    RawWindow::read(&value, &FieldPath::root()).map(|raw| raw.window)
}

/// Whether the window covers each of the times, as a string of `x` (yes) and `.` (no).
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
fn single_window_covers_start_but_not_end() {
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
fn past_windows_overlap_the_requested_time() {
    let within = |value, from: &str, to: &str| {
        let spans = window(value)
            .unwrap()
            .within(from.parse().unwrap(), to.parse().unwrap());
        spans
            .into_iter()
            .map(|(from, to)| format!("{from} {to}"))
            .collect::<Vec<_>>()
    };
    let weekly = || json!({ "every": "sat 23:00", "for": "3h" });
    assert_eq!(
        within(weekly(), "2026-11-15T01:00:00Z", "2026-11-21T23:30:00Z"),
        [
            "2026-11-14T23:00:00Z 2026-11-15T02:00:00Z",
            "2026-11-21T23:00:00Z 2026-11-22T02:00:00Z"
        ]
    );
    assert_eq!(
        within(weekly(), "2026-11-15T02:00:00Z", "2026-11-21T23:00:00Z"),
        [""; 0]
    );
    let once = json!({ "from": "2026-11-22T02:00:00Z", "until": "2026-11-22T04:00:00Z" });
    assert_eq!(
        within(once, "2026-11-22T03:00:00Z", "2026-11-23T00:00:00Z").len(),
        1
    );
}

#[test]
fn weekly_window_starts_on_its_day_and_crosses_midnight() {
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
fn recurring_window_keeps_local_time_across_dst() {
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
fn dst_gap_shifts_start_and_dst_overlap_uses_first() {
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
    // 2026-10-25: 02:30 occurs twice; the first is summer time, 00:30 UTC.
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
fn next_returns_current_or_first_future_window() {
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
fn invalid_window_reports_every_mistake() {
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
