//! The report of a month, on the site and as one file.

use jiff::SignedDuration;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use portpulse_history::report::{MonitorReport, Month, Report, WINDOWS, left_text, window_text};

use super::parts::as_of;
use crate::display;

/// The months that a page links to.
const MONTHS: usize = 12;

/// Renders the page: title and content.
pub(crate) fn page(report: &Report) -> (String, Markup) {
    let heading = format!("Report of {}", report.month.title());
    let current = Month::containing(report.at);
    let months = std::iter::successors(Some(current), |month| Some(month.before())).take(MONTHS);
    let main = html! {
        h1 { (heading) }
        nav .months aria-label="Month" {
            @for month in months {
                a href={ "/reports/" (month) } title=(month.title()) aria-current=[(month == report.month).then_some("true")] {
                    (month.short(current))
                }
            }
        }
        (content(report))
        p { a href={ "/reports/" (report.month) ".csv" } { "Download as CSV" } }
        (as_of(report.at))
    };
    (heading, main)
}

/// Renders the report as one document without references, to print or to send.
pub fn report_html(report: &Report) -> String {
    let heading = format!("Report of {}", report.month.title());
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (heading) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { h1 { (heading) } (content(report)) } }
        }
    };
    document.into_string()
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;color:#1b1f24}table{border-collapse:collapse;\
    font-variant-numeric:tabular-nums}th,td{text-align:left;padding:.3rem 1rem .3rem 0;border-bottom:1px solid #d8dee4;font-weight:400}\
    thead th{color:#57606a;font-size:.85rem}.quiet{color:#57606a}h1{font-size:1.5rem}@page{size:A4 landscape;margin:1.5cm}";

fn content(report: &Report) -> Markup {
    html! {
        @if report.is_incomplete {
            p .quiet { "A part of this month is missing: it has no summaries, they cannot be read, or they exceed the read limit of one request." }
        }
        @if report.monitors.is_empty() {
            p { "There are no monitors." }
        } @else {
            section {
                h2 { "Groups" }
                (table("Groups", &["Group", "Uptime", "Down"], html! {
                    @for (group, watched) in report.groups() {
                        tr {
                            th scope="row" { (group) }
                            td { (display::uptime(Some(watched))) }
                            td { (seconds(watched.down_seconds())) }
                        }
                    }
                }))
            }
            section {
                h2 { "Monitors" }
                (table("Monitors", &titles(report), html! {
                    @for monitor in &report.monitors { (row(monitor, report)) }
                }))
                p .quiet {
                    "Uptime is the share of the watched time without an outage; maintenance is neither up nor down. The worst hour, day and \
                    week are those with the most downtime, with the uptime of their watched time: one long outage lowers it more than many \
                    short ones of the same sum."
                }
            }
        }
    }
}

fn table(name: &str, titles: &[&str], rows: Markup) -> Markup {
    html! {
        div .scroll.card.report tabindex="0" role="group" aria-label=(name) {
            table {
                thead { tr { @for title in titles { th scope="col" { (title) } } } }
                tbody { (rows) }
            }
        }
    }
}

fn titles(report: &Report) -> Vec<&'static str> {
    let mut titles = vec![
        "Monitor",
        "Uptime",
        "Watched",
        "Down",
        "Outages",
        "Mean time to recovery",
        "Worst hour",
        "Worst day",
        "Worst week",
        "Maintenance",
        "Not watched",
    ];
    titles.extend(report.has_objectives().then_some("Objective"));
    titles
}

fn row(monitor: &MonitorReport, report: &Report) -> Markup {
    html! {
        tr {
            th scope="row" { (monitor.title) }
            td { (display::uptime(Some(monitor.watched))) }
            td { (seconds(monitor.watched.seconds())) }
            td { (seconds(monitor.watched.down_seconds())) }
            td { (monitor.outages) }
            td { @match monitor.mean_time_to_recovery { Some(mean) => (display::duration(mean)), None => "–" } }
            @for (worst, window) in monitor.worst.iter().zip(WINDOWS) {
                td { @match window_text(*worst, window) { Some(text) => (text), None => "–" } }
            }
            td { (seconds(monitor.watched.maintenance_seconds())) }
            td { (display::duration(monitor.unwatched)) }
            @if report.has_objectives() {
                td { @match report.objective_of(monitor) { Some((objective, left)) => { (objective) ": " (left_text(left)) }, None => "–" } }
            }
        }
    }
}

fn seconds(seconds: i64) -> String {
    display::duration(SignedDuration::from_secs(seconds))
}
