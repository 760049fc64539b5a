//! Pages answered, from what is read or was read a moment ago: many readers at once cost as much as one.
//!
//! What the public is shown, of whatever monitor and in whatever form, comes from one overview: so many public pages cost
//! one reading of the table for as long as that is shown. Where it cannot be read, that is tried again after a while, and
//! not by every request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use portpulse_core::id::MonitorId;
use portpulse_history::view::{Audience, MonitorPage, Overview};
use tokio::sync::Mutex;

use crate::feed::Feed;
use crate::reader::Reader;
use crate::request::Request;
use crate::response::Response;
use crate::route::Page;
use crate::site::{Asked, RETRY_SECONDS, Received, Site};
use crate::span::Span;

/// The most monitors of which a page is kept at a time.
const MAX_KEPT: usize = 100;
/// How long the public waits after a failure until the table is asked again, as [`Site::unreadable`] says it.
const PAUSE: SignedDuration = SignedDuration::from_secs(RETRY_SECONDS);

/// The pages, and what was read for them of late.
pub struct Pages<R> {
    site: Site,
    reader: R,
    keep: SignedDuration,
    // What is asked by those within of a monitor that is not there costs no more than this.
    ids: Mutex<Kept<(), BTreeSet<MonitorId>>>,
    // Held while something is read: who comes meanwhile waits for that, and does not read it again.
    overviews: Mutex<Overviews>,
    monitors: Mutex<Kept<(MonitorId, Span), Option<MonitorPage>>>,
}

/// The overviews that were read, and when the public's could not be.
#[derive(Default)]
struct Overviews {
    kept: Kept<Audience, Overview>,
    failed: Option<Timestamp>,
}

/// Why nothing is shown: the table could not be read, now or a moment ago.
enum Unread<E> {
    Now(E),
    Before,
}

impl<E> From<E> for Unread<E> {
    fn from(error: E) -> Self {
        Self::Now(error)
    }
}

/// What was read, and when.
type Kept<K, V> = BTreeMap<K, (Timestamp, Arc<V>)>;

/// An answer.
#[derive(Debug)]
pub struct Answered<E> {
    /// The response.
    pub response: Response,
    /// Why it shows nothing, where it could not be read; told once, and not by each that comes meanwhile.
    pub error: Option<E>,
}

impl<R: Reader> Pages<R> {
    /// Pages of this site; what was read is shown for as long as `keep`.
    pub fn new(site: Site, reader: R, keep: SignedDuration) -> Self {
        Self {
            site,
            reader,
            keep,
            ids: Mutex::default(),
            overviews: Mutex::default(),
            monitors: Mutex::default(),
        }
    }

    /// Answers a request.
    pub async fn answer(&self, request: &Request, now: Timestamp) -> Answered<R::Error> {
        let asked = match self.site.receive(request, now) {
            Received::Asked(asked) => asked,
            Received::Answer(response) => {
                return Answered {
                    response,
                    error: None,
                };
            }
        };
        match self.respond(&asked, now).await {
            Ok(response) => Answered {
                response,
                error: None,
            },
            Err(unread) => Answered {
                response: self.site.unreadable(),
                error: match unread {
                    Unread::Now(error) => Some(error),
                    Unread::Before => None,
                },
            },
        }
    }

    async fn respond(&self, asked: &Asked, now: Timestamp) -> Result<Response, Unread<R::Error>> {
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
                site.nothing_here()
            }
            Page::Feed(feed) => site.feed(audience, feed, &*self.read_overview(audience, now).await?),
        })
    }

    /// Whether there is a monitor of this id, by the definitions alone.
    async fn is_defined(&self, id: &MonitorId, now: Timestamp) -> Result<bool, R::Error> {
        let mut kept = self.ids.lock().await;
        if let Some(ids) = self.fresh(&kept, &(), now) {
            return Ok(ids.contains(id));
        }
        let ids = Arc::new(self.reader.ids().await?);
        kept.insert((), (now, Arc::clone(&ids)));
        Ok(ids.contains(id))
    }

    async fn read_overview(
        &self,
        audience: Audience,
        now: Timestamp,
    ) -> Result<Arc<Overview>, Unread<R::Error>> {
        let mut overviews = self.overviews.lock().await;
        if let Some(fresh) = self.fresh(&overviews.kept, &audience, now) {
            return Ok(fresh);
        }
        let is_public = audience == Audience::Public;
        if is_public && overviews.failed.is_some_and(|at| is_within(PAUSE, at, now)) {
            return Err(Unread::Before);
        }
        // There is no room for two.
        overviews.kept.remove(&audience);
        let read = self.reader.overview(audience, now).await;
        if is_public {
            overviews.failed = read.is_err().then_some(now);
        }
        let read = Arc::new(read?);
        overviews.kept.insert(audience, (now, Arc::clone(&read)));
        Ok(read)
    }

    async fn read_monitor(
        &self,
        audience: Audience,
        id: &MonitorId,
        span: Span,
        now: Timestamp,
    ) -> Result<Arc<Option<MonitorPage>>, Unread<R::Error>> {
        if audience == Audience::Public {
            let all = self.read_overview(audience, now).await?;
            return Ok(Arc::new(all.page_of(id)));
        }
        if !self.is_defined(id, now).await? {
            return Ok(Arc::new(None));
        }
        let mut kept = self.monitors.lock().await;
        let key = (id.clone(), span);
        if let Some(fresh) = self.fresh(&kept, &key, now) {
            return Ok(fresh);
        }
        let read = Arc::new(self.reader.monitor(audience, id, span.first(now), now).await?);
        kept.retain(|_, (at, _)| self.is_fresh(*at, now));
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(key, (now, Arc::clone(&read)));
        Ok(read)
    }

    fn fresh<K: Ord, V>(&self, kept: &Kept<K, V>, key: &K, now: Timestamp) -> Option<Arc<V>> {
        let (at, value) = kept.get(key)?;
        self.is_fresh(*at, now).then(|| Arc::clone(value))
    }

    fn is_fresh(&self, at: Timestamp, now: Timestamp) -> bool {
        is_within(self.keep, at, now)
    }
}

