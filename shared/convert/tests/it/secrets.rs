//! Secrets in sources reach neither the definitions nor the report nor an error.

use portpulse_convert::{Format, Options, Source, import};

use crate::imported::Imported;

/// Part of every secret in these files.
const SECRET: &str = "s3cr3t";

#[test]
fn secrets_reach_neither_definitions_nor_report() {
    let files: [(Format, &str); 10] = [
        (
            Format::Gatus,
            r#"
alerting: { slack: { webhook-url: "https://hooks.example.com/s3cr3t1" }, email: { password: s3cr3t2, default-alert: { description: x } } }
endpoints:
  - name: a
    url: "https://user:s3cr3t3@a.example.com/x?token=s3cr3t4&page=1"
    headers: { Authorization: "Bearer s3cr3t5" }
    body: "password=s3cr3t6"
    client: { oauth2: { client-secret: s3cr3t7 }, proxy-url: "http://u:s3cr3t8@p" }
    conditions: ["[STATUS] == 200", "[BODY].token == s3cr3t9", "[BODY].user.password == pat(*s3cr3ta*)"]
  - { name: b, url: "ssh://b.example.com:22", ssh: { username: u, password: s3cr3tb }, conditions: ["[CONNECTED] == true"] }
"#,
        ),
        (
            Format::UptimeKuma,
            r#"{ "notificationList": [{ "config": "s3cr3t1" }], "monitorList": [
            { "name": "a", "type": "http", "url": "https://u:s3cr3t2@a.example.com/?apikey=s3cr3t3", "headers": "{\"X-Key\": \"s3cr3t4\"}",
              "body": "password=s3cr3t5", "basic_auth_pass": "s3cr3t6", "bearer_token": "s3cr3t7", "tlsKey": "s3cr3t8", "authMethod": "basic" },
            { "name": "b", "type": "mysql", "databaseConnectionString": "mysql://u:s3cr3t9/x@b.example.com:3306/d", "radiusPassword": "s3cr3ta" },
            { "name": "https://u:s3cr3tf@f.example.com/?token=s3cr3t0", "type": "port", "hostname": "f.example.com", "port": 1 },
            { "name": "Shop https://u:s3cr3tf@g.example.com/", "type": "push" },
            { "name": "e", "type": "postgres", "databaseConnectionString": "postgres://u:p?w=s3cr3td@e.example.com/d?s3cr3te" },
            { "name": "c", "type": "sqlserver", "databaseConnectionString": "Server=c.example.com,1433;Password=s3cr3tb" },
            { "name": "d", "type": "mqtt", "hostname": "mqtts://d.example.com", "port": 8883, "mqttPassword": "s3cr3tc" }] }"#,
        ),
        (
            Format::UptimeKuma,
            r#"{ "monitor": [{ "id": 1, "name": "a", "type": "redis", "database_connection_string": "redis://:s3cr3t1@a.example.com",
                "push_token": "s3cr3t2", "basic_auth_pass": "s3cr3t3", "snmp_v3_username": "x" }] }"#,
        ),
        (
            Format::Prometheus,
            r#"
modules:
  m: { prober: http, http: { basic_auth: { username: u, password: s3cr3t1 }, bearer_token: s3cr3t2, headers: { X-Key: s3cr3t3 } } }
  o: { prober: tcp, tcp: { query_response: [{ send: "AUTH s3cr3t8" }, { expect: OK }] } }
scrape_configs:
  - { job_name: o, metrics_path: /probe, params: { module: [o] }, static_configs: [{ targets: ["d.example.com:6379"], labels: { api_token: s3cr3t9 } }] }
  - { job_name: j, metrics_path: /probe, params: { module: [m] }, static_configs: [{ targets: ["https://u:s3cr3t4@a.example.com/?sig=s3cr3t5"] }] }
  - { job_name: k, metrics_path: /probe, params: { module: [nowhere] }, static_configs: [{ targets: ["https://u:s3cr3t6@b.example.com/"] }] }
  - { job_name: l, metrics_path: /probe, params: { module: [m] }, static_configs: [{ targets: ["x y:s3cr3t7@:::"] }] }
"#,
        ),
        (
            Format::UptimeFlare,
            r#"{ "workerConfig": { "monitors": [{ "id": "a", "name": "a", "method": "GET", "target": "https://u:s3cr3t1@a.example.com/?key=s3cr3t2",
              "headers": { "Authorization": "s3cr3t3" }, "body": "password=s3cr3t4" }], "notification": { "webhook": { "url": "https://x/s3cr3t5" } },
              "passwordProtection": "u:s3cr3t6" } }"#,
        ),
        (
            Format::Upptime,
            r#"
sites: [{ name: a, url: "https://u:s3cr3t1@a.example.com/?access_token=s3cr3t2", headers: ["Authorization: s3cr3t3"], body: "password=s3cr3t4" },
        { url: "https://u:s3cr3t5@b.example.com/" }]
PAT: s3cr3t6
"#,
        ),
        (
            Format::Cloudprober,
            r#"probe { name: "a" type: HTTP targets { endpoint { url: "https://u:s3cr3t1@a.example.com/?token=s3cr3t2" } }
                http_probe { header { key: "Authorization" value: "s3cr3t3" } body: "password=s3cr3t4" oauth_config { token: "s3cr3t5" } }
                alert { notify { slack { webhook_url: "https://x/s3cr3t6" } } } }"#,
        ),
        (
            Format::Terraform,
            r#"{ "values": { "root_module": { "resources": [{ "address": "aws_db_instance.a", "mode": "managed", "type": "aws_db_instance",
              "values": { "address": "a.example.com", "port": 5432, "engine": "postgres", "username": "u", "password": "s3cr3t1",
              "tags": { "env": "prod", "api_token": "s3cr3t2" } } }] } } }"#,
        ),
        (
            Format::Compose,
            r#"services: { a: { image: "postgres:16", ports: ["5432:5432"], environment: { POSTGRES_PASSWORD: s3cr3t1 } } }"#,
        ),
        (
            Format::Kubernetes,
            r#"
apiVersion: v1
kind: Service
metadata: { name: a, namespace: shop, annotations: { token: s3cr3t1 } }
spec: { type: LoadBalancer, ports: [{ port: 5432 }] }
status: { loadBalancer: { ingress: [{ hostname: a.example.com }] } }
---
apiVersion: v1
kind: Secret
metadata: { name: b }
data: { password: s3cr3t2 }
"#,
        ),
    ];
    for (format, text) in files {
        let imported = Imported::of(format, &[("file", text)]);
        assert!(imported.report.imported > 0, "{format}: {}", imported.shown());
        assert!(
            !imported.shown().contains(SECRET),
            "{format}: {}",
            imported.shown()
        );
    }
}

