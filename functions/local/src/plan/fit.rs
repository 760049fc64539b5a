//! Whether the monitors of a file are valid with a shorter interval.

use portpulse_core::definition::{Defined, DefinitionFile, Diagnostic, Monitor};
use portpulse_core::time::Interval;
use serde_json::Value;

use crate::output::count_of;

/// Which monitors are invalid with an interval of at most `interval`, as a sentence; `None` if there are none. The cost
/// does not depend on timeouts and retries, so it is estimated for these monitors too.
pub(super) fn misfit_line(file: &DefinitionFile, interval: Interval) -> Option<String> {
    let monitors = file.monitors().iter();
    let mut misfits = monitors.filter_map(|defined| Some((defined, mistake(defined, interval)?)));
    let (first, Diagnostic { at, what, .. }) = misfits.next()?;
    let separator = if at.parts().is_empty() { "" } else { ": " };
    let (count, verb) = match misfits.count() + 1 {
        1 => (1, "is"),
        count => (count, "are"),
    };
    Some(format!(
        "At {interval}, the file is invalid until {} {verb} changed, such as {} ({at}{separator}{what}).",
        count_of(count as u64, "monitor"),
        first.monitor.id()
    ))
}

/// The first mistake of a monitor with an interval of at most `interval`.
fn mistake(defined: &Defined, interval: Interval) -> Option<Diagnostic> {
    if defined.monitor.rule().interval <= interval {
        return None;
    }
    let mut attributes = defined.attributes.clone();
    attributes.insert("interval".to_owned(), interval.as_str().into());
    let monitor = Monitor::from_attributes(defined.monitor.id().as_str(), &Value::Object(attributes));
    monitor.err()?.into_iter().next()
}
