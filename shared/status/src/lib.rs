//! The status page: turns a request and the state of the monitors into a response. Pages are HTML and work without a
//! script; charts are inline SVG.
//!
//! [`Site`] does no I/O: it returns the page to read for, and renders the page from the data and the time it is given.
//! [`Pages`] reads the data and caches it for a short time. Neither depends on sockets, clocks or AWS.

mod access;
mod action;
mod asset;
mod chart;
mod display;
mod feed;
mod negotiate;
mod page;
mod page_config;
mod pages;
mod reader;
mod request;
mod response;
mod route;
mod site;
mod span;
mod writer;

pub use access::{Access, FormSecret, ShortToken, Token, network};
pub use action::Action;
pub use feed::Feed;
pub use page::report::report_html;
pub use page_config::{Announcement, Link, MAX_PAGE_CONFIG_BYTES, PageConfig};
pub use pages::{Answer, Pages, ReadOnly};
pub use reader::PageReader;
pub use request::{Initiator, MAX_BODY_BYTES, Request, Signature, Transport};
pub use response::{CachePolicy, ContentType, Response};
pub use route::{Grouping, IncidentSelection, Page, ReportFormat, Selection};
pub use site::{PageRequest, Received, Site};
pub use span::Span;
pub use writer::PageWriter;
