//! A script for services without a file of their own: texts to send, and texts to wait for, in order.
//!
//! | answer | means |
//! |---|---|
//! | every text that was waited for came, in order | healthy; the lines up to these texts are told |
//! | the end, or nothing more, before one of them | closed, silent or timeout |
//! | 16 KiB without it | wrong service |
//!
//! What is sent is named by its number alone: it may hold a secret.

use crate::input::{Input, shown};
use crate::step::{Dialogue, Step};

/// A conversation written by the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    steps: Vec<ScriptStep>,
}

/// One step of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptStep {
    /// Send these bytes.
    Send(Vec<u8>),
    /// Wait until these bytes have come, anywhere behind those that were waited for before.
    Expect(Vec<u8>),
}

/// Steps that make no script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// Too few or too many.
    #[error("a script has 1 to 16 steps")]
    Count,
    /// One of them has nothing, or too much, to send or to wait for.
    #[error("step {0} must have 1 to 1024 bytes")]
    Size(usize),
    /// Nothing would ever be wrong.
    #[error("a script must wait for something: add an `expect`")]
    ExpectsNothing,
}

impl Script {
    /// The most steps.
    pub const MAX_STEPS: usize = 16;
    /// The most bytes of a step.
    pub const MAX_BYTES: usize = 1024;

    /// A script of these steps.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn new(steps: Vec<ScriptStep>) -> Result<Self, Vec<ScriptError>> {
        let mut errors = Vec::new();
        if !(1..=Self::MAX_STEPS).contains(&steps.len()) {
            errors.push(ScriptError::Count);
        }
        for (number, step) in steps.iter().enumerate() {
            let (ScriptStep::Send(bytes) | ScriptStep::Expect(bytes)) = step;
            if !(1..=Self::MAX_BYTES).contains(&bytes.len()) {
                errors.push(ScriptError::Size(number + 1));
            }
        }
        if !steps.iter().any(|step| matches!(step, ScriptStep::Expect(_))) {
            errors.push(ScriptError::ExpectsNothing);
        }
        if errors.is_empty() {
            Ok(Self { steps })
        } else {
            Err(errors)
        }
    }
}

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
            match self.script.steps.get(self.done) {
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
