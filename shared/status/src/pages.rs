//! Answers requests from cached data, and performs the actions of readers.

mod cached_reader;

use jiff::{SignedDuration, Timestamp};
use portpulse_core::group_state::IncidentId;
use portpulse_core::id::MonitorId;
use portpulse_history::report::Month;
use portpulse_history::view::Audience;

use crate::action::Action;
use crate::feed::Feed;
use crate::reader::PageReader;
use crate::request::Request;
use crate::response::Response;
use crate::route::Page;
use crate::site::{PageRequest, Received, Site};
use crate::writer::PageWriter;
use cached_reader::{CachedReader, ReadFailure};

/// No actions: the pages only read.
#[derive(Debug, Clone, Copy)]
pub struct ReadOnly<E>(std::marker::PhantomData<E>);

impl<E> PageWriter for ReadOnly<E> {
    type Error = E;

    async fn perform(&self, _: &MonitorId, _: &[IncidentId], _: &Action, _: Timestamp) -> Result<bool, E> {
        Ok(false)
    }
}

/// The pages, with a cache of the data that they show.
pub struct Pages<R: PageReader, W = ReadOnly<<R as PageReader>::Error>> {
    site: Site,
    reader: CachedReader<R>,
    writer: W,
}

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
        Self::with_writer(site, reader, ReadOnly(std::marker::PhantomData), max_age)
    }
}

impl<R: PageReader, W: PageWriter<Error = R::Error>> Pages<R, W> {
    /// Creates the pages of `site`, whose actions `writer` performs. Data is cached for `max_age`.
    pub fn with_writer(site: Site, reader: R, writer: W, max_age: SignedDuration) -> Self {
        Self {
            site,
            reader: CachedReader::new(reader, max_age),
            writer,
        }
    }

    /// Answers a request.
    pub async fn answer(&self, request: &Request, now: Timestamp) -> Answer<R::Error> {
        let answered = match self.site.receive(request, now) {
            Received::Page(asked) => self.respond(&asked, now).await,
            Received::Action(id, action) => self.perform(&id, &action, now).await,
            Received::Response(response) => Ok(response),
        };
        match answered {
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

    /// Performs an action, and forgets the cached data, so that the reader sees the result.
    async fn perform(
        &self,
        id: &MonitorId,
        action: &Action,
        now: Timestamp,
    ) -> Result<Response, ReadFailure<R::Error>> {
        let performed = self.try_perform(id, action, now).await;
        self.reader.forget().await;
        performed
    }

    async fn try_perform(
        &self,
        id: &MonitorId,
        action: &Action,
        now: Timestamp,
    ) -> Result<Response, ReadFailure<R::Error>> {
        let known = self.reader.overview(Audience::Private, now).await?;
        let Some(page) = known.monitor_page(id) else {
            return Ok(self.site.not_found());
        };
        let open = page.incidents.iter().filter(|incident| incident.closed.is_none());
        let open: Vec<_> = open.map(|incident| incident.id.clone()).collect();
        match action {
            // An empty acknowledgement would replace that of the last incident.
            Action::Acknowledge(_) if open.is_empty() => return Ok(self.site.nothing_open()),
            Action::AddNote(note) if !page.incidents.iter().any(|incident| incident.id == note.incident) => {
                return Ok(self.site.not_found());
            }
            Action::Acknowledge(_) | Action::AddNote(_) | Action::Silence(_) => {}
        }
        Ok(match self.writer.perform(id, &open, action, now).await? {
            true => self.site.performed(id),
            false => self.site.conflict(),
        })
    }

    async fn respond(&self, asked: &PageRequest, now: Timestamp) -> Result<Response, ReadFailure<R::Error>> {
        let (site, reader, audience) = (&self.site, &self.reader, asked.audience);
        Ok(match &asked.page {
            Page::Overview(selection) => {
                site.overview(audience, selection, &*reader.overview(audience, now).await?)
            }
            Page::Incidents(selection) => {
                site.incidents(audience, selection, &*reader.overview(audience, now).await?)
            }
            Page::Incident(id) => site.incident(audience, id, &*reader.overview(audience, now).await?),
            Page::Monitor(id, span) => {
                let known = reader.monitor(audience, id, *span, now).await?;
                site.monitor(audience, *span, Option::as_ref(&known))
            }
            Page::Report(month, format) => {
                let month = month.unwrap_or_else(|| Month::containing(now).before());
                match reader.report(audience, month, now).await? {
                    Some(report) => site.report(audience, *format, &report),
                    None => site.not_found(),
                }
            }
            Page::Feed(Feed::Monitor(id, span)) => {
                let known = reader.monitor(audience, id, *span, now).await?;
                site.monitor_feed(audience, Option::as_ref(&known))
            }
            Page::Feed(Feed::Badge(id, _))
                if audience == Audience::Private && !reader.is_defined(id, now).await? =>
            {
                site.not_found()
            }
            Page::Feed(feed) => site.feed(audience, feed, &*reader.overview(audience, now).await?),
        })
    }
}

#[cfg(test)]
mod tests;
