//! What a nominal tick may cost.

use crate::nominal;

#[tokio::test]
async fn a_nominal_tick_is_two_writes_within_its_units() {
    for (monitors, most) in [(50, 3.0), (400, 16.0)] {
        for regions in [1, 3] {
            let consumed = nominal::tick(monitors, regions).await;
            assert_eq!(consumed.writes, 2, "{monitors} from {regions}: {consumed:?}");
            assert_eq!(consumed.reads, 2, "{monitors} from {regions}: {consumed:?}");
            assert!(
                consumed.write_units >= 2.0 && consumed.write_units <= most,
                "{monitors} from {regions}: {consumed:?}"
            );
        }
    }
}
