//! The status page in a real browser: live updates during an outage, keyboard navigation, accessibility, and no requests
//! to other hosts.

mod devtools;

use std::path::PathBuf;

use serde_json::Value;

use crate::program::{Running, portpulse};
use crate::workspace::Workspace;
use devtools::{Browser, Scheme};

const PHONE: u32 = 390;
const DESKTOP: u32 = 1280;

/// A running program with its status page.
struct Served {
    _program: Running,
    url: String,
}

impl Served {
    fn start(args: &[&str]) -> Self {
        let mut command = portpulse();
        command.args(["local", "--listen", "127.0.0.1:0"]).args(args);
        let program = Running::start(&mut command);
        let url = program.page();
        Self {
            _program: program,
            url,
        }
    }

    fn page(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// The violations that axe-core finds, with the affected element.
fn violations(browser: &mut Browser) -> Vec<String> {
    let home = std::env::var("PORTPULSE_BROWSER_HOME").map(PathBuf::from);
    let folder = home
        .unwrap_or_else(|_| PathBuf::from(std::env::var("HOME").unwrap()).join(".cache/portpulse-browser"));
    let axe = std::fs::read_to_string(folder.join("axe.min.js"))
        .unwrap_or_else(|error| panic!("axe-core is not installed, run .ci/browser: {error}"));
    browser.value_of(&format!("{axe}; true"));
    let found = browser.value_of(
        "axe.run().then((found) => {
           if (found.passes.every((pass) => pass.id !== 'color-contrast')) return ['color contrast was not checked'];
           return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
         })",
    );
    let texts = |found: &Value| {
        found
            .as_array()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    texts(&found)
}

/// Checks the accessibility and width of the open page in light and dark schemes, on desktop and phone; saves screenshots.
fn check_page(browser: &mut Browser, name: &str) {
    for (scheme, width, look) in [
        (Scheme::Light, DESKTOP, "light"),
        (Scheme::Dark, DESKTOP, "dark"),
        (Scheme::Light, PHONE, "phone"),
        (Scheme::Dark, PHONE, "phone-dark"),
    ] {
        browser.look(scheme, width);
        let found = violations(browser);
        assert!(found.is_empty(), "{name}, {look}: {found:#?}");
        let overflows = browser.value_of("document.documentElement.scrollWidth > innerWidth");
        assert_eq!(
            overflows, false,
            "{name}, {look}: the page is wider than the screen"
        );
        browser.screenshot(&format!("{name}-{look}"));
    }
    browser.look(Scheme::Light, DESKTOP);
}

/// Asserts that the console is empty and that all requests went to the status page.
fn assert_clean(browser: &Browser, served: &Served) {
    let messages = browser.console_messages();
    assert!(messages.is_empty(), "{messages:#?}");
    let requests = browser.requests();
    assert!(requests.len() > 3, "{requests:?}");
    let foreign: Vec<_> = requests
        .iter()
        .filter(|url| !url.starts_with(&served.url))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

/// The text of the tooltip, if one is shown.
const TOOLTIP: &str = "document.querySelector('.tooltip')?.textContent ?? ''";

#[test]
#[ignore = "needs Chromium and axe-core: run .ci/browser first"]
fn bars_and_charts_have_tooltips_by_pointer_and_keyboard() {
    let mut browser = Browser::start("tooltips");
    let served = Served::start(&["--demo"]);
    browser.look(Scheme::Light, DESKTOP);
    browser.open(&served.url);
    browser.until(&shows("refused", "down"));
    browser.until("document.querySelector('.strip')?.dataset.bars.split(' ').pop() === '0'");
    browser.value_of("document.querySelector('#live').click()");
    let box_of = "(() => { const box = document.querySelector('.strip').getBoundingClientRect();
        return [box.right - 1, box.top + 5]; })()";
    let at = browser.value_of(box_of);
    browser.move_pointer(&at[0], &at[1]);
    let tip = browser.value_of(TOOLTIP);
    assert!(
        tip.as_str().unwrap().starts_with("20") && tip.as_str().unwrap().ends_with(": 0 % up"),
        "{tip}"
    );
    // The arrow keys move on from there.
    browser.value_of("document.querySelector('a.history').focus()");
    browser.press("ArrowLeft");
    let tip = browser.value_of(TOOLTIP);
    assert!(tip.as_str().unwrap().ends_with(": not watched"), "{tip}");
    browser.press("Escape");
    assert_eq!(browser.value_of(TOOLTIP), "");
    browser.open(&served.page("monitors/healthy"));
    browser.until("document.querySelectorAll('.compare .tip').length > 0");
    browser.value_of("document.querySelector('.compare').focus()");
    browser.press("ArrowLeft");
    let tip = browser.value_of(TOOLTIP);
    // The time of a check over loopback, however busy the machine is.
    let (_, time) = tip.as_str().unwrap().split_once("UTC: local ").expect("a time");
    assert!(
        time.trim_end_matches(" s")
            .trim_end_matches(" ms")
            .parse::<f64>()
            .is_ok(),
        "{tip}"
    );
    assert_clean(&browser, &served);
}

