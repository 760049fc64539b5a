//! The status page as a Lambda behind a function URL; and [`Pages`], which one machine serves too.

mod event;
mod pages;
mod settings;

pub use event::{BadEvent, request, response};
pub use pages::{Answered, Pages, Reader};
pub use settings::{BadSettings, ParameterName, Readers, Settings};
