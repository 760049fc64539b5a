//! Reports of a month.

use portpulse_core::uptime::ObservedTime;
use portpulse_history::report::{MonitorReport, WINDOWS, window_text};
use portpulse_history::view::Audience;
use portpulse_store::Store;

use crate::assembled::table;
use crate::fleet::{GROUP, definition, now, reader, run};

#[tokio::test]
async fn report_of_a_month_counts_watched_time_outages_and_maintenance() {
    let reader = reader(table().await, 500);
    let objective = "99.9".parse().unwrap();
    let report = reader
        .report(
            "2026-11".parse().unwrap(),
            Audience::Private,
            Some(objective),
            now(),
        )
        .await
        .unwrap();
    assert!(!report.is_incomplete);
    let down = report
        .monitors
        .iter()
        .find(|monitor| monitor.id.as_str() == "c-down")
        .unwrap();
    // 21 days and 12 hours without the maintenance of an hour. The current hour has no checks, only maintenance: whether those of
    // its day were made then is not known.
    assert_eq!(down.watched.seconds(), 21 * 86_400 + 11 * 3_600 - 1_820);
    assert_eq!(
        (down.watched.down_seconds(), down.watched.maintenance_seconds()),
        (3_600, 3_600 + 1_820)
    );
    assert_eq!(down.unwatched.as_secs(), 1_820);
    assert_eq!(down.outages, 2, "one has ended, and one is open");
    assert_eq!(down.mean_time_to_recovery.map(|mean| mean.as_secs()), Some(3_600));
    let worst_hour = |monitor: &MonitorReport| monitor.worst[0].and_then(ObservedTime::uptime);
    assert_eq!(worst_hour(down), Some(0.0), "the outage of an hour");
    assert!(report.objective_of(down).unwrap().1.is_negative());
    let october = reader
        .report("2026-10".parse().unwrap(), Audience::Private, None, now())
        .await
        .unwrap();
    let down = october
        .monitors
        .iter()
        .find(|monitor| monitor.id.as_str() == "c-down")
        .unwrap();
    assert_eq!(
        (down.watched.seconds(), down.outages, worst_hour(down)),
        (31 * 86_400, 0, Some(1.0))
    );
}

#[tokio::test]
async fn report_of_the_current_month_has_the_current_hour() {
    let table = table().await;
    let store = Store::new(table.clone());
    let mut fields = definition(54_321);
    fields["objective"] = serde_json::json!(99.5);
    store
        .put_definition(GROUP, "new", fields.as_object().unwrap())
        .await
        .unwrap();
    run(&store, &["new".to_owned()], 30).await;
    let report = reader(table, 500)
        .report("2026-11".parse().unwrap(), Audience::Private, None, now())
        .await
        .unwrap();
    let new = report
        .monitors
        .iter()
        .find(|monitor| monitor.id.as_str() == "new")
        .unwrap();
    assert_eq!(new.watched.seconds(), 30 * 60);
    assert_eq!(new.objective, "99.5".parse().ok(), "as a number in its item");
    let json = report.json();
    assert!(
        json["monitors"]
            .as_array()
            .unwrap()
            .iter()
            .any(|monitor| monitor["objective"] == 0.995)
    );
    // Each window rests on the half hour that was watched, not on the time before it.
    let watched = new.worst.map(|worst| worst.map(ObservedTime::seconds));
    assert_eq!(watched, [Some(30 * 60); 3]);
    assert_eq!(
        window_text(new.worst[2], WINDOWS[2]).as_deref(),
        Some("100% of 30 min")
    );
    assert!(!report.is_incomplete);
}
