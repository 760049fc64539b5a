//! The status page: from a request, and what is known of the monitors, to a response. Pages are HTML that needs no
//! script; charts are SVG within them.
//!
//! [`Site`] reads nothing and asks nobody: it says what must be read, and is handed that with the time. [`Pages`] has it
//! read, and keeps it for a moment. Neither knows anything of sockets, clocks or AWS.

mod access;
mod asset;
mod chart;
mod feed;
mod page;
mod pages;
mod reader;
mod request;
mod response;
mod route;
mod site;
mod span;
mod words;

pub use access::{Access, ShortToken, Token, Transport, network};
pub use feed::Feed;
pub use pages::{Answered, Pages};
pub use reader::Reader;
pub use request::{Initiator, MAX_BODY_BYTES, Method, Request, Signature};
pub use response::{Content, Keep, Response};
pub use route::{By, Page, Selection};
pub use site::{Asked, Received, Site};
pub use span::Span;
