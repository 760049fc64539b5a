//! Small files after the shapes that people use, with what is right for each of them.

use portpulse_convert::Format;

use crate::imported::Imported;

/// A file or files, what must and must not be in the definitions, and the fields that the report must name.
struct Case {
    name: &'static str,
    format: Format,
    files: &'static [&'static str],
    contains: &'static [&'static str],
    lacks: &'static [&'static str],
    named: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "Gatus follows redirects with and without `client`",
        format: Format::Gatus,
        files: &[r#"
endpoints:
  - { name: no-client, url: "https://a.example.com/", conditions: ["[STATUS] == 200"] }
  - { name: with-client, url: "https://b.example.com/", client: { timeout: 10s }, conditions: ["[STATUS] == 200"] }
"#],
        contains: &[
            "host: a.example.com\n    service: https\n    interval: 1m\n    timeout: 10s",
            "follow: true",
        ],
        lacks: &["follow: false"],
        named: &[],
    },
    Case {
        name: "default-alert holds where an alert says nothing",
        format: Format::Gatus,
        files: &[r#"
alerting: { discord: { webhook-url: "https://x", default-alert: { failure-threshold: 5, success-threshold: 1, send-on-resolved: true } } }
endpoints: [{ name: a, url: "tcp://a.example.com:5432", conditions: ["[CONNECTED] == true"], alerts: [{ type: discord }] }]
"#],
        contains: &["failures_to_open: 5", "successes_to_close: 1"],
        lacks: &[],
        named: &["alerting.discord"],
    },
    Case {
        name: "two texts are both required",
        format: Format::Gatus,
        files: &[r#"
endpoints: [{ name: a, url: "http://a.example.com/metrics",
  conditions: ["[STATUS] == 200", "[BODY] == pat(*first words*)", "[BODY] == pat(*second words*)"] }]
"#],
        contains: &["text: \"first words\"", "body_matches: [\"second words\"]"],
        lacks: &[],
        named: &[],
    },
    Case {
        name: "conditions on JSON, texts and the response time keep their meaning",
        format: Format::Gatus,
        files: &[r#"
endpoints: [{ name: Über uns, group: Shop, url: "https://a.example.com/", method: POST, body: '{"ping":1}',
  headers: { X-Env: prod, Authorization: "Bearer ${TOKEN}" },
  conditions: ["[STATUS] == 200", "[RESPONSE_TIME] < 500", "[BODY].data[0].status == UP", "len([BODY].items) >= 2", "[BODY] != pat(*error*)"] }]
"#],
        contains: &[
            "fail_slower_than: 500ms",
            "name: \"Über uns\"",
            "group: Shop",
            "unsafe_method: true",
            "secret_headers: { Authorization: \"ssm:/portpulse/shop-ber-uns/authorization\" }",
            "body_not_matches: [error]",
        ],
        lacks: &["Bearer", "TOKEN"],
        named: &["method", "headers.Authorization"],
    },
    Case {
        name: "a condition on the connection accepts any status",
        format: Format::Gatus,
        files: &[r#"
endpoints:
  - { name: connected-only, url: "https://a.example.com/", client: { timeout: 5s }, conditions: ["[CONNECTED] == true"] }
"#],
        contains: &["status: [\"100-999\"]", "timeout: 5s"],
        lacks: &[],
        named: &[],
    },
    Case {
        name: "a port that must be shut is never expected to be open",
        format: Format::Gatus,
        files: &[r#"
endpoints: [{ name: telnet must be shut, url: "tcp://203.0.113.7:23", conditions: ["[CONNECTED] == false"] }]
"#],
        contains: &["expect: closed"],
        lacks: &[],
        named: &[],
    },
    Case {
        name: "any() of records cannot be carried",
        format: Format::Gatus,
        files: &[r#"
endpoints: [{ name: a, url: "192.0.2.53", dns: { query-name: example.com, query-type: A }, conditions: ["[BODY] == any(192.0.2.1, 192.0.2.2)"] },
  { name: b, url: "192.0.2.53", dns: { query-name: 192.0.2.9, query-type: PTR }, conditions: ["[BODY] == a.example.com."] }]
"#],
        contains: &["name: \"9.2.0.192.in-addr.arpa\"", "must: [a.example.com.]"],
        lacks: &["192.0.2.1,"],
        named: &["[BODY] == any(192.0.2.1, 192.0.2.2)"],
    },
    Case {
        name: "a text that is sent and one that is expected are a script",
        format: Format::Gatus,
        files: &[r#"
endpoints: [{ name: a, url: "tcp://a.example.com:6379", body: "PING\r\n", conditions: ["[CONNECTED] == true", "[BODY] == pat(*PONG*)"] }]
"#],
        contains: &[r#"script: [{ send: "PING\r\n" }, { expect: PONG }]"#],
        lacks: &[],
        named: &[],
    },
    Case {
        name: "YAML anchors of Gatus are followed",
        format: Format::Gatus,
        files: &[r#"
x-all: &all { interval: 5m, client: { timeout: 3s }, conditions: ["[STATUS] < 400"] }
endpoints: [{ <<: *all, name: a, url: "https://a.example.com" }]
"#],
        contains: &["interval: 5m", "timeout: 3s", "status: [\"100-399\"]"],
        lacks: &[],
        named: &[],
    },
    Case {
        name: "a connect to the port of MySQL does not block the checker",
        format: Format::Gatus,
        files: &[r#"
endpoints: [{ name: a, url: "tcp://a.example.com:3306", conditions: ["[CONNECTED] == true"] }]
"#],
        contains: &["close: quiet"],
        lacks: &["service:"],
        named: &[],
    },
    Case {
        name: "rediss is TLS",
        format: Format::UptimeKuma,
        files: &[
            r#"{ "monitorList": [{ "name": "a", "type": "redis", "interval": 60,
            "databaseConnectionString": "rediss://default:x@rd.example.com:6379" }] }"#,
        ],
        contains: &["tls: true"],
        lacks: &[],
        named: &["databaseConnectionString: user"],
    },
    Case {
        name: "a timeout of 0 is 0.8 of the interval, and is named where it is cut",
        format: Format::UptimeKuma,
        files: &[
            r#"{ "monitorList": [{ "name": "a", "type": "http", "url": "https://a.example.com/", "interval": 60, "timeout": 0 }] }"#,
        ],
        contains: &[
            "timeout: 30s",
            "failures_to_open: 1",
            "successes_to_close: 1",
            "status: [\"200-299\"]",
            "follow: true",
        ],
        lacks: &[],
        named: &["timeout"],
    },
    Case {
        name: "hosts in SRV records are looked up at check time",
        format: Format::UptimeKuma,
        files: &[
            r#"{ "monitorList": [{ "name": "a", "type": "mongodb", "databaseConnectionString": "mongodb+srv://u:p@c.example.com/x" },
            { "name": "b", "type": "port", "hostname": "b.example.com", "port": 1 }] }"#,
        ],
        contains: &[
            "host: \"_mongodb._tcp.c.example.com\"\n    service: mongodb",
            "tls: true",
            "timeout: 5s",
        ],
        lacks: &["u:p"],
        named: &["databaseConnectionString: user"],
    },
    Case {
        name: "the exporter's time is the scrape's less half a second",
        format: Format::Prometheus,
        files: &[r#"
modules: { http_2xx: { prober: http }, slow: { prober: http, timeout: 30s } }
scrape_configs:
  - { job_name: web, metrics_path: /probe, params: { module: [http_2xx] }, static_configs: [{ targets: ["https://a.example.com"] }] }
  - { job_name: web2, metrics_path: /probe, params: { module: [slow] }, static_configs: [{ targets: ["https://b.example.com"] }] }
"#],
        contains: &[
            "host: a.example.com\n    service: https\n    interval: 1m\n    timeout: 9500ms",
            "host: b.example.com\n    service: https\n    interval: 1m\n    timeout: 9500ms",
        ],
        lacks: &["30s"],
        named: &[],
    },
    Case {
        name: "the target of params is watched, not the exporter",
        format: Format::Prometheus,
        files: &[r#"
scrape_configs:
  - { job_name: one-ping, metrics_path: /probe, params: { module: [tcp_connect], target: ["db.example.com:5432"] },
      static_configs: [{ targets: ["exporter.example.com:9115"] }] }
"#],
        contains: &["host: db.example.com\n    port: 5432"],
        lacks: &["exporter.example.com"],
        named: &[],
    },
    Case {
        name: "a module that cannot be carried does not stop the others",
        format: Format::Prometheus,
        files: &[r#"
modules:
  http_2xx: { prober: http, timeout: 5s }
  binary: { prober: tcp, tcp: { query_response: [{ send: !!binary AAAACATSFi8= }] } }
scrape_configs:
  - { job_name: web, metrics_path: /probe, params: { module: [http_2xx] }, static_configs: [{ targets: ["https://a.example.com"] }] }
  - { job_name: db, metrics_path: /probe, params: { module: [binary] }, static_configs: [{ targets: ["b.example.com:5432"] }] }
"#],
        contains: &["a.example.com", "b.example.com\n    port: 5432"],
        lacks: &["script"],
        named: &["tcp.query_response"],
    },
    Case {
        name: "a job of another exporter is named as such",
        format: Format::Prometheus,
        files: &[r#"
scrape_configs:
  - { job_name: switches, metrics_path: /snmp, params: { module: [if_mib], auth: [public_v2] }, static_configs: [{ targets: ["sw1.example.com"] }] }
  - { job_name: web, metrics_path: /probe, params: { module: [http_2xx] }, static_configs: [{ targets: ["https://a.example.com"] }] }
"#],
        contains: &["a.example.com"],
        lacks: &["sw1.example.com"],
        named: &[""],
    },
    Case {
        name: "relabeling sets the target and drops others",
        format: Format::Prometheus,
        files: &[r#"
scrape_configs:
  - job_name: web
    metrics_path: /probe
    params: { module: [http_2xx] }
    static_configs: [{ targets: [a.example.com, dropped.example.com], labels: { team: web, __path: /up } }]
    relabel_configs:
      - { source_labels: [__address__], regex: "dropped.*", action: drop }
      - { source_labels: [__address__, __path], separator: "", regex: "(.+)", replacement: "https://$1", target_label: __param_target }
      - { source_labels: [__param_target], target_label: instance }
      - { target_label: __address__, replacement: "127.0.0.1:9115" }
"#],
        contains: &["host: a.example.com", "path: \"/up\"", "tags: [team=web]"],
        lacks: &["dropped"],
        named: &[],
    },
];

#[test]
fn each_file_of_the_corpus_is_imported_as_its_source_means() {
    for case in CASES {
        let files: Vec<(&str, &str)> = case.files.iter().map(|text| ("file", *text)).collect();
        let imported = Imported::of(case.format, &files);
        let shown = imported.shown();
        for part in case.contains {
            assert!(imported.text.contains(part), "{}: {part}\n{shown}", case.name);
        }
        for part in case.lacks {
            assert!(!imported.text.contains(part), "{}: {part}\n{shown}", case.name);
        }
        let mut differences = imported.report.lost.iter().chain(&imported.report.changed);
        let fields: Vec<&str> = differences.by_ref().map(|each| each.field.as_str()).collect();
        for field in case.named {
            assert!(fields.contains(field), "{}: {field}\n{shown}", case.name);
        }
    }
}
