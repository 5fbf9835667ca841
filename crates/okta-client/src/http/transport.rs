//! One request and its answer: no redirects, bounded in time and size, and never to another host.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use af_model::UtcMillis;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, LINK};
use reqwest::redirect::Policy;
use reqwest::{Request, Url};

use super::budget::Budget;
use super::cost::Counters;
use super::head::Head;
use super::link::{self, Unreadable};
use super::options::ClientOptions;
use crate::error::{Error, ErrorKind};
use crate::progress::News;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(15);

/// Differences between two clocks below this are those of networks and whole seconds.
const CLOCKS_AGREE_MILLIS: i64 = 5_000;

/// What clones of a client share to make calls.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) options: ClientOptions,
    pub(crate) counters: Counters,
    pub(super) budget: Budget,
    http: reqwest::Client,
    skew_millis: Mutex<Option<i64>>,
}

/// What came over the network.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    pub(super) next: Result<Option<Url>, Unreadable>,
    /// Whether there was any link.
    pub(super) has_links: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Another try may succeed.
    Passing(String),
    /// None will.
    Lasting(Error),
}

impl Wire {
    pub(crate) fn new(options: ClientOptions) -> Result<Self, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("attack-factor/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(CONNECT.min(options.timeout))
            .gzip(true);
        builder = if options.origin.is_loopback() {
            // Nothing of a call to this machine may leave it, not even for a proxy.
            builder.no_proxy().tls_built_in_root_certs(false)
        } else {
            builder.https_only(true)
        };
        let http = builder.build().map_err(|error| {
            Error::new(
                ErrorKind::Usage,
                format!("prepare encrypted connections: {}", root_cause(&error)),
            )
            .with_hint("the certificates that this machine trusts could not be loaded")
        })?;
        Ok(Self {
            budget: Budget::new(options.rate_percent, options.longest_limit_wait),
            counters: Counters::default(),
            http,
            skew_millis: Mutex::new(None),
            options,
        })
    }

    /// Makes one request and reads the whole answer.
    pub(crate) async fn send(&self, request: Request) -> Result<Reply, Broken> {
        // Every request passes here; the last guard of all.
        if !self.options.origin.covers(request.url()) {
            return Err(Broken::Lasting(super::call::foreign(
                "a call would have gone to another host; nothing was sent",
            )));
        }
        let timeout = self.options.timeout;
        match tokio::time::timeout(timeout, self.exchange(request)).await {
            Ok(reply) => reply,
            Err(_) => Err(Broken::Passing(format!(
                "no complete answer within {} s",
                timeout.as_secs_f32()
            ))),
        }
    }

    async fn exchange(&self, request: Request) -> Result<Reply, Broken> {
        let asked = request.url().clone();
        let mut response = self.http.execute(request).await.map_err(|e| broken(&e))?;
        let status = response.status().as_u16();
        let head = Head::read(response.headers());
        self.note_clock(head.date);
        let next = link::next(response.headers(), &asked);
        let has_links = response.headers().contains_key(LINK);
        let largest = self.options.largest_answer;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| broken(&e))? {
            self.counters.bytes(chunk.len());
            if body.len().saturating_add(chunk.len()) > largest {
                return Err(Broken::Lasting(
                    Error::new(
                        ErrorKind::NotOkta,
                        format!("the answer is larger than {largest} bytes"),
                    )
                    .with_hint("no answer of Okta is that large; is something between us and Okta?")
                    .with_answer(status, None),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply {
            status,
            head,
            body,
            next,
            has_links,
        })
    }

    /// A request that carries a form.
    pub(crate) fn form(&self, url: Url, form: &[(&str, String)]) -> Result<Request, Error> {
        self.http.post(url).form(form).build().map_err(|error| {
            Error::new(
                ErrorKind::Usage,
                format!("make a request: {}", root_cause(&error)),
            )
        })
    }

    /// Waits, says so, and counts it.
    pub(crate) async fn pause(&self, why: &str, time: Duration) {
        self.tell_wait(why, time);
        tokio::time::sleep(time).await;
        self.counters.waited(time);
    }

    pub(crate) fn tell_wait(&self, why: &str, time: Duration) {
        tracing::debug!(why, millis = time.as_millis(), "waiting");
        self.options.progress.tell(&News::Waiting { why, time });
    }

    /// What time it is for the server: by its clock when that is known to differ from ours.
    pub(crate) fn now(&self) -> UtcMillis {
        let ours = (self.options.clock)();
        match self.skew_millis() {
            Some(skew) if skew.abs() > CLOCKS_AGREE_MILLIS => {
                UtcMillis(ours.0.saturating_add(skew))
            }
            _ => ours,
        }
    }

    pub(crate) fn skew_millis(&self) -> Option<i64> {
        *self
            .skew_millis
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note_clock(&self, date: Option<UtcMillis>) {
        if let Some(date) = date {
            let skew = date.0.saturating_sub((self.options.clock)().0);
            *self
                .skew_millis
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(skew);
        }
    }
}

/// Puts the failure of a connection in words, without the URL that was asked.
fn broken(error: &reqwest::Error) -> Broken {
    let cause = root_cause(error);
    if cause.to_ascii_lowercase().contains("certificate") {
        return Broken::Lasting(
            Error::new(
                ErrorKind::Unavailable,
                format!("make an encrypted connection: {cause}"),
            )
            .with_hint(
                "if a proxy of yours looks into encrypted traffic, this machine must trust its certificate",
            ),
        );
    }
    Broken::Passing(if error.is_timeout() {
        "no connection in time".to_owned()
    } else if error.is_connect() {
        format!("no connection: {cause}")
    } else if error.is_body() || error.is_decode() {
        "the answer broke off".to_owned()
    } else {
        format!("the connection broke: {cause}")
    })
}

/// The innermost cause, which alone says what happened and knows no URL.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if cause.downcast_ref::<reqwest::Error>().is_some() {
        return "the request could not be made".to_owned();
    }
    af_model::name::Printable(&cause.to_string()).to_string()
}
