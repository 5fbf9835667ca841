//! How the program ends: one table from failures to exit codes, one shape of message.

use std::io::{self, Write};
use std::process::ExitCode;

use af_engine::ErrorKind;

use crate::logging;

/// Exit codes, a public promise.
const DONE: u8 = 0;
const FAILED: u8 = 1;
const USAGE: u8 = 2;
const NO_INPUT: u8 = 3;
const GATE: u8 = 4;
const THRESHOLD: u8 = 10;

/// A failure that the command line itself finds.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    code: u8,
    message: String,
    hint: Option<String>,
}

impl Refusal {
    /// The user asked for something that cannot be.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code: USAGE,
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// The data did not pass.
    pub(crate) fn gate(message: impl Into<String>) -> Self {
        Self {
            code: GATE,
            message: message.into(),
            hint: None,
        }
    }

    /// Somebody reached the level that nobody should.
    pub(crate) fn threshold(message: impl Into<String>) -> Self {
        Self {
            code: THRESHOLD,
            message: message.into(),
            hint: None,
        }
    }

    /// Something failed that others need not fail with.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self {
            code: FAILED,
            message: message.into(),
            hint: None,
        }
    }

    /// A signal ended what was not done yet; the code is a shell's for that signal.
    pub(crate) fn signal(code: u8, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// The exit code.
    #[cfg(test)]
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// What can be done about it.
    #[cfg(test)]
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Says what can be done about it.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Turns the result of a verb into the exit code, and says why on standard error.
pub(crate) fn code(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::from(DONE);
    };
    if is_broken_pipe(&error) {
        // Whoever read our output has had enough; that is success.
        return ExitCode::from(DONE);
    }
    let (code, hint) = judge(&error);
    if logging::is_json() {
        tracing::error!(code, hint, "{error:#}");
        return ExitCode::from(code);
    }
    let mut message = format!("error: {error:#}\n");
    if let Some(hint) = hint {
        message.push_str("\nhint: ");
        message.push_str(&hint);
        message.push('\n');
    }
    // Standard error may be closed; nothing is left to be told then.
    let _ = io::stderr().write_all(message.as_bytes());
    ExitCode::from(code)
}

fn judge(error: &anyhow::Error) -> (u8, Option<String>) {
    for cause in error.chain() {
        if let Some(refusal) = cause.downcast_ref::<Refusal>() {
            return (refusal.code, refusal.hint.clone());
        }
        if let Some(error) = cause.downcast_ref::<af_engine::Error>() {
            let code = match error.kind() {
                ErrorKind::Usage => USAGE,
                ErrorKind::NoInput => NO_INPUT,
                ErrorKind::Gate => GATE,
                _ => FAILED,
            };
            return (code, error.hint().map(str::to_owned));
        }
        if let Some(error) = cause.downcast_ref::<af_okta_client::Error>() {
            let code = match error.kind() {
                af_okta_client::ErrorKind::Usage => USAGE,
                _ => FAILED,
            };
            return (code, error.hint().map(str::to_owned));
        }
        if let Some(error) = cause.downcast_ref::<af_query::Error>() {
            let code = if error.is_missing() { NO_INPUT } else { FAILED };
            return (code, error.hint().map(str::to_owned));
        }
        if let Some(error) = cause.downcast_ref::<af_store::Error>() {
            let code = match error.kind() {
                af_store::ErrorKind::AlreadyExists
                | af_store::ErrorKind::NotAStore
                | af_store::ErrorKind::InvalidName => USAGE,
                af_store::ErrorKind::NotFound => NO_INPUT,
                _ => FAILED,
            };
            return (code, error.hint().map(str::to_owned));
        }
    }
    (FAILED, None)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
