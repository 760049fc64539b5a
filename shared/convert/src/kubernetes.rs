//! Kubernetes: Services and Ingresses of manifests, or of `kubectl get -o json`.
//!
//! Sources: <https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/>,
//! <https://kubernetes.io/docs/reference/kubernetes-api/service-resources/ingress-v1/>

use serde_json::{Value, json};

use crate::draft::Draft;
use crate::note::Note;
use crate::secret::without_secret_parameters;
use crate::services::on_port;
use crate::source_fields::text_of;
use crate::{Extracted, Format, ImportError};

/// Kinds that hold others, and kinds without a port.
const LISTS: [&str; 3] = ["List", "ServiceList", "IngressList"];

pub(crate) fn read(sources: Vec<(&str, Value)>, host: Option<&str>) -> Result<Extracted, ImportError> {
    let mut read = Extracted::default();
    for (name, value) in sources {
        let documents = match value {
            Value::Array(documents) => documents,
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => vec![other],
        };
        let mut objects = Vec::new();
        for document in documents {
            flatten(document, &mut objects, 0);
        }
        if objects.is_empty() {
            return Err(ImportError::Foreign {
                name: name.to_owned(),
                format: Format::Kubernetes,
                problem: "it has no object with `kind`",
            });
        }
        for object in &objects {
            match object.get("kind").and_then(Value::as_str).unwrap_or_default() {
                "Service" => service(object, host, &mut read),
                "Ingress" => ingress(object, &mut read),
                "HTTPRoute" => http_route(object, &mut read),
                "Gateway" | "TCPRoute" | "TLSRoute" | "GRPCRoute" => {
                    read.found += 1;
                    let reason = "Objects of this kind of the Gateway API are not supported.";
                    read.notes.push(Note::lost(&name_of(object), "", reason));
                }
                kind => {
                    let reason = "Objects of these kinds have no port of their own.";
                    read.notes.push(Note::not_needed(kind, "kind", reason));
                }
            }
        }
    }
    Ok(read)
}

fn flatten(value: Value, objects: &mut Vec<Value>, depth: usize) {
    const MAX_DEPTH: usize = 4;
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    if kind.is_empty() || depth > MAX_DEPTH {
        return;
    }
    if LISTS.contains(&kind) {
        for item in value.get("items").and_then(Value::as_array).into_iter().flatten() {
            flatten(item.clone(), objects, depth + 1);
        }
    } else {
        objects.push(value);
    }
}

/// `namespace/name`.
fn name_of(object: &Value) -> String {
    let text = |field: &str| object.get("metadata")?.get(field)?.as_str();
    let name = text("name").unwrap_or("unnamed");
    match text("namespace") {
        Some(namespace) if namespace != "default" => format!("{namespace}/{name}"),
        _ => name.to_owned(),
    }
}

fn labels(draft: &mut Draft, object: &Value) {
    let labels = object.get("metadata").and_then(|metadata| metadata.get("labels"));
    for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
        // Labels of tools have a domain as prefix.
        let own = key.strip_prefix("app.kubernetes.io/").unwrap_or(key);
        if let Some(value) = text_of(value)
            && !own.contains('/')
            && !matches!(
                own,
                "managed-by" | "version" | "helm.sh/chart" | "pod-template-hash"
            )
        {
            draft.label("metadata.labels.", own, &value);
        }
    }
}

fn list<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    let mut value = value;
    for field in path {
        match value.get(field) {
            Some(inside) => value = inside,
            None => return &[],
        }
    }
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Where a Service is reached.
enum Reach {
    Host(String),
    Node(String),
    Cluster(String),
}