#[test]
fn placeholders_are_filled_only_on_request_and_never_with_secrets() {
    let text = "endpoints: [{ name: a, url: \"tcp://${HOST}:${PORT}\", conditions: [\"[CONNECTED] == true\"] },
  { name: b, url: \"https://b.example.com/${API_TOKEN}\", conditions: [\"[STATUS] == 200\"] },
  { name: c, url: \"https://c.example.com/\", interval: \"$EVERY\", conditions: [\"[BODY] == pat(*$$5*)\"] }]";
    let source = [Source { name: "f", text }];
    let environment = |name: &str| match name {
        "HOST" => Some("db.example.com".to_owned()),
        "PORT" => Some("5432".to_owned()),
        "API_TOKEN" => Some(SECRET.to_owned()),
        _ => None,
    };
    let options = Options {
        environment: Some(&environment),
        ..Options::default()
    };
    let filled = import(Format::Gatus, &source, &options).unwrap();
    let shown = format!("{}{:?}", filled.text, filled.report);
    assert!(
        filled.text.contains("host: db.example.com\n    port: 5432"),
        "{shown}"
    );
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(filled.text.contains("text: \"$5\""), "{shown}");

    let kept = import(Format::Gatus, &source, &Options::default()).unwrap();
    assert_eq!(kept.report.imported, 1, "{}", kept.text);
    let lost: Vec<String> = kept
        .report
        .lost
        .iter()
        .map(|each| format!("{} {}", each.field, each.reason))
        .collect();
    assert!(
        lost.iter()
            .any(|each| each.contains("interval") && each.contains("--env")),
        "{lost:?}"
    );
    assert!(!shown.contains('\u{fdd0}'));
}
