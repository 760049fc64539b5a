//! A script for services without an exchange of their own: texts to send, and texts to wait for, in order.

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
    /// One of them, counted from 1, has nothing, or too much, to send or to wait for.
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

    /// Its steps, in order.
    pub fn steps(&self) -> &[ScriptStep] {
        &self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_make_no_script_are_all_named() {
        let send = |text: &str| ScriptStep::Send(text.into());
        let expect = |text: &str| ScriptStep::Expect(text.into());
        let notified = |steps: Vec<ScriptStep>| {
            let errors = Script::new(steps).unwrap_err();
            errors.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let nothing = "a script must wait for something: add an `expect`";
        assert_eq!(notified(vec![]), ["a script has 1 to 16 steps", nothing]);
        assert_eq!(
            notified(vec![send("x"), send("")]),
            ["step 2 must have 1 to 1024 bytes", nothing]
        );
        assert_eq!(notified(vec![expect("x"); 17]), ["a script has 1 to 16 steps"]);
        assert_eq!(
            notified(vec![expect(&"x".repeat(1025))]),
            ["step 1 must have 1 to 1024 bytes"]
        );
    }
}
