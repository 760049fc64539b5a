use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use portpulse_core::definition::About;
use portpulse_core::group_state::Status;
use portpulse_history::Detail;
use portpulse_history::report::Report;
use portpulse_history::view::{MonitorPage, MonitorView, Overview, Uptime};

use super::cached_reader::MAX_CACHED_PAGES;
use super::*;
use crate::access::Access;
use crate::site::RETRY_SECONDS;

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
        about: About::default(),
        status: Status::Up,
        since: None,
        is_flapping: false,
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

    async fn report(&self, _: Audience, month: Month, now: Timestamp) -> Result<Report, Self::Error> {
        self.read().await?;
        Ok(Report {
            month,
            at: now,
            objective: None,
            monitors: Vec::new(),
            is_incomplete: false,
        })
    }

    async fn monitor(
        &self,
        _: Audience,
        _: &MonitorId,
        _: Detail,
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
    assert!(pages.reader.monitors.lock().await.len() <= MAX_CACHED_PAGES);
}

#[tokio::test]
async fn longer_span_is_read_again() {
    let (counting, pages) = pages_for(Access::Loopback, 1_000);
    for query in ["span=24h", "span=7d"] {
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
    assert!(pages.reader.monitors.lock().await.is_empty());
    pages.answer(&get("/monitors/x1"), at(10)).await;
    assert_eq!(
        counting.id_reads.load(Ordering::SeqCst),
        2,
        "ids are read again after the cache expires"
    );
}
