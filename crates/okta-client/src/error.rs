//! What can go wrong between us and Okta.

use std::fmt;

/// A failure, with what may help. Never holds a secret, nor a link that Okta gave.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    code: Option<String>,
    status: Option<u16>,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The settings cannot be used: a wrong address, a broken key.
    Usage,
    /// Okta does not accept the credential (401).
    Unauthorized,
    /// The credential is good, but this is not permitted (403), or not part of the org (401 E0000015).
    Forbidden,
    /// There is no such thing (404).
    NotFound,
    /// Okta refuses the request as it stands (other 4xx).
    Refused,
    /// The limit of calls was hit more often than we wait for.
    RateLimited,
    /// The service or the network failed more often than we repeat.
    Unavailable,
    /// What came back is no answer of Okta.
    NotOkta,
    /// A link or a redirect pointed to another host; nothing was sent there.
    ForeignLink,
    /// The store could not take what was fetched.
    Store,
    /// Another process fetches for this integration.
    Busy,
    /// We were asked to stop.
    Stopped,
}

impl Error {
    /// A failure with its message: a lower-case fragment that fits "failed to …".
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            code: None,
            status: None,
        }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds Okta's own code and the HTTP status.
    #[must_use]
    pub fn with_answer(mut self, status: u16, code: Option<&str>) -> Self {
        self.status = Some(status);
        self.code = code.map(str::to_owned);
        self
    }

    /// Says how often it was tried, when that was more than once.
    #[must_use]
    pub(crate) fn after_tries(mut self, tries: u32) -> Self {
        if tries > 1 {
            self.message = format!("{} ({tries} tries)", self.message);
        }
        self
    }

    /// What kind of failure it is.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Okta's own code, e.g. `E0000006`.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The HTTP status.
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// As it is remembered in a feed's status.
    pub fn problem(&self) -> af_model::feed::Problem {
        af_model::feed::Problem {
            message: self.message.clone(),
            hint: self.hint.clone(),
            code: self.code.clone(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<af_store::Error> for Error {
    fn from(error: af_store::Error) -> Self {
        let kind = match error.kind() {
            af_store::ErrorKind::Locked => ErrorKind::Busy,
            _ => ErrorKind::Store,
        };
        let raised = Self::new(kind, error.to_string());
        match error.hint() {
            Some(hint) => raised.with_hint(hint),
            None => raised,
        }
    }
}
