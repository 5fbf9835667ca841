//! Where a credential may be sent, and nowhere else.

use std::fmt;

use reqwest::Url;

use crate::error::Error;

/// What else than Okta's own domains may be an origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// A domain of the organization's own, e.g. `login.acme.example`.
    pub custom_domain: bool,
    /// `http://127.0.0.1:PORT` and `http://[::1]:PORT`, for a simulator.
    pub loopback: bool,
}

/// Scheme, host and port of an Okta org, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin(Url);

impl Origin {
    /// Checks the base URL of an org.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] with a hint.
    pub fn parse(_text: &str, _allow: Allow) -> Result<Self, Error> {
        todo!()
    }

    /// The URL of a path of the API, e.g. `/api/v1/logs`.
    pub fn join(&self, _path: &str) -> Url {
        todo!()
    }

    /// Whether a URL has the same scheme, host and port, and no user information.
    pub fn covers(&self, _url: &Url) -> bool {
        todo!()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
