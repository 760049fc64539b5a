//! A webhook: the signature of the raw body.

use serde_json::{Value, json};

use super::{Received, Refusal, StandIn, ensure, is};

pub(super) const STAND_IN: StandIn = StandIn {
    kind: "webhook",
    settings: |server| json!({ "url": format!("{server}/hook"), "key": "ssm:/webhook" }),
    secrets: |_| vec![("ssm:/webhook", "secret-signing-key".to_owned())],
    check,
    update_alerts: |_, _, _| {},
};

fn check(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
    use hmac::{Hmac, KeyInit, Mac};
    is(&body["type"], "notification")?;
    let header = |name| received.headers.get(name).and_then(|value| value.to_str().ok());
    let timestamp = header("portpulse-timestamp").ok_or("no timestamp")?;
    let signature = header("portpulse-signature").ok_or("no signature")?;
    let mut mac =
        Hmac::<sha2::Sha256>::new_from_slice(b"secret-signing-key").map_err(|error| error.to_string())?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(received.body.as_bytes());
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    ensure(signature == format!("v1={hex}"), || "the signature".to_owned())?;
    Ok(200)
}
