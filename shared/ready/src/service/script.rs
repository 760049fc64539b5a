//! A script for services without a file of their own: texts to send, and texts to wait for, in order.
//!
//! | answer | means |
//! |---|---|
//! | every text that was waited for came, in order | healthy; the lines up to these texts are told |
//! | the end, or nothing more, before one of them | closed, silent or timeout |
//! | 16 KiB without it | wrong service |
//!
//! What is sent is named by its number alone: it may hold a secret.

use portpulse_core::readiness::{Script, ScriptStep};

use crate::input::{Input, shown};
use crate::step::{Dialogue, Step};

/// A script being played.
#[derive(Debug)]
pub(crate) struct Scripted {
    script: Script,
    done: usize,
    captured: Vec<String>,
}

impl Scripted {
    pub(crate) fn new(script: &Script) -> Self {
        Self {
            script: script.clone(),
            done: 0,
            captured: Vec::new(),
        }
    }
}

impl Dialogue for Scripted {
    fn next(&mut self, input: &mut Input) -> Step {
        loop {
            match self.script.steps().get(self.done) {
                None => return Step::healthy(self.captured.join("; ")),
                Some(ScriptStep::Send(bytes)) => {
                    self.done += 1;
                    return Step::Send {
                        what: format!("step {}", self.done).into(),
                        bytes: bytes.clone(),
                    };
                }
                Some(ScriptStep::Expect(text)) => {
                    let found = input.rest().windows(text.len()).position(|window| window == text);
                    let Some(came) = found.and_then(|start| input.take(start + text.len())) else {
                        return Step::More;
                    };
                    self.done += 1;
                    let before = came.len() - text.len();
                    let line = came
                        .iter()
                        .take(before)
                        .rposition(|&b| b == b'\n')
                        .map_or(0, |end| end + 1);
                    self.captured.push(shown(came.get(line..).unwrap_or_default()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