#[test]
#[ignore = "needs Chromium and axe-core: run .ci/browser first"]
fn page_says_that_it_is_old_when_the_server_is_gone() {
    let mut browser = Browser::start("stale");
    let served = Served::start(&["--demo"]);
    browser.look(Scheme::Light, DESKTOP);
    browser.open(&served.url);
    browser.until("document.querySelector('#live').dataset.age === 'fresh'");
    drop(served);
    browser.until("document.querySelector('#live').dataset.age === 'late'");
    browser.until("document.querySelector('#stale').textContent.includes('cannot be refreshed')");
    assert_eq!(browser.value_of("document.querySelector('#stale').hidden"), false);
    assert_eq!(
        browser.value_of("document.querySelector('#live').dataset.age"),
        "lost"
    );
    browser.screenshot("stale");
}

#[test]
#[ignore = "needs Chromium and axe-core: run .ci/browser first"]
fn refresh_goes_on_while_a_search_has_the_focus() {
    let mut browser = Browser::start("search");
    let served = Served::start(&["--demo"]);
    browser.look(Scheme::Light, DESKTOP);
    browser.open(&served.url);
    browser.until("document.querySelector('input[name=q]')");
    browser.value_of("document.querySelector('input[name=q]').focus()");
    browser.write("hea");
    browser.until(&shows("dies-and-returns", "down"));
    assert_eq!(browser.focused(), "q");
    assert_eq!(browser.value_of("document.activeElement.value"), "hea");
    assert_clean(&browser, &served);
}

/// A condition: the overview shows a monitor with this status.
fn shows(monitor: &str, status: &str) -> String {
    format!(
        "[...document.querySelectorAll('.monitor')].some((row) =>
           row.querySelector('.name')?.textContent === '{monitor}' && row.querySelector('.badge.{status}'))"
    )
}

