//! Answers requests from data that is read from the table and cached for a short time, so that many readers cost as
//! much as one.
//!
//! Every public page and feed is rendered from one cached overview: any number of public requests cost one read of the
//! table per cache lifetime. After a failed read, public requests retry only after a pause.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use portpulse_core::id::MonitorId;
use portpulse_history::view::{Audience, MonitorPage, Overview};
use tokio::sync::Mutex;

use crate::feed::Feed;
use crate::reader::PageReader;
use crate::request::Request;
use crate::response::Response;
use crate::route::Page;
use crate::site::{PageRequest, RETRY_SECONDS, Received, Site};
use crate::span::Span;

/// The maximum number of monitor pages in the cache.
const MAX_CACHED_PAGES: usize = 100;
/// How long public requests do not read the table after a failure, as the `Retry-After` of [`Site::unavailable`] says.
const RETRY_PAUSE: SignedDuration = SignedDuration::from_secs(RETRY_SECONDS);

/// The pages, with a cache of the data that they show.
pub struct Pages<R> {
    site: Site,
    reader: R,
    max_age: SignedDuration,
    // Private requests for monitors that do not exist cost no more than this read.
    ids: Mutex<Cache<(), BTreeSet<MonitorId>>>,
    // Locked during a read: concurrent requests wait for the result instead of reading again.
    overviews: Mutex<Overviews>,
    monitors: Mutex<Cache<(MonitorId, Span), Option<MonitorPage>>>,
}

/// Cached overviews, and the time of the last failed read of the public one.
#[derive(Default)]
struct Overviews {
    cache: Cache<Audience, Overview>,
    failed: Option<Timestamp>,
}

/// Why there is no data: reading the table failed.
enum ReadFailure<E> {
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

/// The answer to a request.
#[derive(Debug)]
pub struct Answer<E> {
    /// The response.
    pub response: Response,
    /// The error, if reading failed for this request. Requests answered during the pause carry no error.
    pub error: Option<E>,
}

impl<R: PageReader> Pages<R> {
    /// Creates the pages of `site`. Data is cached for `max_age`.
    pub fn new(site: Site, reader: R, max_age: SignedDuration) -> Self {
        Self {
            site,
            reader,
            max_age,
            ids: Mutex::default(),
            overviews: Mutex::default(),
            monitors: Mutex::default(),
        }
    }

    /// Answers a request.
    pub async fn answer(&self, request: &Request, now: Timestamp) -> Answer<R::Error> {
        let asked = match self.site.receive(request, now) {
            Received::Page(asked) => asked,
            Received::Response(response) => {
                return Answer {
                    response,
                    error: None,
                };
            }
        };
        match self.respond(&asked, now).await {
            Ok(response) => Answer {
                response,
                error: None,
            },
            Err(failure) => Answer {
                response: self.site.unavailable(),
                error: match failure {
                    ReadFailure::Failed(error) => Some(error),
                    ReadFailure::FailedRecently => None,
                },
            },
        }
    }

    async fn respond(&self, asked: &PageRequest, now: Timestamp) -> Result<Response, ReadFailure<R::Error>> {
        let (site, audience) = (&self.site, asked.audience);
        Ok(match &asked.page {
            Page::Overview(selection) => {
                site.overview(audience, selection, &*self.read_overview(audience, now).await?)
            }
            Page::Incidents(page) => {
                site.incidents(audience, *page, &*self.read_overview(audience, now).await?)
            }
            Page::Monitor(id, span) => {
                let known = self.read_monitor(audience, id, *span, now).await?;
                site.monitor(audience, *span, Option::as_ref(&known))
            }
            Page::Feed(Feed::Monitor(id, span)) => {
                let known = self.read_monitor(audience, id, *span, now).await?;
                site.monitor_feed(audience, Option::as_ref(&known))
            }
            Page::Feed(Feed::Badge(id, _))
                if audience == Audience::Private && !self.is_defined(id, now).await? =>
            {
                site.not_found()
            }
            Page::Feed(feed) => site.feed(audience, feed, &*self.read_overview(audience, now).await?),
        })
    }

    /// Whether a monitor with this id is defined.
    async fn is_defined(&self, id: &MonitorId, now: Timestamp) -> Result<bool, R::Error> {
        let mut cache = self.ids.lock().await;
        if let Some(ids) = self.cached(&cache, &(), now) {
            return Ok(ids.contains(id));
        }
        let ids = Arc::new(self.reader.ids().await?);
        cache.insert((), (now, Arc::clone(&ids)));
        Ok(ids.contains(id))
    }

