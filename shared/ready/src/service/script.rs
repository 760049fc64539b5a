//! Scripts for services without a protocol of their own: texts to send and texts to expect, in order.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | every text was received in order | – | open | the banner has the lines up to these texts |
//! | the end of the stream, or silence, before one of them | – | closed | or silent, or timeout |
//! | 16 KiB without it | – | wrong_service | the limit of an answer |
//!
//! Messages name a sent text by its step number only, because the text may contain a secret.

use portpulse_core::readiness::{Script, ScriptStep};

use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, excerpt};

/// A running script.
#[derive(Debug)]
pub(crate) struct ScriptDialogue {
    script: Script,
    steps_done: usize,
    captured: Vec<String>,
}

impl ScriptDialogue {
    pub(crate) fn new(script: &Script) -> Self {
        Self {
            script: script.clone(),
            steps_done: 0,
            captured: Vec::new(),
        }
    }
}

impl Dialogue for ScriptDialogue {
    fn next(&mut self, input: &mut Input) -> Step {
        loop {
            match self.script.steps().get(self.steps_done) {
                None => return Step::healthy(self.captured.join("; ")),
                Some(ScriptStep::Send(bytes)) => {
                    self.steps_done += 1;
                    return Step::Send {
                        name: format!("step {}", self.steps_done).into(),
                        bytes: bytes.clone(),
                    };
                }
                Some(ScriptStep::Expect(text)) => {
                    let found = input
                        .remaining()
                        .windows(text.len())
                        .position(|window| window == text);
                    let Some(matched) = found.and_then(|start| input.take(start + text.len())) else {
                        return Step::Receive;
                    };
                    self.steps_done += 1;
                    let before = matched.len() - text.len();
                    let line = matched
                        .iter()
                        .take(before)
                        .rposition(|&b| b == b'\n')
                        .map_or(0, |end| end + 1);
                    self.captured
                        .push(excerpt(matched.get(line..).unwrap_or_default()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
