//! Chromium without a window, spoken to over a pipe in its own protocol.
//!
//! Source: <https://chromedevtools.github.io/devtools-protocol/>

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Longer than anything here takes.
const RETRY_POLICY: Duration = Duration::from_secs(60);
/// Where Debian, Ubuntu and others put it.
const PROGRAMS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    say: ChildStdin,
    heard: Receiver<Value>,
    calls: u64,
    session: Option<String>,
    events: Vec<Value>,
    profile: PathBuf,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.profile));
    }
}

/// How a page is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

impl Browser {
    /// Starts one, with an empty page whose console and requests are noted from now on.
    pub(crate) fn start(name: &str) -> Self {
        let path = std::env::var_os("PATH").unwrap();
        let program = PROGRAMS
            .iter()
            .find(|program| std::env::split_paths(&path).any(|folder| folder.join(program).exists()))
            .unwrap_or_else(|| panic!("Chromium is not installed: run .ci/browser"));
        let profile =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("browser-{name}-{}", std::process::id()));
        // The protocol is spoken over the descriptors 3 and 4; a shell moves the standard ones there.
        let script = r#"exec "$@" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null"#;
        let mut child = Command::new("sh")
            .args(["-c", script, "sh", program])
            .args([
                "--headless",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
            ])
            .args([
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (say, out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (notify, heard) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(out).split(0) {
                let Ok(message) = message else { return };
                let message: Value = serde_json::from_slice(&message).unwrap();
                if notify.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            child,
            say,
            heard,
            calls: 0,
            session: None,
            events: Vec::new(),
            profile,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach);
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Calls a method, and returns its result. What else is heard meanwhile is kept.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        write!(self.say, "{message}\0").unwrap();
        loop {
            let heard = self.hear(method);
            if heard["id"] == id {
                assert_eq!(heard["error"], Value::Null, "{method}: {heard}");
                return heard["result"].clone();
            }
            self.events.push(heard);
        }
    }

    fn hear(&self, waiting_for: &str) -> Value {
        let heard = self.heard.recv_timeout(RETRY_POLICY);
        heard.unwrap_or_else(|error| panic!("Chromium says nothing of {waiting_for}: {error}"))
    }

    /// Goes to an address, and waits until everything is there.
    pub(crate) fn open(&mut self, url: &str) {
        self.after_loading(|browser| {
            let result = browser.call("Page.navigate", json!({ "url": url }));
            assert_eq!(result["errorText"], Value::Null, "{url}: {result}");
        });
    }

    /// Does what leads to another page, and waits until that is there.
    pub(crate) fn after_loading(&mut self, act: impl FnOnce(&mut Self)) {
        let is_loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        let before = self.events.len();
        act(self);
        while !self.events[before..].iter().any(is_loaded) {
            let event = self.hear("a loaded page");
            self.events.push(event);
        }
    }

    /// The value of an expression, of a promise where it is one.
    pub(crate) fn value_of(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let result = self.call("Runtime.evaluate", params);
        assert_eq!(result["exceptionDetails"], Value::Null, "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// Waits until a condition holds of the page: it is looked at whenever the page changes.
    pub(crate) fn until(&mut self, condition: &str) {
        let promise = format!(
            "new Promise((resolve) => {{
               const look = () => {{ if ({condition}) resolve(true); }};
               new MutationObserver(look).observe(document, {{ subtree: true, childList: true, characterData: true }});
               look();
             }})"
        );
        assert_eq!(self.value_of(&promise), true, "{condition}");
    }

    /// Presses a key, as on a keyboard.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            " " => (32, " "),
            _ => panic!("no such key here: {key}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut params = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            if kind == "keyDown" && !text.is_empty() {
                params["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", params);
        }
    }

    /// Types a text where the focus is.
    pub(crate) fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// What has the focus: its text, or else its name.
    pub(crate) fn focused(&mut self) -> String {
        let text =
            self.value_of("(document.activeElement.innerText || document.activeElement.name || '').trim()");
        text.as_str().unwrap().to_owned()
    }

    /// Looks at the page in this scheme, and as wide as this.
    pub(crate) fn look(&mut self, scheme: Scheme, width: u32) {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features }));
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        // Else a scrollbar's width is missing from each picture's right.
        self.call("Emulation.setScrollbarsHidden", json!({ "hidden": true }));
    }

    /// Moves the reader to a time zone.
    pub(crate) fn live_in(&mut self, zone: &str) {
        self.call("Emulation.setTimezoneOverride", json!({ "timezoneId": zone }));
    }

    /// Keeps a picture of the whole page under `target/screenshots`.
    pub(crate) fn picture(&mut self, name: &str) {
        let params = json!({ "format": "png", "captureBeyondViewport": true });
        let shot = self.call("Page.captureScreenshot", params);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/screenshots");
        std::fs::create_dir_all(folder).unwrap();
        let bytes = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::write(format!("{folder}/{name}.png"), bytes).unwrap();
    }

    /// What the console, and everything that failed, had to say: nothing, one hopes.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let of_interest = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Runtime.consoleAPICalled") => true,
            Some("Log.entryAdded") => event["params"]["entry"]["level"] != "verbose",
            Some("Network.loadingFailed") => event["params"]["canceled"] != true,
            _ => false,
        };
        self.events
            .iter()
            .filter(of_interest)
            .map(ToString::to_string)
            .collect()
    }

    /// Every address that was asked for.
    pub(crate) fn requests(&self) -> Vec<String> {
        let sent = self
            .events
            .iter()
            .filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.map(|event| event["params"]["request"]["url"].as_str().unwrap().to_owned())
            .collect()
    }
}
