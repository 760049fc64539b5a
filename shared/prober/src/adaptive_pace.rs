//! Decides how fast connections are started, from the scheduling delay of this process.
//!
//! The configured pace suits a process with a few percent of a processor. While the event loop is punctual at a pace, the
//! pace doubles; when the loop is late, the pace halves, but not below the configured one, and the next doubling takes
//! twice as many punctual samples. A starved process therefore stays at the configured pace, apart from rare attempts.
//!
//! First the pauses become shorter, then the batches larger, because connections started together are answered together.

use std::time::Duration;

use crate::settings::Pace;

/// A timer later than this shows that the process lacks processor time. Timers are exact to a millisecond.
pub(crate) const MAX_TIMER_DELAY: Duration = Duration::from_millis(5);

/// The maximum delay of a punctual sample. Between this and [`MAX_TIMER_DELAY`] the pace is kept.
const MAX_PUNCTUAL_DELAY: Duration = Duration::from_millis(2);

/// The number of punctual samples in a row before the first doubling.
const FIRST_REQUIRED_SAMPLES: u32 = 3;

/// The maximum number of punctual samples in a row before a doubling: a second.
const MAX_REQUIRED_SAMPLES: u32 = 48;

/// The minimum pause between batches, above the exactness of timers.
const MIN_PAUSE: Duration = Duration::from_millis(2);

/// The maximum number of doublings. The default pace then is 32,000 connections a second, more than a core can check, in
/// batches that occupy a core for less than [`MAX_TIMER_DELAY`].
const MAX_DOUBLINGS: u32 = 5;

/// How many connections were started since the previous sample of the delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// At least one full batch.
    Full,
    /// Less than a batch at a time, for lack of targets or sockets: punctuality then proves nothing about the pace.
    Partial,
}

/// The current pace, and what led to it.
#[derive(Debug)]
pub(crate) struct AdaptivePace {
    configured: Pace,
    doublings: u32,
    /// Punctual samples in a row at this pace.
    punctual: u32,
    /// Punctual samples in a row that the next doubling requires.
    required_samples: u32,
}

impl AdaptivePace {
    pub(crate) fn new(configured: Pace) -> Self {
        Self {
            configured,
            doublings: 0,
            punctual: 0,
            required_samples: FIRST_REQUIRED_SAMPLES,
        }
    }

    pub(crate) fn current(&self) -> Pace {
        let mut pace = self.configured;
        for _ in 0..self.doublings {
            let shorter = pace.every / 2;
            if shorter >= MIN_PAUSE {
                pace.every = shorter;
            } else {
                pace.starts = pace.starts.saturating_mul(2);
            }
        }
        pace
    }

    /// Adapts the pace to a sample of the scheduling delay.
    pub(crate) fn observe(&mut self, delay: Duration, usage: Usage) {
        if delay > MAX_TIMER_DELAY {
            self.punctual = 0;
            self.required_samples = (self.required_samples * 2).min(MAX_REQUIRED_SAMPLES);
            self.doublings = self.doublings.saturating_sub(1);
        } else if delay > MAX_PUNCTUAL_DELAY {
            self.punctual = 0;
        } else if usage == Usage::Full {
            self.punctual += 1;
            if self.punctual >= self.required_samples {
                self.punctual = 0;
                self.doublings = (self.doublings + 1).min(MAX_DOUBLINGS);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: (usize, u64) = (10, 10);
    /// A sample at each kind of delay, in milliseconds.
    const PUNCTUAL: Sample = (2, Usage::Full);
    const UNSURE: Sample = (5, Usage::Full);
    const LATE: Sample = (6, Usage::Full);
    const IDLE: Sample = (0, Usage::Partial);

    type Sample = (u64, Usage);

    /// Compares the different paces that follow from samples, each with the number of its samples, as
    /// `connections/pause x samples`.
    #[track_caller]
    fn check((starts, millis): (usize, u64), samples: &[(usize, Sample)], expected: &[&str]) {
        let every = Duration::from_millis(millis);
        let mut adaptive = AdaptivePace::new(Pace { starts, every });
        let mut paces: Vec<(String, usize)> = Vec::new();
        for (times, (delay, usage)) in samples {
            for _ in 0..*times {
                let pace = adaptive.current();
                let pace = format!("{}/{:?}", pace.starts, pace.every);
                match paces.last_mut() {
                    Some((last, count)) if *last == pace => *count += 1,
                    _ => paces.push((pace, 1)),
                }
                adaptive.observe(Duration::from_millis(*delay), *usage);
            }
        }
        let paces: Vec<_> = paces
            .iter()
            .map(|(pace, count)| format!("{pace} x {count}"))
            .collect();
        assert_eq!(paces, expected);
    }

    #[test]
    fn punctual_loop_doubles_the_pace_up_to_the_maximum() {
        check(
            DEFAULT,
            &[(20, PUNCTUAL)],
            &[
                "10/10ms x 3",
                "10/5ms x 3",
                "10/2.5ms x 3",
                "20/2.5ms x 3",
                "40/2.5ms x 3",
                "80/2.5ms x 5",
            ],
        );
        check((1, 1), &[(7, PUNCTUAL)], &["1/1ms x 3", "2/1ms x 3", "4/1ms x 1"]);
        check(
            (usize::MAX, 1),
            &[(4, PUNCTUAL)],
            &[&format!("{}/1ms x 4", usize::MAX)],
        );
    }

    #[test]
    fn late_loop_halves_the_pace_down_to_the_configured_one() {
        check(
            DEFAULT,
            &[(9, PUNCTUAL), (5, LATE)],
            &[
                "10/10ms x 3",
                "10/5ms x 3",
                "10/2.5ms x 3",
                "20/2.5ms x 1",
                "10/2.5ms x 1",
                "10/5ms x 1",
                "10/10ms x 2",
            ],
        );
        check(DEFAULT, &[(50, LATE)], &["10/10ms x 50"]);
    }

    #[test]
    fn each_late_sample_doubles_the_required_samples_up_to_a_second() {
        check(
            DEFAULT,
            &[(3, PUNCTUAL), (1, LATE), (6, PUNCTUAL), (1, LATE), (13, PUNCTUAL)],
            &[
                "10/10ms x 3",
                "10/5ms x 1",
                "10/10ms x 6",
                "10/5ms x 1",
                "10/10ms x 12",
                "10/5ms x 1",
            ],
        );
        check(
            DEFAULT,
            &[(50, LATE), (49, PUNCTUAL)],
            &["10/10ms x 98", "10/5ms x 1"],
        );
    }

    #[test]
    fn unsure_sample_keeps_the_pace_and_restarts_the_count() {
        check(
            DEFAULT,
            &[(5, PUNCTUAL), (9, UNSURE), (4, PUNCTUAL)],
            &["10/10ms x 3", "10/5ms x 14", "10/2.5ms x 1"],
        );
    }

    #[test]
    fn unused_pace_is_not_doubled() {
        check(
            DEFAULT,
            &[(2, PUNCTUAL), (50, IDLE), (2, PUNCTUAL)],
            &["10/10ms x 53", "10/5ms x 1"],
        );
    }
}
