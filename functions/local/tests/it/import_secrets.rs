//! Secrets in imported files are in no output of the program, however much it logs.

use std::fs;

use crate::program::{Run, portpulse};
use crate::workspace::Workspace;

/// Part of every secret in these files.
const SECRET: &str = "s3cr3t";

/// The files of each source, with a secret in each place that can have one.
const SOURCES: [(&str, &str); 11] = [
    (
        "gatus",
        r#"
security: { basic: { username: u, password-bcrypt-base64: s3cr3t00 } }
storage: { type: postgres, path: "postgres://u:s3cr3t01@db.example.net/gatus" }
remote: { instances: [{ endpoint-prefix: x, url: "https://u:s3cr3t02@r.example.net" }] }
alerting: { slack: { webhook-url: "https://hooks.example.net/s3cr3t03" }, pagerduty: { integration-key: s3cr3t04, overrides: [{ group: x, integration-key: s3cr3t05 }] } }
endpoints:
  - { name: a, url: "https://user:s3cr3t06@a.example.net/x?token=s3cr3t07&page=1", headers: { Authorization: "Bearer s3cr3t08", X-Api-Key: s3cr3t09, Cookie: "sid=s3cr3t10" },
      body: "password=s3cr3t11", client: { oauth2: { client-id: u, client-secret: s3cr3t12 }, proxy-url: "http://u:s3cr3t13@p.example.net", identity-aware-proxy: { audience: s3cr3t14 } },
      conditions: ["[STATUS] == 200", "[BODY].token == s3cr3t15", "[BODY].user.password == pat(*s3cr3t16*)"] }
  - { name: b, url: "ssh://b.example.net:22", ssh: { username: u, password: s3cr3t17, private-key: s3cr3t18 }, conditions: ["[CONNECTED] == true"] }
  - { name: c, url: "https://c.example.net/", graphql: true, body: '{"apiKey": "s3cr3t19"}', alerts: [{ type: slack, provider-override: { webhook-url: "https://x/s3cr3t20" } }], conditions: ["[STATUS] == 200"] }
  - { name: e, url: "https://e.example.net/${API_TOKEN}", headers: { X-Team: "${API_TOKEN}" }, conditions: ["[STATUS] == 200"] }
  - { name: d, url: "sctp://u:s3cr3t21@d.example.net:1", conditions: ["[CONNECTED] == true"] }
"#,
    ),
    (
        "uptime-kuma",
        r#"{ "notificationList": [{ "config": "{\"webhookURL\": \"https://x/s3cr3t00\"}" }], "proxyList": [{ "password": "s3cr3t01" }], "monitorList": [
            { "name": "a", "type": "http", "url": "https://u:s3cr3t02@a.example.net/?apikey=s3cr3t03", "headers": "{\"X-Key\": \"s3cr3t04\", \"Authorization\": \"Basic s3cr3t05\"}",
              "body": "{\"password\": \"s3cr3t06\"}", "basic_auth_user": "u", "basic_auth_pass": "s3cr3t07", "tlsKey": "s3cr3t08", "tlsCert": "s3cr3t09", "authMethod": "basic" },
            { "name": "b", "type": "http", "url": "https://b.example.net/", "authMethod": "oauth2-cc", "oauth_client_secret": "s3cr3t10", "oauth_token_url": "https://u:s3cr3t11@t.example.net" },
            { "name": "c", "type": "mysql", "databaseConnectionString": "mysql://u:s3cr3t12/x@c.example.net:3306/d?s3cr3t13", "radiusPassword": "s3cr3t14" },
            { "name": "d", "type": "postgres", "databaseConnectionString": "postgres://u:p?s3cr3t15@d.example.net/d" },
            { "name": "e", "type": "sqlserver", "databaseConnectionString": "Server=e.example.net,1433;User Id=u;Password=s3cr3t16" },
            { "name": "f", "type": "mongodb", "databaseConnectionString": "mongodb+srv://u:s3cr3t17@f.example.net/?password=s3cr3t18" },
            { "name": "g", "type": "redis", "databaseConnectionString": "redis://:s3cr3t19@g.example.net" },
            { "name": "h", "type": "mqtt", "hostname": "mqtts://h.example.net", "port": 8883, "mqttUsername": "u", "mqttPassword": "s3cr3t20" },
            { "name": "i", "type": "push", "pushToken": "s3cr3t21" }, { "name": "j", "type": "radius", "hostname": "j.example.net", "radiusSecret": "s3cr3t22" },
            { "name": "k", "type": "grpc-keyword", "grpcUrl": "k.example.net:1", "grpcMetadata": "{\"authorization\": \"s3cr3t23\"}" },
            { "name": "l", "type": "kafka-producer", "kafkaProducerSaslOptions": { "mechanism": "plain", "password": "s3cr3t24" } }] }"#,
    ),
    (
        "prometheus",
        r#"
global: { external_labels: { token: s3cr3t00 } }
remote_write: [{ url: "https://u:s3cr3t01@w.example.net", basic_auth: { password: s3cr3t02 } }]
alerting: { alertmanagers: [{ basic_auth: { username: u, password: s3cr3t03 } }] }
modules:
  m: { prober: http, http: { basic_auth: { username: u, password: s3cr3t04 }, headers: { X-Key: s3cr3t05, Cookie: s3cr3t06 }, body: "token=s3cr3t07", proxy_url: "http://u:s3cr3t08@p" } }
  n: { prober: http, http: { bearer_token: s3cr3t09, oauth2: { client_secret: s3cr3t10 }, tls_config: { key: s3cr3t11 } } }
  o: { prober: http, http: { authorization: { type: Bearer, credentials: s3cr3t12 } } }
  p: { prober: tcp, tcp: { query_response: [{ send: "PASS s3cr3t13" }] } }
scrape_configs:
  - { job_name: j, basic_auth: { username: u, password: s3cr3t14 }, metrics_path: /probe, params: { module: [m], token: [s3cr3t15] },
      static_configs: [{ targets: ["https://u:s3cr3t16@a.example.net/?sig=s3cr3t17"], labels: { api_token: s3cr3t18 } }] }
  - { job_name: k, metrics_path: /probe, params: { module: [nowhere] }, static_configs: [{ targets: ["https://u:s3cr3t19@b.example.net/"] }] }
  - { job_name: l, metrics_path: /probe, params: { module: [n] }, static_configs: [{ targets: ["x y:s3cr3t20@:::", "https://c.example.net"] }] }
  - { job_name: o, metrics_path: /probe, params: { module: [o] }, static_configs: [{ targets: ["https://d.example.net"] }] }
  - { job_name: p, metrics_path: /probe, params: { module: [p] }, static_configs: [{ targets: ["e.example.net:1"] }] }
"#,
    ),
    (
        "uptimeflare",
        r#"{ "workerConfig": { "monitors": [
              { "id": "a", "name": "a", "method": "GET", "target": "https://u:s3cr3t00@a.example.net/?key=s3cr3t01",
                "headers": { "Authorization": "s3cr3t02" }, "body": "password=s3cr3t03", "checkProxy": "https://u:s3cr3t04@p.example.net" },
              { "id": "b", "name": "b", "method": "GET", "target": "https://b.example.net", "checkProxy": "globalping://s3cr3t05?magic=x" }],
              "notification": { "webhook": { "url": "https://x/s3cr3t06", "headers": { "Authorization": "s3cr3t07" } } }, "passwordProtection": "u:s3cr3t08" } }"#,
    ),
    (
        "upptime",
        r#"
sites:
  - { name: a, url: "https://u:s3cr3t00@a.example.net/?access_token=s3cr3t01", headers: ["Authorization: s3cr3t02", "X-Key: s3cr3t03"], body: "password=s3cr3t04" }
  - { url: "https://u:s3cr3t05@b.example.net/?token=s3cr3t06" }
PAT: s3cr3t07
notifications: [{ type: slack, token: s3cr3t08 }]
"#,
    ),
    (
        "cloudprober",
        r#"probe { name: "a" type: HTTP targets { endpoint { url: "https://u:s3cr3t00@a.example.net/?token=s3cr3t01" } }
                http_probe { header { key: "Authorization" value: "s3cr3t02" } body: "password=s3cr3t03" oauth_config { bearer_token { token_value: "s3cr3t04" } }
                  proxy_url: "http://u:s3cr3t05@p.example.net" headers { name: "Cookie" value: "s3cr3t06" } }
                alert { notify { slack_webhook_url: "https://x/s3cr3t07" pagerduty_routing_key: "s3cr3t08" } } }
           surfacer { type: POSTGRES postgres_surfacer { connection_string: "postgresql://u:s3cr3t09@db.example.net" } }"#,
    ),
    (
        "terraform-state",
        r#"{ "values": { "outputs": { "password": { "value": "s3cr3t00", "sensitive": true } }, "root_module": { "resources": [
              { "address": "aws_db_instance.a", "mode": "managed", "type": "aws_db_instance", "name": "a",
                "values": { "address": "a.example.net", "port": 5432, "engine": "postgres", "username": "u", "password": "s3cr3t01", "tags": { "env": "prod", "api_token": "s3cr3t02" } } },
              { "address": "google_sql_database_instance.b", "mode": "managed", "type": "google_sql_database_instance", "name": "b",
                "values": { "name": "b", "database_version": "POSTGRES_15", "root_password": "s3cr3t03", "public_ip_address": "203.0.113.4", "ip_address": [{ "ip_address": "203.0.113.4", "type": "PRIMARY" }] } },
              { "address": "azurerm_redis_cache.c", "mode": "managed", "type": "azurerm_redis_cache", "name": "c",
                "values": { "hostname": "c.example.net", "port": 6379, "ssl_port": 6380, "primary_access_key": "s3cr3t04", "primary_connection_string": "c.example.net:6380,password=s3cr3t05" } }] } } }"#,
    ),
    (
        "docker-compose",
        r#"services:
  a: { image: "postgres:16", ports: ["5432:5432"], environment: { POSTGRES_PASSWORD: s3cr3t00 }, labels: { token: s3cr3t01, url: "https://u:s3cr3t02@x" } }
  b: { image: "redis:7", ports: ["6379:6379"], command: ["redis-server", "--requirepass", "s3cr3t03"], healthcheck: { test: "redis-cli -a s3cr3t04 ping" } }
secrets: { x: { environment: s3cr3t05 } }
"#,
    ),
    (
        "kubernetes",
        r#"
apiVersion: v1
kind: Service
metadata: { name: a, namespace: shop, annotations: { token: s3cr3t00 }, labels: { api-token: s3cr3t01 } }
spec: { type: LoadBalancer, ports: [{ port: 5432 }] }
status: { loadBalancer: { ingress: [{ hostname: a.example.net }] } }
---
apiVersion: v1
kind: Secret
metadata: { name: b }
stringData: { password: s3cr3t02 }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: c, namespace: shop, annotations: { nginx.ingress.kubernetes.io/auth-secret: s3cr3t03 } }
spec: { rules: [{ host: c.example.net, http: { paths: [{ path: "/x?token=s3cr3t04", pathType: Prefix, backend: { service: { name: a, port: { number: 80 } } } }] } }] }
"#,
    ),
    // Files that are refused.
    (
        "gatus",
        "endpoints: [{ name: a, url: \"https://u:s3cr3t00@a.example.net\"\n  token: s3cr3t01 }: [",
    ),
    ("uptimeflare", r#"{ "password": "s3cr3t00" }"#),
];

