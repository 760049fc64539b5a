//! Scripts for services without a supported protocol: texts to send and to expect, in order.

/// A user-defined exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    steps: Vec<ScriptStep>,
}

/// One step of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptStep {
    /// Send these bytes.
    Send(Vec<u8>),
    /// Wait for these bytes, anywhere after the bytes of the previous `Expect`.
    Expect(Vec<u8>),
}

/// An invalid script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// The number of steps is out of range.
    #[error("a script has 1 to 16 steps")]
    Count,
    /// The step with this number, counted from 1, is empty or too long.
    #[error("step {0} must have 1 to 1024 bytes")]
    Size(usize),
    /// No step expects anything, so the script could never fail.
    #[error("a script must expect something: add an `expect` step")]
    ExpectsNothing,
}

impl Script {
    /// The maximum number of steps.
    pub const MAX_STEPS: usize = 16;
    /// The maximum number of bytes of a step.
    pub const MAX_BYTES: usize = 1024;

    /// Creates a script.
    ///
    /// # Errors
    /// All mistakes together.
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

    /// The steps, in order.
    pub fn steps(&self) -> &[ScriptStep] {
        &self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_invalid_script_steps_are_reported() {
        let send = |text: &str| ScriptStep::Send(text.into());
        let expect = |text: &str| ScriptStep::Expect(text.into());
        let messages = |steps: Vec<ScriptStep>| {
            let errors = Script::new(steps).unwrap_err();
            errors.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let nothing = "a script must expect something: add an `expect` step";
        assert_eq!(messages(vec![]), ["a script has 1 to 16 steps", nothing]);
        assert_eq!(
            messages(vec![send("x"), send("")]),
            ["step 2 must have 1 to 1024 bytes", nothing]
        );
        assert_eq!(messages(vec![expect("x"); 17]), ["a script has 1 to 16 steps"]);
        assert_eq!(
            messages(vec![expect(&"x".repeat(1025))]),
            ["step 1 must have 1 to 1024 bytes"]
        );
    }
}
