//! What is asked, and what comes back.

use std::fmt;

use af_model::UtcMillis;
use reqwest::Url;

use super::refusal::shown_path;
use crate::error::{Error, ErrorKind};
use crate::origin::Origin;
use crate::scope::Scope;

/// A call: always GET.
#[derive(Clone, Debug)]
pub struct Get {
    /// Path, e.g. `/api/v1/logs`, or a link that Okta gave.
    pub target: Target,
    /// What it needs to be allowed.
    pub scope: Scope,
    /// Statuses besides 2xx that are an answer rather than a failure, e.g. 404.
    pub accepts: &'static [u16],
    /// Another `Content-Type` header than none; Okta's way to ask for less.
    pub content_type: Option<&'static str>,
}

/// Where a call goes. Its debug text leaves out ids, parameters and links.
#[derive(Clone)]
pub enum Target {
    /// A path of the API with its query.
    Path(String, Vec<(String, String)>),
    /// A link that Okta gave; followed only within the origin.
    Link(Link),
}

/// A link that Okta gave: opaque, and never printed.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Link(String);

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link(…)")
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path, _) => f.write_str(&shown_path(path)),
            Self::Link(link) => link.fmt(f),
        }
    }
}

/// What came back. Its debug text leaves out the body, which is about people.
#[derive(Clone)]
pub struct Answer {
    /// The HTTP status: 2xx, or one that the call accepts.
    pub status: u16,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// The link to the next page, already known to stay within the origin.
    pub next: Option<Link>,
    /// Whether there was any link. Okta links every page of a list, the last one to itself.
    pub has_links: bool,
    /// The server's clock.
    pub date: Option<UtcMillis>,
    /// Okta's error code, when the status is none of success.
    pub code: Option<String>,
    /// Calls left in the window, of how many.
    pub budget: Option<(u64, u64)>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .field("next", &self.next)
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

impl Get {
    /// A call of a path.
    pub fn path(path: impl Into<String>, scope: Scope) -> Self {
        Self {
            target: Target::Path(path.into(), Vec::new()),
            scope,
            accepts: &[],
            content_type: None,
        }
    }

    /// A call of a link.
    pub fn link(link: Link, scope: Scope) -> Self {
        Self {
            target: Target::Link(link),
            scope,
            accepts: &[],
            content_type: None,
        }
    }

    /// Adds a parameter of the query; none on a link, which is complete.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Target::Path(_, query) = &mut self.target {
            query.push((name.to_owned(), value.into()));
        }
        self
    }

    /// Takes these statuses for an answer.
    #[must_use]
    pub fn accepts(mut self, statuses: &'static [u16]) -> Self {
        self.accepts = statuses;
        self
    }

    /// The URL that is asked, when it lies within the origin.
    pub(crate) fn url(&self, origin: &Origin) -> Result<Url, Error> {
        match &self.target {
            Target::Path(path, query) => {
                let mut url = origin.join(path);
                if !query.is_empty() {
                    url.query_pairs_mut().extend_pairs(query);
                }
                Ok(url)
            }
            Target::Link(link) => link.url(origin),
        }
    }
}

impl Link {
    /// A link that is already known to stay within the origin.
    pub(crate) fn new(url: Url) -> Self {
        Self(url.into())
    }

    /// A link may have lain in a file for weeks, so it is judged anew before it is followed.
    pub(crate) fn url(&self, origin: &Origin) -> Result<Url, Error> {
        let url = Url::parse(&self.0).map_err(|_| {
            Error::new(ErrorKind::Refused, "the link to the next page is no URL")
                .with_hint("it was stored by an earlier call; start the stream anew")
        })?;
        if origin.covers(&url) {
            Ok(url)
        } else {
            Err(foreign(
                "the link to the next page points to another host; nothing was sent there",
            ))
        }
    }
}

/// The failure of a link or a redirect that leaves the origin.
pub(crate) fn foreign(message: &str) -> Error {
    Error::new(ErrorKind::ForeignLink, message).with_hint(
        "if the org answers for two names (a custom domain and its okta.com address), configure the one that its links point to",
    )
}
