//! The schedule: which ticks one invocation runs, and when.
//!
//! EventBridge fires once a minute at most. With an interval below a minute, the invocation runs the ticks of its minute
//! itself, each at its time.

use std::time::Duration;

use jiff::Timestamp;

use crate::time::{Interval, Tick};

/// The shortest period of a schedule.
/// Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>
pub const SCHEDULE_PERIOD: Duration = Interval::OneMinute.length();

/// The ticks that an event with this scheduled time starts, in order: one, or those of its minute.
pub fn ticks(time: Timestamp, interval: Interval) -> Vec<Tick> {
    if !interval.is_below_minute() {
        return vec![Tick::containing(time, interval)];
    }
    let first = Tick::containing(time, Interval::OneMinute);
    let count = Interval::OneMinute.seconds() / interval.seconds();
    let count = u32::try_from(count).unwrap_or(1);
    (0..count).map(|number| first.later(interval, number)).collect()
}

/// What an invocation does about its next tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Waits, and then runs it.
    Wait(Duration),
    /// Runs it now.
    Run,
    /// Leaves it out: it is no longer fresh, and a later tick of the invocation completes what is left.
    Skip,
}

/// What to do about the first of `ticks` that are left of an event. The last one is always run: it completes what other
/// invocations have left, even if it is too old to count.
pub fn turn(ticks: &[Tick], interval: Interval, now: Timestamp) -> Option<Turn> {
    let (tick, later) = ticks.split_first()?;
    let ahead = tick.ahead_of(now);
    Some(if !interval.is_below_minute() {
        Turn::Run
    } else if ahead > SCHEDULE_PERIOD {
        // The clock or the event is wrong, which the handler reports.
        Turn::Run
    } else if ahead > Duration::ZERO {
        Turn::Wait(ahead)
    } else if tick.age(now) > interval.length() && !later.is_empty() {
        Turn::Skip
    } else {
        Turn::Run
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_305_600 + second).unwrap()
    }

    /// The seconds and turns of the ticks of minute 0 for an invocation that begins at `now` and takes no time.
    fn turns(interval: Interval, event: i64, now: i64) -> Vec<(i64, Turn)> {
        let ticks = ticks(at(event), interval);
        let mut now = at(now);
        let mut turns = Vec::new();
        for (index, tick) in ticks.iter().enumerate() {
            let turn = turn(&ticks[index..], interval, now).unwrap();
            if let Turn::Wait(length) = turn {
                now += length;
            }
            turns.push((tick.as_second() - at(0).as_second(), turn));
        }
        turns
    }

    fn wait(seconds: u64) -> Turn {
        Turn::Wait(Duration::from_secs(seconds))
    }

    #[test]
    fn minute_is_run_tick_by_tick() {
        use Turn::{Run, Skip};
        for (interval, event, now, expected) in [
            (Interval::OneMinute, 0, 0, vec![(0, Run)]),
            (Interval::FiveMinutes, 7, 0, vec![(0, Run)]),
            (Interval::ThirtySeconds, 0, 0, vec![(0, Run), (30, wait(30))]),
            (
                Interval::TwentySeconds,
                13,
                2,
                vec![(0, Run), (20, wait(18)), (40, wait(20))],
            ),
            // Begins late: what is still fresh runs.
            (
                Interval::TwentySeconds,
                0,
                20,
                vec![(0, Run), (20, Run), (40, wait(20))],
            ),
            (
                Interval::TwentySeconds,
                0,
                35,
                vec![(0, Skip), (20, Run), (40, wait(5))],
            ),
            (
                Interval::TwentySeconds,
                0,
                61,
                vec![(0, Skip), (20, Skip), (40, Run)],
            ),
            // Far too late: the last tick completes what is left.
            (Interval::ThirtySeconds, 0, 300, vec![(0, Skip), (30, Run)]),
            // The clock is late, and then wrong.
            (Interval::ThirtySeconds, 0, -3, vec![(0, wait(3)), (30, wait(30))]),
            (Interval::ThirtySeconds, 0, -61, vec![(0, Run), (30, Run)]),
        ] {
            assert_eq!(turns(interval, event, now), expected, "{interval} {event} {now}");
        }
        assert_eq!(turn(&[], Interval::TenSeconds, at(0)), None);
    }

    #[test]
    fn minutes_share_no_tick() {
        for interval in Interval::ALL
            .iter()
            .copied()
            .filter(|interval| interval.is_below_minute())
        {
            let all: Vec<_> = (0..3)
                .flat_map(|minute| ticks(at(minute * 60), interval))
                .collect();
            let expected = (0..all.len()).map(|number| all[0].later(interval, number.try_into().unwrap()));
            assert!(expected.eq(all.iter().copied()), "{interval}");
            assert!(
                all.iter()
                    .all(|tick| *tick == Tick::containing(tick.timestamp(), interval))
            );
        }
    }
}