/// Whether something is no older than that. A clock that was set back makes nothing fresh for longer.
fn is_within(most: SignedDuration, at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    !age.is_negative() && age < most
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

    /// Counts what it is asked, and answers when it may.
    struct Counting {
        reads: AtomicUsize,
        /// Of definitions alone.
        id_reads: AtomicUsize,
        may: Semaphore,
    }

    impl Counting {
        async fn read(&self) -> Result<(), &'static str> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            self.may
                .acquire()
                .await
                .map_err(|_| "the table is gone")?
                .forget();
            Ok(())
        }
    }

    /// The monitors that there are.
    fn defined() -> impl Iterator<Item = MonitorId> {
        (0..3 * MAX_KEPT).map(|number| format!("m{number}").parse().unwrap())
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

    impl Reader for Arc<Counting> {
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
            may: Semaphore::new(permits),
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
    async fn who_comes_while_it_is_read_waits_for_that() {
        let (counting, pages) = pages(0);
        let (overview, incidents) = (get("/"), get("/incidents"));
        let (first, second, ()) = tokio::join!(
            pages.answer(&overview, at(0)),
            pages.answer(&incidents, at(0)),
            async { counting.may.add_permits(1) }
        );
        assert_eq!((first.response.status, second.response.status), (200, 200));
        assert_eq!(counting.reads.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_was_read_is_shown_for_a_while_and_no_longer() {
        let (counting, pages) = pages(100);
        let mut reads = Vec::new();
        for second in [0, 9, 10, 19, 3] {
            pages.answer(&get("/"), at(second)).await;
            reads.push(counting.reads.load(Ordering::SeqCst));
        }
        assert_eq!(reads, [1, 1, 2, 2, 3]);
    }

    #[tokio::test]
    async fn all_that_the_public_asks_for_is_read_once_for_as_long_as_it_is_shown() {
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
        assert_eq!(counting.reads.load(Ordering::SeqCst), 2, "no longer than that");
    }

    #[tokio::test]
    async fn monitors_are_kept_one_by_one_and_not_without_end() {
        let (counting, pages) = pages_for(Access::Loopback, 1_000);
        for _ in 0..2 {
            for id in ["m0", "m1"] {
                let answered = pages.answer(&get(&format!("/monitors/{id}")), at(0)).await;
                assert_eq!(answered.response.status, 404);
            }
        }
        assert_eq!(counting.reads.load(Ordering::SeqCst), 2);
        for number in 0..3 * MAX_KEPT {
            pages.answer(&get(&format!("/monitors/m{number}")), at(0)).await;
        }
        assert!(pages.monitors.lock().await.len() <= MAX_KEPT);
    }

    #[tokio::test]
    async fn further_back_is_read_anew_where_more_is_shown() {
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
            "for people and programs once"
        );
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_said_and_tried_again_by_the_public_not_at_once() {
        for (access, most) in [(Access::Loopback, [1, 2, 3, 4]), (Access::Public, [1, 1, 2, 2])] {
            let (counting, pages) = pages_for(access, 0);
            counting.may.close();
            let mut notified = 0;
            for (second, reads) in [0, RETRY_SECONDS - 1, RETRY_SECONDS, RETRY_SECONDS + 1]
                .into_iter()
                .zip(most)
            {
                let answered = pages.answer(&get("/"), at(second)).await;
                assert_eq!(answered.response.status, 503);
                assert!(!answered.response.body.contains("gone"));
                notified += usize::from(answered.error == Some("the table is gone"));
                assert_eq!(counting.reads.load(Ordering::SeqCst), reads);
            }
            assert_eq!(notified, most[3], "each failure is told once");
            // What needs no table needs none.
            assert_eq!(pages.answer(&get("/nothing"), at(0)).await.response.status, 404);
        }
    }

    #[tokio::test]
    async fn a_monitor_that_is_not_there_costs_one_reading_of_the_definitions_however_often_it_is_asked_for()
    {
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
            "new ones are found in time"
        );
    }
}