    async fn read_overview(
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

    async fn read_monitor(
        &self,
        audience: Audience,
        id: &MonitorId,
        span: Span,
        now: Timestamp,
    ) -> Result<Arc<Option<MonitorPage>>, ReadFailure<R::Error>> {
        if audience == Audience::Public {
            let all = self.read_overview(audience, now).await?;
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
        let read = Arc::new(self.reader.monitor(audience, id, span.first(now), now).await?);
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use portpulse_core::group_state::Status;
    use portpulse_core::period::Period;
    use portpulse_history::view::{MonitorView, Uptime};

    use super::*;
    use crate::access::Access;

    /// Counts reads, and answers each one once a permit is available.
    struct Counting {
        reads: AtomicUsize,
        /// Reads of the ids.
        id_reads: AtomicUsize,
        permits: Semaphore,
    }

    impl Counting {
        async fn read(&self) -> Result<(), &'static str> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            self.permits
                .acquire()
                .await
                .map_err(|_| "the table is gone")?
                .forget();
            Ok(())
        }
    }

    /// The defined monitors.
    fn defined() -> impl Iterator<Item = MonitorId> {
        (0..3 * MAX_CACHED_PAGES).map(|number| format!("m{number}").parse().unwrap())
    }

    fn monitor(id: MonitorId) -> MonitorView {
        MonitorView {
            id,
            status: Status::Up,
            since: None,
            in_maintenance: false,
            maintenance: Vec::new(),
            uptime: Uptime::default(),
            hours: Vec::new(),
            days: Vec::new(),
            inside: None,
        }
    }

    impl PageReader for Arc<Counting> {
        type Error = &'static str;

        async fn ids(&self) -> Result<BTreeSet<MonitorId>, Self::Error> {
            self.id_reads.fetch_add(1, Ordering::SeqCst);
            Ok(defined().collect())
        }

        async fn overview(&self, _: Audience, now: Timestamp) -> Result<Overview, Self::Error> {
            self.read().await?;
            Ok(Overview {
                at: now,
                monitors: defined().map(monitor).collect(),
                open: Vec::new(),
                closed: Vec::new(),
                left_out: Default::default(),
                inside: None,
            })
        }

        async fn monitor(
            &self,
            _: Audience,
            _: &MonitorId,
            _: Period,
            _: Timestamp,
        ) -> Result<Option<MonitorPage>, Self::Error> {
            self.read().await?;
            Ok(None)
        }
    }

    fn pages(permits: usize) -> (Arc<Counting>, Pages<Arc<Counting>>) {
        pages_for(Access::Public, permits)
    }

    fn pages_for(access: Access, permits: usize) -> (Arc<Counting>, Pages<Arc<Counting>>) {
        let counting = Arc::new(Counting {
            reads: AtomicUsize::new(0),
            id_reads: AtomicUsize::new(0),
            permits: Semaphore::new(permits),
        });
        let site = Site::new(access, 60);
        let pages = Pages::new(site, Arc::clone(&counting), SignedDuration::from_secs(10));
        (counting, pages)
    }

    fn get(path: &str) -> Request {
        Request {
            path: path.to_owned(),
            host: Some("localhost".to_owned()),
            ..Request::default()
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_326_060 + second).unwrap()
    }

    #[tokio::test]
    async fn concurrent_requests_share_one_read() {
        let (counting, pages) = pages(0);
        let (overview, incidents) = (get("/"), get("/incidents"));
        let (first, second, ()) = tokio::join!(
            pages.answer(&overview, at(0)),
            pages.answer(&incidents, at(0)),
            async { counting.permits.add_permits(1) }
        );
        assert_eq!((first.response.status, second.response.status), (200, 200));
        assert_eq!(counting.reads.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn cached_overview_expires_after_max_age() {
        let (counting, pages) = pages(100);
        let mut reads = Vec::new();
        for second in [0, 9, 10, 19, 3] {
            pages.answer(&get("/"), at(second)).await;
            reads.push(counting.reads.load(Ordering::SeqCst));
        }
        assert_eq!(reads, [1, 1, 2, 2, 3]);
    }

    #[tokio::test]
    async fn all_public_requests_share_one_read_per_max_age() {
        let (counting, pages) = pages(1_000);
        for number in 0..50 {
            for (path, status) in [
                ("/", 200),
                ("/monitors/m{}", 200),
                ("/monitors/m{}?span=90d", 200),
                ("/api/monitors/m{}?span=7d", 200),
                ("/badge/m{}.svg", 200),
                ("/badge/m{}.svg?kind=uptime", 200),
                ("/monitors/none{}", 404),
                ("/api/monitors/none{}", 404),
                ("/badge/none{}.svg", 404),
                ("/?q=m{}", 200),
                ("/?page={}", 200),
                ("/incidents", 200),
                ("/api/monitors", 200),
                ("/api/incidents", 200),
                ("/metrics", 200),
                ("/incidents.atom", 200),
            ] {
                let asked = path.replace("{}", &number.to_string());
                let (path, query) = asked.split_once('?').unwrap_or((&asked, ""));
                let request = Request {
                    query: query.to_owned(),
                    ..get(path)
                };
                let answered = pages.answer(&request, at(9)).await;
                assert_eq!(answered.response.status, status, "{asked}");
            }
        }
        assert_eq!(counting.reads.load(Ordering::SeqCst), 1);
        assert_eq!(counting.id_reads.load(Ordering::SeqCst), 0);
        pages.answer(&get("/monitors/m1"), at(19)).await;
        assert_eq!(counting.reads.load(Ordering::SeqCst), 2, "the cache has expired");
    }

    #[tokio::test]
    async fn cached_monitor_pages_are_bounded() {
        let (counting, pages) = pages_for(Access::Loopback, 1_000);
        for _ in 0..2 {
            for id in ["m0", "m1"] {
                let answered = pages.answer(&get(&format!("/monitors/{id}")), at(0)).await;
                assert_eq!(answered.response.status, 404);
            }
        }
        assert_eq!(counting.reads.load(Ordering::SeqCst), 2);
        for number in 0..3 * MAX_CACHED_PAGES {
            pages.answer(&get(&format!("/monitors/m{number}")), at(0)).await;
        }
        assert!(pages.monitors.lock().await.len() <= MAX_CACHED_PAGES);
    }

    #[tokio::test]
    async fn longer_span_is_read_again() {
        let (counting, pages) = pages_for(Access::Loopback, 1_000);
        for query in ["", "span=7d"] {
            for path in ["/monitors/m0", "/api/monitors/m0"] {
                let request = Request {
                    query: query.to_owned(),
                    ..get(path)
                };
                pages.answer(&request, at(0)).await;
            }
        }
        assert_eq!(
            counting.reads.load(Ordering::SeqCst),
            2,
            "page and JSON share one read"
        );
    }

    #[tokio::test]
    async fn failed_read_is_reported_and_public_retry_is_delayed() {
        for (access, most) in [(Access::Loopback, [1, 2, 3, 4]), (Access::Public, [1, 1, 2, 2])] {
            let (counting, pages) = pages_for(access, 0);
            counting.permits.close();
            let mut reported = 0;
            for (second, reads) in [0, RETRY_SECONDS - 1, RETRY_SECONDS, RETRY_SECONDS + 1]
                .into_iter()
                .zip(most)
            {
                let answered = pages.answer(&get("/"), at(second)).await;
                assert_eq!(answered.response.status, 503);
                assert!(!answered.response.body.contains("gone"));
                reported += usize::from(answered.error == Some("the table is gone"));
                assert_eq!(counting.reads.load(Ordering::SeqCst), reads);
            }
            assert_eq!(reported, most[3], "each failure is reported once");
            // Pages without data do not depend on the table.
            assert_eq!(pages.answer(&get("/nothing"), at(0)).await.response.status, 404);
        }
    }

    #[tokio::test]
    async fn unknown_monitors_cost_one_read_of_definitions() {
        let (counting, pages) = pages_for(Access::Loopback, 1_000);
        for number in 0..50 {
            for path in ["/monitors/x{}", "/api/monitors/x{}", "/badge/x{}.svg"] {
                let path = path.replace("{}", &number.to_string());
                let answered = pages.answer(&get(&path), at(0)).await;
                assert_eq!(answered.response.status, 404, "{path}");
            }
        }
        assert_eq!(counting.reads.load(Ordering::SeqCst), 0);
        assert_eq!(counting.id_reads.load(Ordering::SeqCst), 1);
        assert!(pages.monitors.lock().await.is_empty());
        pages.answer(&get("/monitors/x1"), at(10)).await;
        assert_eq!(
            counting.id_reads.load(Ordering::SeqCst),
            2,
            "ids are read again after the cache expires"
        );
    }
}
