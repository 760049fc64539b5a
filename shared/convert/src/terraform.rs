//! Terraform: the resources of a state that listen on a port, from `terraform show -json`.
//!
//! Source: <https://developer.hashicorp.com/terraform/internals/json-format#state-representation>

mod aws;
mod azure;
mod google;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::draft::Draft;
use crate::note::Note;
use crate::services::tier_of;
use crate::source_fields::text_of;
use crate::{Extracted, Format, ImportError};

/// A resource of a state.
struct Resource<'a> {
    address: &'a str,
    kind: &'a str,
    values: &'a Value,
}

impl<'a> Resource<'a> {
    /// A text that is not empty.
    fn text(&self, field: &str) -> Option<&'a str> {
        self.values.get(field)?.as_str().filter(|text| !text.is_empty())
    }

    fn number(&self, field: &str) -> Option<u16> {
        u16::try_from(self.values.get(field)?.as_u64()?)
            .ok()
            .filter(|port| *port > 0)
    }

    fn switch(&self, field: &str) -> bool {
        self.values.get(field).and_then(Value::as_bool) == Some(true)
    }

    /// The maps in a list.
    fn blocks(&self, field: &str) -> &'a [Value] {
        self.values
            .get(field)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

/// A port of a resource.
struct Endpoint {
    host: String,
    port: u16,
    /// The service; without it, the port is checked with a connect.
    service: Option<&'static str>,
    /// `true`, `false` or `starttls`; the default of the service without it.
    tls: Option<Value>,
    is_private: bool,
    /// What is not known of the resource, or not checked.
    remark: Option<&'static str>,
}

impl Endpoint {
    fn new(host: &str, port: u16, service: Option<&'static str>) -> Self {
        Self {
            host: host.to_owned(),
            port,
            service,
            tls: None,
            is_private: false,
            remark: None,
        }
    }
}

/// What a resource is to a monitor.
enum Listens {
    /// On these ports.
    On(Vec<Endpoint>),
    /// Its address is not in the state.
    Unknown(&'static str),
    /// The resource has no port of its own.
    NotAtAll,
}

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Extracted, ImportError> {
    let mut read = Extracted::default();
    for (name, value) in &sources {
        let root = value
            .get("values")
            .and_then(|values| values.get("root_module"))
            .or_else(|| {
                value
                    .get("planned_values")
                    .and_then(|values| values.get("root_module"))
            });
        let root = root.ok_or_else(|| ImportError::Foreign {
            name: (*name).to_owned(),
            format: Format::Terraform,
            problem: "`values.root_module` is missing: write the file with `terraform show -json`",
        })?;
        let mut resources = Vec::new();
        collect(root, &mut resources, 0);
        let mut others = BTreeSet::new();
        for resource in &resources {
            let listens = match resource.kind.split('_').next() {
                Some("aws") => aws::listens(resource, &resources),
                Some("google") => google::listens(resource),
                Some("azurerm") => azure::listens(resource),
                _ => Listens::NotAtAll,
            };
            match listens {
                Listens::On(endpoints) => add(resource, endpoints, &mut read),
                Listens::Unknown(reason) => {
                    read.found += 1;
                    read.notes.push(Note::lost(resource.address, "", reason));
                }
                // A listener is a port of its load balancer.
                Listens::NotAtAll if resource.kind.ends_with("lb_listener") => {}
                Listens::NotAtAll => drop(others.insert(resource.kind)),
            }
        }
        for kind in &others {
            let reason = "Resources of these types have no port of their own, or are not known.";
            read.notes.push(Note::not_needed(kind, "type", reason));
        }
    }
    Ok(read)
}

/// The managed resources of a module and its modules.
fn collect<'a>(module: &'a Value, resources: &mut Vec<Resource<'a>>, depth: usize) {
    const MAX_DEPTH: usize = 32;
    let list = |field: &str| module.get(field).and_then(Value::as_array).into_iter().flatten();
    for resource in list("resources") {
        let text = |field: &str| resource.get(field).and_then(Value::as_str);
        if let (Some(address), Some(kind), Some(values)) =
            (text("address"), text("type"), resource.get("values"))
            && text("mode") != Some("data")
        {
            resources.push(Resource {
                address,
                kind,
                values,
            });
        }
    }
    if depth < MAX_DEPTH {
        for child in list("child_modules") {
            collect(child, resources, depth + 1);
        }
    }
}

/// Adds a draft for each port, with the tags of the resource and a proposed tier.
fn add(resource: &Resource<'_>, endpoints: Vec<Endpoint>, read: &mut Extracted) {
    let is_alone = endpoints.len() == 1;
    for endpoint in endpoints {
        read.found += 1;
        // The type and the name without the module would not be unique.
        let name = if is_alone {
            resource.address.to_owned()
        } else {
            format!("{} {}", resource.address, endpoint.port)
        };
        let mut draft = Draft::new(&name, &name);
        draft.set("host", endpoint.host);
        draft.set("port", endpoint.port);
        if let Some(service) = endpoint.service {
            draft.set("service", service);
        }
        if let Some(tls) = endpoint.tls {
            draft.set("tls", tls);
        }
        let mut environment = None;
        for (key, value) in tags_of(resource).into_iter().flatten() {
            let Some(value) = text_of(value) else { continue };
            if matches!(key.to_ascii_lowercase().as_str(), "env" | "environment" | "stage") {
                environment = Some(value.clone());
            }
            draft.label("tags.", key, &value);
        }
        draft.set("tier", tier_of(environment.as_deref()));
        if endpoint.is_private {
            draft.changed(
                "network",
                "The address is private: only a checker in its network, or an agent, reaches it.",
            );
        }
        if let Some(remark) = endpoint.remark {
            draft.changed("check", remark);
        }
        read.drafts.push(draft);
    }
}

/// The tags of a resource; Google's databases have them in a block.
fn tags_of<'a>(resource: &Resource<'a>) -> Option<&'a Map<String, Value>> {
    let blocks = [resource.values].into_iter().chain(resource.blocks("settings"));
    let fields = ["tags_all", "tags", "labels", "user_labels"];
    blocks
        .flat_map(|block| fields.map(|field| block.get(field)?.as_object()))
        .flatten()
        .find(|tags| !tags.is_empty())
}

/// `host:port`, with a default port.
fn host_and_port(text: &str, default: u16) -> Option<(String, u16)> {
    let address = crate::address::Address::parse(text)?;
    Some((address.host, address.port.unwrap_or(default)))
}
