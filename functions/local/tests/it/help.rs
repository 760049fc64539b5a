//! `portpulse completions` and `man`.

use std::fs;

use crate::program::run;
use crate::workspace::Workspace;

#[test]
fn completions_complete_commands_in_each_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let found = run(&["completions", shell]);
        assert!(
            found.status == 0 && found.out.contains("unsilence"),
            "{shell}: {}",
            found.out
        );
    }
    assert_eq!(run(&["completions", "cmd"]).status, 2);
}

#[test]
fn manual_has_a_page_for_each_command() {
    let page = run(&["man"]);
    assert!(
        page.status == 0 && page.out.contains(".TH portpulse 1"),
        "{}",
        page.out
    );
    let workspace = Workspace::new("man");
    let dir = workspace.0.join("man1");
    let written = run(&["man", "--output", dir.to_str().unwrap()]);
    assert_eq!(
        (written.status, written.out.as_str(), written.err.as_str()),
        (0, "", "")
    );
    for page in ["portpulse.1", "portpulse-local.1", "portpulse-silence.1"] {
        assert!(
            fs::read_to_string(dir.join(page))
                .unwrap()
                .contains(".SH OPTIONS"),
            "{page}"
        );
    }
}
