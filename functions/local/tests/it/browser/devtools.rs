//! Headless Chromium, controlled through the DevTools protocol over a pipe.
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

/// The timeout of every call.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The names of the executable on Debian, Ubuntu and others.
const PROGRAMS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    calls: u64,
    session: Option<String>,
    events: Vec<Value>,
    profile: PathBuf,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The process may have exited already.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.profile));
    }
}

/// The color scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

impl Browser {
    /// Starts a browser with an empty page, and records its console messages and requests.
    pub(crate) fn start(name: &str) -> Self {
        let path = std::env::var_os("PATH").unwrap();
        let program = PROGRAMS
            .iter()
            .find(|program| std::env::split_paths(&path).any(|folder| folder.join(program).exists()))
            .unwrap_or_else(|| panic!("Chromium is not installed: run .ci/browser"));
        let profile =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("browser-{name}-{}", std::process::id()));
        // The protocol uses file descriptors 3 and 4; a shell redirects the standard ones.
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
        let (input, out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (message_sender, messages) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(out).split(0) {
                let Ok(message) = message else { return };
                let message: Value = serde_json::from_slice(&message).unwrap();
                if message_sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            child,
            input,
            messages,
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

    /// Calls a method, and returns its result. Events that arrive meanwhile are stored.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        write!(self.input, "{message}\0").unwrap();
        loop {
            let message = self.receive(method);
            if message["id"] == id {
                assert_eq!(message["error"], Value::Null, "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn receive(&self, waiting_for: &str) -> Value {
        let message = self.messages.recv_timeout(TIMEOUT);
        message.unwrap_or_else(|error| panic!("no message from Chromium for {waiting_for}: {error}"))
    }

    /// Opens a URL, and waits for the load event.
    pub(crate) fn open(&mut self, url: &str) {
        self.after_loading(|browser| {
            let result = browser.call("Page.navigate", json!({ "url": url }));
            assert_eq!(result["errorText"], Value::Null, "{url}: {result}");
        });
    }

    /// Performs an action that loads a page, and waits for the load event.
    pub(crate) fn after_loading(&mut self, act: impl FnOnce(&mut Self)) {
        let is_loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        let before = self.events.len();
        act(self);
        while !self.events[before..].iter().any(is_loaded) {
            let event = self.receive("a loaded page");
            self.events.push(event);
        }
    }

    /// Evaluates an expression; awaits a promise.
    pub(crate) fn value_of(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let result = self.call("Runtime.evaluate", params);
        assert_eq!(result["exceptionDetails"], Value::Null, "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// Waits until a condition is true; it is evaluated at every change of the page.
    pub(crate) fn until(&mut self, condition: &str) {
        let promise = format!(
            "new Promise((resolve) => {{
               const look = () => {{ if ({condition}) resolve(true); }};
               new MutationObserver(look).observe(document, {{ subtree: true, childList: true, characterData: true, attributes: true }});
               look();
             }})"
        );
        assert_eq!(self.value_of(&promise), true, "{condition}");
    }

    /// Presses and releases a key.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            " " => (32, " "),
            "Escape" => (27, ""),
            "ArrowLeft" => (37, ""),
            _ => panic!("unsupported key: {key}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut params = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            if kind == "keyDown" && !text.is_empty() {
                params["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", params);
        }
    }

    /// Moves the pointer.
    pub(crate) fn move_pointer(&mut self, x: &Value, y: &Value) {
        self.call(
            "Input.dispatchMouseEvent",
            json!({ "type": "mouseMoved", "x": x, "y": y }),
        );
    }

    /// Inserts text into the focused element.
    pub(crate) fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// The text, or else the name, of the focused element.
    pub(crate) fn focused(&mut self) -> String {
        let text =
            self.value_of("(document.activeElement.innerText || document.activeElement.name || '').trim()");
        text.as_str().unwrap().to_owned()
    }

    /// Sets the color scheme and the width of the viewport.
    pub(crate) fn look(&mut self, scheme: Scheme, width: u32) {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features }));
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        // Scrollbars would cover the right edge of screenshots.
        self.call("Emulation.setScrollbarsHidden", json!({ "hidden": true }));
    }

    /// Sets the time zone.
    pub(crate) fn set_time_zone(&mut self, zone: &str) {
        self.call("Emulation.setTimezoneOverride", json!({ "timezoneId": zone }));
    }

    /// Saves a screenshot of the whole page in `target/screenshots`.
    pub(crate) fn screenshot(&mut self, name: &str) {
        let params = json!({ "format": "png", "captureBeyondViewport": true });
        let shot = self.call("Page.captureScreenshot", params);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/screenshots");
        std::fs::create_dir_all(folder).unwrap();
        let bytes = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::write(format!("{folder}/{name}.png"), bytes).unwrap();
    }

    /// Console messages, exceptions and failed requests.
    pub(crate) fn console_messages(&self) -> Vec<String> {
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

    /// The URLs of all requests.
    pub(crate) fn requests(&self) -> Vec<String> {
        let sent = self
            .events
            .iter()
            .filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.map(|event| event["params"]["request"]["url"].as_str().unwrap().to_owned())
            .collect()
    }
}
