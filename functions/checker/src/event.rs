//! The event that starts a tick: `{"time":"2026-11-22T05:41:00Z","interval":"1m","shard":0}`.

use jiff::Timestamp;
use portpulse_core::group::GroupId;
use portpulse_core::schedule::ticks;
use portpulse_core::text::quoted;
use portpulse_core::time::{Interval, Tick, parse_time};
use serde_json::Value;

/// The group to check and the scheduled time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TickEvent {
    time: Timestamp,
    group: GroupId,
}

/// An invalid event with all diagnostics.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid tick event: {} (expected an event such as {})", diagnostics.join("; "), EXAMPLE)]
pub struct InvalidEvent {
    diagnostics: Vec<String>,
}

const EXAMPLE: &str = r#"{"time":"2026-11-22T05:41:00Z","interval":"1m","shard":0}"#;

impl TickEvent {
    /// The tick of `group` that was scheduled for `time`.
    pub fn new(time: Timestamp, group: GroupId) -> Self {
        Self { time, group }
    }

    /// Parses an event, as the input transformer of the EventBridge rule sends it. Unknown fields are ignored.
    ///
    /// # Errors
    /// All diagnostics together.
    pub fn parse(event: &Value) -> Result<Self, InvalidEvent> {
        let text = |field: &str| match event.get(field) {
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(other) => Err(format!(
                "`{field}` must be text, not {}",
                quoted(&other.to_string())
            )),
            None => Err(format!("`{field}` is missing")),
        };
        let time = text("time").and_then(|text| parse_time(text).map_err(|error| format!("`time`: {error}")));
        let interval = text("interval").and_then(|text| {
            text.parse::<Interval>()
                .map_err(|error| format!("`interval`: {error}"))
        });
        let shard = match event.get("shard") {
            Some(value) => value
                .as_u64()
                .and_then(|shard| u32::try_from(shard).ok())
                .ok_or_else(|| {
                    format!(
                        "`shard` must be a whole number from 0, not {}",
                        quoted(&value.to_string())
                    )
                }),
            None => Err("`shard` is missing".to_owned()),
        };
        match (time, interval, shard) {
            (Ok(time), Ok(interval), Ok(shard)) => Ok(Self {
                time,
                group: GroupId { interval, shard },
            }),
            (time, interval, shard) => {
                let diagnostics = [time.err(), interval.err(), shard.err()];
                Err(InvalidEvent {
                    diagnostics: diagnostics.into_iter().flatten().collect(),
                })
            }
        }
    }

    /// The group to check.
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// The ticks to run: one, or with an interval below a minute those of the minute.
    pub fn ticks(&self) -> Vec<Tick> {
        ticks(self.time, self.group.interval)
    }

    /// The tick: the scheduled time, aligned to the interval.
    pub fn tick(&self) -> Tick {
        Tick::containing(self.time, self.group.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn sample_events_are_valid_ticks() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");
        let mut read = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if !path.file_name().unwrap().to_str().unwrap().starts_with("tick-") {
                continue;
            }
            let event = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            assert!(TickEvent::parse(&event).is_ok(), "{}", path.display());
            read += 1;
        }
        assert!(read >= 2, "{folder} has fewer than two samples");
    }

    #[test]
    fn all_diagnostics_are_reported_together() {
        let error =
            TickEvent::parse(&json!({ "time": "yesterday", "interval": "3m", "shard": -1 })).unwrap_err();
        assert_eq!(error.diagnostics.len(), 3);
        let error = TickEvent::parse(&json!([])).unwrap_err().to_string();
        assert!(
            error.contains("`time` is missing; `interval` is missing; `shard` is missing"),
            "{error}"
        );
    }

    #[test]
    fn time_is_aligned_to_interval() {
        let event = json!({ "time": "2026-11-22T05:43:17Z", "interval": "5m", "shard": 2, "version": "0" });
        let event = TickEvent::parse(&event).unwrap();
        assert_eq!(
            (
                event.tick().to_string().as_str(),
                event.group().to_string().as_str()
            ),
            ("2026-11-22T05:40:00Z", "5m#2")
        );
    }

    proptest! {
        #[test]
        fn arbitrary_event_never_panics(time in ".{0,30}", interval in ".{0,4}", shard in any::<i64>()) {
            let _ = TickEvent::parse(&json!({ "time": time, "interval": interval, "shard": shard }));
        }
    }
}