#[test]
fn no_output_of_an_import_has_a_secret_at_the_most_verbose_level() {
    let workspace = Workspace::new("secrets");
    for (index, (from, text)) in SOURCES.into_iter().enumerate() {
        let input = workspace.0.join(format!("{index}.txt"));
        fs::write(&input, text).unwrap();
        let written = workspace.0.join(format!("{index}.yaml"));
        let (input, written) = (input.to_str().unwrap(), written.to_str().unwrap());
        // To standard output, to a file, once more over that file, and for programs.
        for more in [
            &[][..],
            &["-o", written],
            &["-o", written, "--force"],
            &["--json"],
            &["--env", "--agents", "office"],
        ] {
            let mut command = portpulse();
            command
                .args(["import", "--from", from, input])
                .args(more)
                .env("API_TOKEN", "s3cr3t-of-the-environment")
                .env("RUST_LOG", "trace")
                .env("RUST_BACKTRACE", "full");
            let found = Run::of(command.output().unwrap());
            let file = fs::read_to_string(written).unwrap_or_default();
            let shown = format!("{}{}{file}", found.out, found.err);
            assert!(!shown.contains(SECRET), "{from} {more:?}: {shown}");
            assert!(
                found.status == 2 || shown.contains("monitors:"),
                "{from} {more:?}: {shown}"
            );
        }
    }
}
