//! Reads the data of pages and caches it for a short time, so that many readers cost as much as one.
//!
//! Every public page and feed is rendered from one cached overview: any number of public requests cost one read of the
//! table per cache lifetime. After a failed read, public requests retry only after a pause.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use portpulse_core::id::MonitorId;
use portpulse_history::report::{Month, Report};
use portpulse_history::view::{Audience, MonitorPage, Overview};
use tokio::sync::Mutex;

use crate::reader::PageReader;
use crate::site::RETRY_SECONDS;
use crate::span::Span;

/// The maximum number of monitor pages in the cache.
pub(super) const MAX_CACHED_PAGES: usize = 100;
/// How long a report is cached.
const REPORT_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// The age of the oldest month that has a report: rollups are kept for 400 days.
const MAX_REPORT_AGE: SignedDuration = SignedDuration::from_hours(400 * 24);
/// How long public requests do not read the table after a failure, as the `Retry-After` of
/// [`Site::unavailable`](crate::Site::unavailable) says.
const RETRY_PAUSE: SignedDuration = SignedDuration::from_secs(RETRY_SECONDS);

/// A reader with a cache.
pub(super) struct CachedReader<R> {
    reader: R,
    max_age: SignedDuration,
    // Private requests for monitors that do not exist cost no more than this read.
    ids: Mutex<Cache<(), BTreeSet<MonitorId>>>,
    // Locked during a read: concurrent requests wait for the result instead of reading again.
    overviews: Mutex<Overviews>,
    pub(super) monitors: Mutex<Cache<(MonitorId, Span), Option<MonitorPage>>>,
    reports: Mutex<Cache<(Audience, Month), Report>>,
}

/// Cached overviews, and the time of the last failed read of the public one.
#[derive(Default)]
struct Overviews {
    cache: Cache<Audience, Overview>,
    failed: Option<Timestamp>,
}

/// Why there is no data: reading the table failed.
pub(super) enum ReadFailure<E> {
    /// Now.
    Failed(E),
    /// A moment ago; not tried again yet.
    FailedRecently,
}

impl<E> From<E> for ReadFailure<E> {
    fn from(error: E) -> Self {
        Self::Failed(error)
    }
}

/// Values with the time at which they were read.
type Cache<K, V> = BTreeMap<K, (Timestamp, Arc<V>)>;

impl<R: PageReader> CachedReader<R> {
    pub(super) fn new(reader: R, max_age: SignedDuration) -> Self {
        Self {
            reader,
            max_age,
            ids: Mutex::default(),
            overviews: Mutex::default(),
            monitors: Mutex::default(),
            reports: Mutex::default(),
        }
    }

    /// Forgets overviews and monitors, after a change.
    pub(super) async fn forget(&self) {
        self.overviews.lock().await.cache.clear();
        self.monitors.lock().await.clear();
    }

    /// Whether a monitor with this id is defined.
    pub(super) async fn is_defined(&self, id: &MonitorId, now: Timestamp) -> Result<bool, R::Error> {
        let mut cache = self.ids.lock().await;
        if let Some(ids) = self.cached(&cache, &(), now) {
            return Ok(ids.contains(id));
        }
        let ids = Arc::new(self.reader.ids().await?);
        cache.insert((), (now, Arc::clone(&ids)));
        Ok(ids.contains(id))
    }

    /// All monitors with their incidents.
    pub(super) async fn overview(
        &self,
        audience: Audience,
        now: Timestamp,
    ) -> Result<Arc<Overview>, ReadFailure<R::Error>> {
        let mut overviews = self.overviews.lock().await;
        if let Some(cached) = self.cached(&overviews.cache, &audience, now) {
            return Ok(cached);
        }
        let is_public = audience == Audience::Public;
        if is_public && overviews.failed.is_some_and(|at| is_within(RETRY_PAUSE, at, now)) {
            return Err(ReadFailure::FailedRecently);
        }
        // Memory does not suffice for two overviews.
        overviews.cache.remove(&audience);
        let read = self.reader.overview(audience, now).await;
        if is_public {
            overviews.failed = read.is_err().then_some(now);
        }
        let read = Arc::new(read?);
        overviews.cache.insert(audience, (now, Arc::clone(&read)));
        Ok(read)
    }

    /// The report of a month that has begun and whose rollups may still exist; cached much longer than other pages, because
    /// it costs as much as a page of 30 days.
    pub(super) async fn report(
        &self,
        audience: Audience,
        month: Month,
        now: Timestamp,
    ) -> Result<Option<Arc<Report>>, ReadFailure<R::Error>> {
        let oldest = now.saturating_sub(MAX_REPORT_AGE).unwrap_or(Timestamp::MIN);
        if month.start() > now || month.end() < oldest {
            return Ok(None);
        }
        let mut reports = self.reports.lock().await;
        let key = (audience, month);
        if let Some((at, report)) = reports.get(&key)
            && is_within(REPORT_LIFETIME, *at, now)
        {
            return Ok(Some(Arc::clone(report)));
        }
        let is_public = audience == Audience::Public;
        let failed = self.overviews.lock().await.failed;
        if is_public && failed.is_some_and(|at| is_within(RETRY_PAUSE, at, now)) {
            return Err(ReadFailure::FailedRecently);
        }
        let read = self.reader.report(audience, month, now).await;
        if is_public && read.is_err() {
            self.overviews.lock().await.failed = Some(now);
        }
        let report = Arc::new(read?);
        reports.retain(|_, (at, _)| is_within(REPORT_LIFETIME, *at, now));
        reports.insert(key, (now, Arc::clone(&report)));
        Ok(Some(report))
    }

    /// One monitor with its history; `None` if the id is not defined, or not visible to the audience.
    pub(super) async fn monitor(
        &self,
        audience: Audience,
        id: &MonitorId,
        span: Span,
        now: Timestamp,
    ) -> Result<Arc<Option<MonitorPage>>, ReadFailure<R::Error>> {
        if audience == Audience::Public {
            let all = self.overview(audience, now).await?;
            return Ok(Arc::new(all.monitor_page(id)));
        }
        if !self.is_defined(id, now).await? {
            return Ok(Arc::new(None));
        }
        let mut cache = self.monitors.lock().await;
        let key = (id.clone(), span);
        if let Some(cached) = self.cached(&cache, &key, now) {
            return Ok(cached);
        }
        let read = Arc::new(self.reader.monitor(audience, id, span.detail(now), now).await?);
        cache.retain(|_, (at, _)| self.is_current(*at, now));
        if cache.len() >= MAX_CACHED_PAGES {
            cache.clear();
        }
        cache.insert(key, (now, Arc::clone(&read)));
        Ok(read)
    }

    fn cached<K: Ord, V>(&self, cache: &Cache<K, V>, key: &K, now: Timestamp) -> Option<Arc<V>> {
        let (at, value) = cache.get(key)?;
        self.is_current(*at, now).then(|| Arc::clone(value))
    }

    fn is_current(&self, at: Timestamp, now: Timestamp) -> bool {
        is_within(self.max_age, at, now)
    }
}

/// Whether `at` is less than `max_age` ago. False for times in the future, so that a clock that was set back does not
/// extend the lifetime.
fn is_within(max_age: SignedDuration, at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    !age.is_negative() && age < max_age
}
