//! Round trips from definitions to Prometheus and back.

use std::collections::BTreeMap;

use portpulse_convert::{Format, Options, Pings, Source, export, import};
use portpulse_core::definition::{DefinitionFile, NetworkAccess};

const FILE: &str = r#"
monitors:
  queue: { host: queue.example.com, port: 9000, interval: 1m, timeout: 2s, tags: [env=prod, shop, db] }
  v6: { host: "2001:db8::1", port: 22, ip: v6, interval: 5m }
  bastion: { host: bastion.example.com, service: ssh, interval: 5m }
  web: { host: www.example.com, service: https, interval: 1m, http: { method: GET, path: "/up?x=1", status: [200, 204-206], text: "all (well)", follow: true } }
  plain: { host: www.example.com, service: http, port: 8080, interval: 30m }
  odd: { host: www.example.com, service: http, port: 8443, tls: false, interval: 1h, http: { method: OPTIONS } }
  api: { host: api.example.com, service: https, interval: 5m, http: { method: POST, unsafe_method: true, body: "a=1", headers: { X-Env: prod }, body_matches: ["^ok", "v\\d+"], body_not_matches: [(?i)error], status: 200 } }
  cert: { host: ldap.example.com, service: tls, port: 636, interval: 15m }
  ns: { host: 203.0.113.53, service: dns, interval: 2m, dns: { name: example.com, type: MX, transport: udp } }
  root: { host: 203.0.113.53, service: dns, interval: 2m }
  chat: { host: chat.example.com, port: 4222, interval: 10m, script: [{ expect: "INFO {" }, { send: "PING\r\n" }, { expect: PONG }] }
  router: { host: 198.51.100.1, check: ping, interval: 5m }
  switch: { host: sw.example.com, check: ping, ip: v4, interval: 10s, timeout: 3s, tags: [site=berlin] }
  gateway: { host: "2001:db8::1", check: ping, interval: 1m }
"#;

const MORE: &str = r#"
monitors:
  orders: { host: db.example.com, service: postgres, tier: critical, runbook: "https://wiki.example.com/x" }
  banned: { host: db.example.com, service: mysql }
  telnet: { host: 203.0.113.7, port: 23, expect: closed }
  edge: { host: 203.0.113.8, port: 443, expect: reachable }
  away: { host: a.example.com, port: 1, enabled: false }
  shop: { host: a.example.com, service: https, http: { bearer_token: "ssm:/a", json: [{ path: $.a, value: 1 }] } }
  spare: { host: a.example.com, port: 2, locations: [eu-west-1], depends_on: [away], tags: ["a-b=c"] }
"#;

fn read(text: &str) -> DefinitionFile {
    portpulse_monitors_file::read(text, NetworkAccess::OwnNetwork).unwrap()
}

#[test]
fn supported_settings_survive_round_trip() {
    let before = read(FILE);
    let out = export(&before);
    assert_eq!(out.notes, [], "all settings are supported");
    let sources = [("blackbox.yml", &out.modules), ("targets.json", &out.targets)];
    let back = import(
        Format::Prometheus,
        &sources.map(|(name, text)| Source { name, text }),
        &Options {
            pings: Pings::FromLocal,
            ..Options::default()
        },
    )
    .unwrap();
    let after = read(&back.text);
    let by_id = |file: &DefinitionFile| -> BTreeMap<_, _> {
        let monitors = file.monitors().iter().map(|defined| {
            let monitor = &defined.monitor;
            let mut tags = monitor.alert_policy().tags.clone();
            tags.sort();
            (
                monitor.id().to_string(),
                (
                    monitor.target().clone(),
                    monitor.rule().expect,
                    monitor.rule().interval,
                    tags,
                ),
            )
        });
        monitors.collect()
    };
    assert_eq!(by_id(&after), by_id(&before), "{}\n{}", out.modules, back.text);
}

#[test]
fn unsupported_settings_are_noted() {
    let out = export(&read(MORE));
    let notes: Vec<_> = out
        .notes
        .iter()
        .map(|notes| format!("{:?} {notes}", notes.kind))
        .collect();
    insta::assert_snapshot!(format!("{}\n{}\n{}", out.targets, out.modules, notes.join("\n")));
}