#[test]
#[ignore = "needs Chromium and axe-core: run .ci/browser first"]
fn outage_of_the_demo_appears_and_closes_live() {
    let mut browser = Browser::start("demo");
    let served = Served::start(&["--demo", "--locations", "east,west"]);
    browser.look(Scheme::Light, DESKTOP);
    browser.open(&served.url);
    // The open page refreshes itself.
    browser.until(&shows("dies-and-returns", "up"));
    browser.until(&shows("dies-and-returns", "down"));
    // Charts show data before the first hour is complete.
    browser.open(&served.page("monitors/healthy"));
    let lines = "[...document.querySelectorAll('figure')].map((figure) =>
        [...figure.querySelectorAll('.phase')].map((phase) =>
          `${phase.textContent}: ${phase.nextElementSibling.querySelector('path.p50').getAttribute('d') !== ''}`
        ).join()).join(';')";
    browser.until(&format!(
        "{lines} === 'total: true,connect: true,answer: true;total: true,connect: true,answer: true'"
    ));
    check_page(&mut browser, "phases");
    browser.open(&served.page("incidents"));
    let open = "[...document.querySelectorAll('.incident .name')].some((name) => name.textContent === 'dies-and-returns')";
    assert_eq!(browser.value_of(open), true);
    check_page(&mut browser, "incidents");
    browser.open(&served.url);
    check_page(&mut browser, "overview");
    browser.until(&shows("dies-and-returns", "up"));
    let closed = "[...document.querySelectorAll('.incident')].some((incident) => incident.textContent.includes('recovered'))";
    browser.open(&served.page("incidents"));
    browser.until(closed);
    browser.open(&served.page("monitors/dies-and-returns"));
    // One band per location and incident; on a slow machine the next outage of the demo may have started.
    let bands =
        "(incidents => incidents > 0 && document.querySelectorAll('figure rect.band.down').length === 2 * incidents)
        (document.querySelectorAll('.incident').length)";
    assert_eq!(browser.value_of(bands), true);
    check_page(&mut browser, "monitor");
    // The link of the incident leads to its page, which has all that happened.
    let details = "document.querySelector('.incident .permalink').click()";
    browser.after_loading(|browser| {
        browser.value_of(details);
    });
    let path = "location.pathname.startsWith('/incidents/dies-and-returns@')";
    assert_eq!(browser.value_of(path), true);
    let entries = "[...document.querySelectorAll('.timeline .what')].map((what) => what.textContent).join()";
    let entries = browser.value_of(entries);
    assert!(
        entries
            .as_str()
            .unwrap()
            .starts_with("opened: quorum reached,notified"),
        "{entries}"
    );
    check_page(&mut browser, "incident");
    let month = browser.value_of("new Date().toISOString().slice(0, 7)");
    browser.open(&served.page(&format!("reports/{}", month.as_str().unwrap())));
    check_page(&mut browser, "report");
    assert_clean(&browser, &served);
}

#[test]
#[ignore = "needs Chromium and axe-core: run .ci/browser first"]
fn public_page_shows_status_only() {
    let mut browser = Browser::start("public");
    let served = Served::start(&["--demo", "--public", "--announce-maintenance"]);
    browser.look(Scheme::Light, DESKTOP);
    browser.open(&served.url);
    browser.until(&shows("refused", "down"));
    let text = browser.value_of("document.querySelector('main').textContent");
    let text = text.as_str().unwrap();
    assert!(text.contains("outage") && !text.contains("127.0.0.1"), "{text}");
    check_page(&mut browser, "public");
    assert_clean(&browser, &served);
}

#[test]
#[ignore = "needs Chromium and axe-core: run .ci/browser first"]
fn all_pages_are_reachable_by_keyboard() {
    let mut browser = Browser::start("keyboard");
    let served = Served::start(&["--demo"]);
    browser.open(&served.url);
    browser.until(&shows("refused", "down"));
    // Refreshes must not move the focus.
    let mut focused = Vec::new();
    for _ in 0..6 {
        browser.press("Tab");
        focused.push(browser.focused());
    }
    // The age of the page follows.
    focused[5].truncate("Updated".len());
    assert_eq!(
        focused,
        [
            "Skip to content",
            "Portpulse",
            "Monitors",
            "Incidents",
            "Reports",
            "Updated"
        ]
    );
    browser.press(" ");
    assert_eq!(
        browser.value_of("document.getElementById('live').ariaPressed"),
        "false"
    );
    // The faults stand before the search.
    let mut before = 0;
    while browser.focused() != "q" {
        browser.press("Tab");
        before += 1;
        assert!(before < 20, "the search cannot be reached");
    }
    assert!(before > 1, "no fault stands before the search");
    browser.write("refus");
    browser.after_loading(|browser| browser.press("Enter"));
    assert_eq!(
        browser.value_of(
            "[...document.querySelectorAll('.monitor .name')].map((name) => name.textContent).join()"
        ),
        "refused"
    );
    assert_eq!(
        browser.value_of("document.getElementById('live').ariaPressed"),
        "false",
        "live updates stay off"
    );
    // Skips the menu to reach the monitor.
    browser.press("Tab");
    browser.press("Enter");
    assert_eq!(
        browser.value_of("document.activeElement.id"),
        "main",
        "the menu was skipped"
    );
    let mut tabs = 0;
    while browser.focused() != "refused" {
        browser.press("Tab");
        tabs += 1;
        assert!(tabs < 10, "the monitor cannot be reached");
    }
    let outline = browser.value_of("getComputedStyle(document.activeElement).outlineStyle");
    assert_ne!(outline, "none", "the focus must be visible");
    browser.after_loading(|browser| browser.press("Enter"));
    assert_eq!(browser.value_of("location.pathname"), "/monitors/refused");
    assert_clean(&browser, &served);
}