fn service(object: &Value, node: Option<&str>, read: &mut Extracted) {
    let name = name_of(object);
    let spec = object.get("spec").unwrap_or(&Value::Null);
    let text = |field: &str| {
        spec.get(field)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let kind = text("type").unwrap_or("ClusterIP");
    let ports = list(spec, &["ports"]);
    if ports.is_empty() && kind != "ExternalName" {
        read.notes
            .push(Note::not_needed(&name, "spec.ports", "The Service has no port."));
        return;
    }
    let metadata = |field: &str| object.get("metadata")?.get(field)?.as_str();
    let in_cluster = format!(
        "{}.{}.svc.cluster.local",
        metadata("name").unwrap_or("unnamed"),
        metadata("namespace").unwrap_or("default")
    );
    let reach = match kind {
        "LoadBalancer" => {
            let given = list(object, &["status", "loadBalancer", "ingress"]).iter();
            let address = given
                .filter_map(|given| given.get("hostname").or_else(|| given.get("ip"))?.as_str())
                .next()
                .or_else(|| text("loadBalancerIP"));
            match address {
                Some(address) => Reach::Host(address.to_owned()),
                None => {
                    read.found += 1;
                    let reason =
                        "The address of its load balancer is not in the file: import `kubectl get -o json`.";
                    read.notes.push(Note::lost(&name, "", reason));
                    return;
                }
            }
        }
        "NodePort" => match node {
            Some(node) => Reach::Node(node.to_owned()),
            None => {
                read.found += 1;
                let reason = "A NodePort is reached on a node: import again with --host NODE.";
                read.notes.push(Note::lost(&name, "", reason));
                return;
            }
        },
        "ExternalName" => {
            let reason = "An ExternalName is only an alias of another host.";
            read.notes.push(Note::not_needed(&name, "spec.type", reason));
            return;
        }
        _ => Reach::Cluster(in_cluster),
    };
    let is_alone = ports.len() == 1;
    for port in ports {
        read.found += 1;
        let number = |field: &str| {
            u16::try_from(port.get(field)?.as_u64()?)
                .ok()
                .filter(|port| *port > 0)
        };
        if port
            .get("protocol")
            .and_then(Value::as_str)
            .is_some_and(|protocol| protocol != "TCP")
        {
            read.notes
                .push(Note::lost(&name, "spec.ports", "Only TCP ports are checked."));
            continue;
        }
        let (host, wanted) = match &reach {
            Reach::Host(host) | Reach::Cluster(host) => (host, number("port")),
            Reach::Node(host) => (host, number("nodePort")),
        };
        let Some(wanted) = wanted else {
            read.notes.push(Note::lost(
                &name,
                "spec.ports",
                "The number of a port is not in the file.",
            ));
            continue;
        };
        let port_name = port.get("name").and_then(Value::as_str).unwrap_or_default();
        let own_name = match (is_alone, port_name) {
            (true, _) => name.clone(),
            (false, "") => format!("{name} {wanted}"),
            (false, port_name) => format!("{name} {port_name}"),
        };
        let mut draft = Draft::new(&own_name, &own_name);
        draft.set("host", host.as_str());
        draft.set("port", wanted);
        let protocol = port
            .get("appProtocol")
            .and_then(Value::as_str)
            .unwrap_or(port_name);
        let known = match protocol.to_ascii_lowercase().as_str() {
            "http" | "http-web" | "web" => Some("http"),
            "https" => Some("https"),
            _ => number("port")
                .and_then(on_port)
                .filter(|service| *service != "dns"),
        };
        if let Some(known) = known {
            draft.set("service", known);
        }
        if matches!(reach, Reach::Cluster(_)) {
            draft.changed(
                "spec.type",
                "A ClusterIP is reached only from the cluster: run an agent there.",
            );
        }
        labels(&mut draft, object);
        read.drafts.push(draft);
    }
}

fn ingress(object: &Value, read: &mut Extracted) {
    let name = name_of(object);
    let encrypted: Vec<&str> = list(object, &["spec", "tls"])
        .iter()
        .flat_map(|tls| list(tls, &["hosts"]))
        .filter_map(Value::as_str)
        .collect();
    let rules = list(object, &["spec", "rules"]);
    if rules.is_empty() {
        read.found += 1;
        read.notes
            .push(Note::lost(&name, "", "The Ingress has no rule with a host."));
    }
    for rule in rules {
        let host = rule.get("host").and_then(Value::as_str).unwrap_or_default();
        let paths = list(rule, &["http", "paths"]);
        let paths: Vec<&str> = paths
            .iter()
            .map(|path| path.get("path").and_then(Value::as_str).unwrap_or("/"))
            .collect();
        let is_encrypted = encrypted.contains(&host);
        route(object, &name, host, &paths, is_encrypted, read);
    }
}

fn http_route(object: &Value, read: &mut Extracted) {
    let name = name_of(object);
    let hosts = list(object, &["spec", "hostnames"]);
    if hosts.is_empty() {
        read.found += 1;
        read.notes
            .push(Note::lost(&name, "", "The route has no host name."));
    }
    let paths: Vec<&str> = list(object, &["spec", "rules"])
        .iter()
        .flat_map(|rule| list(rule, &["matches"]))
        .filter_map(|found| found.get("path")?.get("value")?.as_str())
        .collect();
    for host in hosts.iter().filter_map(Value::as_str) {
        route(object, &name, host, &paths, true, read);
    }
}

/// A monitor for each path of a host.
fn route(object: &Value, name: &str, host: &str, paths: &[&str], is_encrypted: bool, read: &mut Extracted) {
    if host.is_empty() || host.contains('*') {
        read.found += 1;
        read.notes
            .push(Note::lost(name, "", "The rule has no single host."));
        return;
    }
    let mut paths: Vec<&str> = paths.to_vec();
    if paths.is_empty() {
        paths.push("/");
    }
    for path in paths {
        read.found += 1;
        if path.contains(['(', '*', '^', '$']) || !path.starts_with('/') {
            let reason = "A path with an expression is no single path.";
            let (shown, _) = without_secret_parameters(path);
            read.notes
                .push(Note::lost(name, &format!("path {shown}"), reason));
            continue;
        }
        let own_name = if path == "/" {
            format!("{name} {host}")
        } else {
            format!("{name} {host}{path}")
        };
        let mut draft = Draft::new(&own_name, &own_name);
        draft.set("host", host);
        draft.set("service", if is_encrypted { "https" } else { "http" });
        draft.set_option("http", "method", json!("GET"));
        draft.set_path(path);
        labels(&mut draft, object);
        read.drafts.push(draft);
    }
}
