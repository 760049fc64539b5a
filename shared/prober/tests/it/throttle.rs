//! Limits a process to a share of one processor: with a control group, or with signals where there is none.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

const PERIOD: Duration = Duration::from_millis(100);

/// The limit of a process. Drop it after the end of the process.
pub(crate) struct Throttle {
    pub(crate) means: &'static str,
    group: Option<PathBuf>,
    stop: Arc<AtomicBool>,
}

impl Throttle {
    /// The number of times that the kernel paused the process, if its control group counts them.
    pub(crate) fn waits(&self) -> Option<u64> {
        let stat = fs::read_to_string(self.group.as_ref()?.join("cpu.stat")).ok()?;
        stat.lines()
            .find_map(|line| line.strip_prefix("nr_throttled "))?
            .parse()
            .ok()
    }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(group) = &self.group {
            let _ = fs::remove_dir(group);
        }
    }
}

/// Limits a process to `percent` of one processor.
pub(crate) fn throttle(process: u32, percent: u32) -> Throttle {
    let quota = PERIOD.as_micros() as u32 * percent / 100;
    let period = PERIOD.as_micros();
    let name = format!("portpulse-test-{process}");
    let v1 = [
        ("cpu.cfs_period_us", period.to_string()),
        ("cpu.cfs_quota_us", quota.to_string()),
    ];
    let v2 = [("cpu.max", format!("{quota} {period}"))];
    let found = [
        (
            "cgroup v1",
            PathBuf::from("/sys/fs/cgroup/cpu").join(&name),
            v1.as_slice(),
        ),
        (
            "cgroup v2",
            PathBuf::from("/sys/fs/cgroup").join(&name),
            v2.as_slice(),
        ),
    ]
    .into_iter()
    .find(|(_, group, limits)| {
        let limited = group.parent().is_some_and(std::path::Path::is_dir)
            && fs::create_dir(group).is_ok()
            && limits
                .iter()
                .all(|(file, value)| group.join(file).exists() && fs::write(group.join(file), value).is_ok())
            && fs::write(group.join("cgroup.procs"), process.to_string()).is_ok();
        if !limited {
            let _ = fs::remove_dir(group);
        }
        limited
    });
    let stop = Arc::new(AtomicBool::new(false));
    match found {
        Some((means, group, _)) => Throttle {
            means,
            group: Some(group),
            stop,
        },
        None => {
            stop_and_go(process, percent, Arc::clone(&stop));
            Throttle {
                means: "SIGSTOP and SIGCONT",
                group: None,
                stop,
            }
        }
    }
}

fn stop_and_go(process: u32, percent: u32, stop: Arc<AtomicBool>) {
    let process = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    thread::spawn(move || {
        let run = PERIOD * percent / 100;
        while !stop.load(Ordering::Relaxed) {
            let stopped = kill_process(process, Signal::STOP);
            thread::sleep(PERIOD - run);
            if stopped
                .and_then(|()| kill_process(process, Signal::CONT))
                .is_err()
            {
                break;
            }
            thread::sleep(run);
        }
    });
}