#[test]
#[ignore = "needs Chromium and axe-core: run .ci/browser first"]
fn private_page_requires_the_token_once() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let workspace = Workspace::new("private-page");
    let file = workspace.0.join("token");
    std::fs::write(&file, TOKEN).unwrap();
    let file = file.to_str().unwrap();
    let mut browser = Browser::start("private");
    let served = Served::start(&["--demo", "--token-file", file]);
    browser.open(&served.url);
    assert_eq!(browser.value_of("location.pathname"), "/sign-in");
    check_page(&mut browser, "sign-in");
    for (token, path) in [("wrong", "/sign-in"), (TOKEN, "/")] {
        browser.value_of("document.getElementById('token').focus()");
        browser.write(token);
        browser.after_loading(|browser| browser.press("Enter"));
        assert_eq!(browser.value_of("location.pathname"), path);
    }
    browser.open(&served.page("monitors/healthy"));
    assert_eq!(
        browser.value_of("document.querySelector('h1').textContent"),
        "healthy"
    );
    assert_eq!(
        browser.value_of("document.cookie"),
        "",
        "the session cookie must be HttpOnly"
    );
    let sign_out = "document.querySelector('form[action=\"/sign-out\"] button').click()";
    browser.after_loading(|browser| {
        browser.value_of(sign_out);
    });
    browser.open(&served.url);
    assert_eq!(browser.value_of("location.pathname"), "/sign-in");
}

#[test]
#[ignore = "needs Chromium and axe-core: run .ci/browser first"]
fn local_time_is_shown_beside_utc() {
    let mut browser = Browser::start("zone");
    let served = Served::start(&["--demo"]);
    browser.look(Scheme::Light, DESKTOP);
    // UTC+9 all year.
    browser.set_time_zone("Asia/Tokyo");
    for page in ["", "monitors/healthy", "incidents"] {
        browser.open(&served.page(page));
        let has_local_time = "(() => {
            const time = document.querySelector('.asof time');
            const utc = new Date(time.dateTime);
            const hour = (utc.getUTCHours() + 9) % 12 || 12;
            const local = `${hour}:${String(utc.getUTCMinutes()).padStart(2, '0')}`;
            return time.firstChild.textContent.endsWith('UTC') &&
              time.querySelector('.local').textContent.includes(local);
          })()";
        assert_eq!(browser.value_of(has_local_time), true, "{page}");
        let brief = "[...document.querySelectorAll('time[data-show=brief]')].every((time) =>
            time.title.endsWith('(Asia/Tokyo)'))";
        assert_eq!(browser.value_of(brief), true, "{page}");
    }
    // The banner of a service, with its time.
    browser.open(&served.page("monitors/healthy"));
    browser.until("document.querySelector('td.service-text')?.textContent.includes('demo service')");
    check_page(&mut browser, "banners");
    assert_clean(&browser, &served);
}
