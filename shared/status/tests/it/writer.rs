//! Actions of readers, from the form to the table.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use portpulse_core::control::Control;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{DecisionState, IncidentId, Track};
use portpulse_history::{Groups, ReadLimit, Reader, Scope};
use portpulse_status::{Access, Answer, FormSecret, Pages, Request, Site};
use portpulse_store::{Error, Store};
use portpulse_testkit::incident::down_since;
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::json;

use crate::sample::{attributes, now, texts};

const ID: &str = "orders-db";

struct Served {
    store: Store<MemoryTable>,
    pages: Pages<Reader<MemoryTable>, Store<MemoryTable>>,
}

impl Served {
    /// Serves a monitor without incidents.
    async fn start() -> Self {
        let table = MemoryTable::new();
        let store = Store::new(table.clone());
        let group: GroupId = "1m#0".parse().unwrap();
        let fields = json!({ "host": "db.example.com", "port": 5432, "interval": "1m" });
        let fields = fields.as_object().unwrap();
        store.put_definition(group, ID, fields).await.unwrap();
        let scope = Scope {
            groups: Groups::Known([group].into()),
            expected: ["eu-west-1".parse().unwrap()].into(),
        };
        let reader = Reader::new(table.clone(), scope, ReadLimit::default());
        let site = Site::new(Access::Loopback, 5).with_actions(FormSecret::new("a random text"));
        let pages = Pages::with_writer(site, reader, Store::new(table), SignedDuration::from_secs(10));
        Self { store, pages }
    }

    /// Opens an incident, or closes it without a record.
    async fn set_incident(&self, revision: u64, is_open: bool) -> IncidentId {
        let since = "2026-11-22T05:37:00Z".parse().unwrap();
        let incident = down_since(since);
        let id = incident.id(&ID.parse().unwrap(), Track::Health);
        let row = DecisionState {
            revision,
            incidents: is_open
                .then(|| ((ID.parse().unwrap(), Track::Health), incident))
                .into_iter()
                .collect(),
            ..DecisionState::default()
        };
        self.store
            .put_decision("1m#0".parse().unwrap(), &row)
            .await
            .unwrap();
        id
    }

    async fn ask(&self, method: Method, form: &str, at: Timestamp) -> Answer<Error> {
        let request = Request {
            method,
            path: format!("/monitors/{ID}"),
            host: Some("localhost".to_owned()),
            body: form.as_bytes().to_vec(),
            ..Request::default()
        };
        self.pages.answer(&request, at).await
    }

    /// The status and the heading of the response to a form.
    async fn post(&self, form: &str, at: Timestamp) -> (u16, String) {
        let page = self.ask(Method::GET, "", at).await.response.body;
        let token = attributes(&page, "form.action input[name=token]", "value").remove(0);
        let answer = self
            .ask(Method::POST, &format!("token={token}&by=ann&{form}"), at)
            .await;
        let heading = texts(&answer.response.body, "h1").concat();
        (answer.response.status, heading)
    }

    async fn control(&self) -> Control {
        self.store.control(&ID.parse().unwrap()).await.unwrap()
    }
}

#[tokio::test]
async fn form_is_stored_and_page_shows_it_at_once() {
    let served = Served::start().await;
    let id = served.set_incident(1, true).await;
    assert_eq!(served.post("action=acknowledge&reason=on+it", now()).await.0, 303);
    assert!(served.control().await.has_acknowledged(&id));
    assert_eq!(served.post("action=silence&hours=2", now()).await.0, 303);
    let control = served.control().await;
    assert!(
        control.is_silenced(now()) && control.has_acknowledged(&id),
        "{control:?}"
    );
    let page = served.ask(Method::GET, "", now()).await.response.body;
    assert!(page.contains("acknowledged by ann"), "{page}");
}

#[tokio::test]
async fn acknowledgement_of_closed_incident_changes_nothing() {
    let served = Served::start().await;
    let id = served.set_incident(1, true).await;
    served.post("action=acknowledge", now()).await;
    served.set_incident(2, false).await;
    let later = now() + SignedDuration::from_mins(1);
    assert_eq!(
        served.post("action=acknowledge", later).await,
        (409, "Nothing to acknowledge".to_owned())
    );
    let control = served.control().await;
    assert!(
        control.has_acknowledged(&id),
        "the earlier one is kept: {control:?}"
    );
}

#[tokio::test]
async fn note_that_is_not_stored_is_reported() {
    let served = Served::start().await;
    let id = served.set_incident(1, true).await;
    let encoded = id.to_string().replace('@', "%40").replace(':', "%3A");
    let note = |text: &str| format!("action=note&incident={encoded}&text={text}");
    assert_eq!(served.post(&note("first"), now()).await.0, 303);
    // A note of the same incident and the same time.
    assert_eq!(
        served.post(&note("second"), now()).await,
        (409, "Not changed".to_owned())
    );
    let page = served.ask(Method::GET, "", now()).await.response.body;
    assert_eq!(texts(&page, ".columns q.note"), ["first"]);
}
