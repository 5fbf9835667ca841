//! The client: a call with proof of identity, budget, repetition and judgement.

use std::fmt;
use std::sync::Arc;

use af_model::feed::Cost;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, Url};

use super::bucket::Bucket;
use super::call::{Answer, Get, Link, foreign};
use super::options::ClientOptions;
use super::refusal::{self, Looks};
use super::repeat::Patience;
use super::transport::{Reply, Wire};
use crate::auth::{Auth, Ticket};
use crate::error::{Error, ErrorKind};

/// A client of one org. Cheap to clone; clones share the token cache, the budget and the counters.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    wire: Wire,
    auth: Auth,
}

impl Client {
    /// Makes a client; calls nobody.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn new(options: ClientOptions) -> Result<Self, Error> {
        let auth = Auth::new(&options)?;
        let wire = Wire::new(options)?;
        Ok(Self(Arc::new(Shared { wire, auth })))
    }

    /// Makes a call, however often it takes.
    ///
    /// Repeated are: failures of the network, answers that broke off, 5xx (as often as
    /// [`ClientOptions::repeats`] says), 429 (when its wait is over), and 401 once with a new access
    /// token or a new nonce.
    ///
    /// # Errors
    /// As [`ErrorKind`] says. [`ErrorKind::Stopped`] as soon as the client is asked to stop, whatever
    /// it is doing.
    pub async fn get(&self, call: &Get) -> Result<Answer, Error> {
        self.get_read(call, |_| Ok(()))
            .await
            .map(|(answer, ())| answer)
    }

    /// Makes a call and reads its answer; one that cannot be read counts as a failure of the service,
    /// and the call is repeated.
    ///
    /// `read` says why it cannot read an answer in a few words, without anything of its content.
    ///
    /// # Errors
    /// As [`Client::get`]; [`ErrorKind::Unavailable`] when no answer could be read.
    pub async fn get_read<T>(
        &self,
        call: &Get,
        read: impl Fn(&Answer) -> Result<T, &'static str>,
    ) -> Result<(Answer, T), Error> {
        let stop = &self.0.wire.options.stop;
        tokio::select! {
            biased;
            () = stop.asked() => Err(Error::new(ErrorKind::Stopped, "go on: we were asked to stop")),
            answer = self.0.get(call, &read) => answer,
        }
    }

    /// How it behaves.
    pub fn options(&self) -> &ClientOptions {
        &self.0.wire.options
    }

    /// What its calls of the API cost so far; fetching access tokens is not counted as a call.
    pub fn cost(&self) -> Cost {
        self.0.wire.counters.read()
    }

    /// The server's clock minus ours, in milliseconds, as far as an answer has told.
    pub fn clock_skew_millis(&self) -> Option<i64> {
        self.0.wire.skew_millis()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0.wire.options).finish()
    }
}

/// What to do about an answer.
enum Judgement<T> {
    Answer(Answer, T),
    /// Repeat at once: the credential was renewed.
    Renewed,
    /// Repeat after a pause, or give up with this error.
    Failed(String, Error),
    Limited,
}

/// What may be renewed once in a call.
#[derive(Default)]
struct Renewals {
    token: bool,
    nonce: bool,
}

impl Shared {
    async fn get<T>(
        &self,
        call: &Get,
        read: &impl Fn(&Answer) -> Result<T, &'static str>,
    ) -> Result<(Answer, T), Error> {
        let wire = &self.wire;
        let url = call.url(&wire.options.origin)?;
        let what = refusal::shown_path(url.path());
        let bucket = Bucket::of(url.path());
        let mut patience = Patience::new(wire, what.clone());
        let mut renewals = Renewals::default();
        loop {
            let ticket = self.auth.ticket(wire, call.scope).await?;
            let why = format!("rate limit of {bucket}");
            let permit = wire
                .budget
                .admit(
                    bucket,
                    |time| wire.tell_wait(&why, time),
                    |time| wire.counters.waited(time),
                )
                .await;
            let mut request = Request::new(Method::GET, url.clone());
            self.auth.sign(&ticket, wire, &mut request)?;
            if let Some(kind) = call.content_type {
                request
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            }
            patience.tell(request.headers_mut());
            wire.counters.call(patience.is_repeating());
            let reply = wire.send(request).await;
            if let Ok(reply) = &reply
                && reply.status != 429
            {
                permit.learn(&reply.head);
            }
            drop(permit);
            let reply = match reply {
                Ok(reply) => reply,
                Err(broken) => {
                    patience.broken(broken).await?;
                    continue;
                }
            };
            tracing::debug!(%bucket, status = reply.status, bytes = reply.body.len(), "answer");
            let head = reply.head.clone();
            let asked = Asked {
                call,
                url: &url,
                what: &what,
                ticket: &ticket,
            };
            match self.judge(&asked, &mut renewals, reply, read)? {
                Judgement::Answer(answer, value) => return Ok((answer, value)),
                Judgement::Renewed => patience.repeats(Some(&head)),
                Judgement::Failed(why, error) => {
                    patience.failed(&why, Some(&head), error).await?;
                }
                Judgement::Limited => {
                    if let Some(wait) = patience.limited(&head).await? {
                        wire.budget.block(bucket, wait);
                    }
                }
            }
        }
    }

    fn judge<T>(
        &self,
        asked: &Asked<'_>,
        renewals: &mut Renewals,
        reply: Reply,
        read: &impl Fn(&Answer) -> Result<T, &'static str>,
    ) -> Result<Judgement<T>, Error> {
        let Asked { call, what, .. } = *asked;
        let status = reply.status;
        if status == 429 {
            return Ok(Judgement::Limited);
        }
        // A new nonce may come with any answer, long before the old one is refused.
        if let Some(nonce) = &reply.head.dpop_nonce {
            self.auth.note_nonce(nonce);
        }
        if (200..300).contains(&status) {
            return self.success(asked, reply, read);
        }
        let said = self
            .auth
            .with_secrets(asked.ticket, |secrets| refusal::said(&reply.body, secrets));
        let code = said.code.as_deref();
        let wants_nonce = reply.head.wants_nonce || code == Some("use_dpop_nonce");
        if wants_nonce
            && reply.head.dpop_nonce.is_some()
            && !std::mem::replace(&mut renewals.nonce, true)
        {
            return Ok(Judgement::Renewed);
        }
        if status == 401
            && code != Some("E0000015")
            && asked.ticket.is_renewable()
            && !std::mem::replace(&mut renewals.token, true)
        {
            self.auth.discard(call.scope, asked.ticket);
            return Ok(Judgement::Renewed);
        }
        if call.accepts.contains(&status) {
            return match refusal::looks(&reply) {
                Looks::Foreign("a web page") => Err(not_okta(what, status, "a web page")),
                _ => self.answer(asked, reply, said.code, read),
            };
        }
        if (300..400).contains(&status) {
            let origin = &self.wire.options.origin;
            return Err(refusal::redirect(what, &reply, asked.url, origin));
        }
        let error = refusal::error(what, call.scope, asked.ticket.who(), &reply, &said);
        if status == 408 || (status >= 500 && status != 501) {
            return Ok(Judgement::Failed(
                format!("repeating after {status}"),
                error,
            ));
        }
        if matches!(refusal::looks(&reply), Looks::Foreign("a web page")) {
            return Err(not_okta(what, status, "a web page"));
        }
        Err(error)
    }

    fn success<T>(
        &self,
        asked: &Asked<'_>,
        reply: Reply,
        read: &impl Fn(&Answer) -> Result<T, &'static str>,
    ) -> Result<Judgement<T>, Error> {
        match refusal::looks(&reply) {
            Looks::Well => self.answer(asked, reply, None, read),
            Looks::Cut => Ok(unread(asked.what, reply.status, "its end is missing")),
            Looks::Foreign(looks) => Err(not_okta(asked.what, reply.status, looks)),
        }
    }

    fn answer<T>(
        &self,
        asked: &Asked<'_>,
        reply: Reply,
        code: Option<String>,
        read: &impl Fn(&Answer) -> Result<T, &'static str>,
    ) -> Result<Judgement<T>, Error> {
        let next = match reply.next {
            Ok(None) => None,
            Ok(Some(url)) if self.wire.options.origin.covers(&url) => Some(Link::new(url)),
            Ok(Some(_)) => {
                return Err(foreign(&format!(
                    "read {}: the link to the next page points to another host; nothing was sent there",
                    asked.what
                )));
            }
            Err(_) => {
                return Err(Error::new(
                    ErrorKind::NotOkta,
                    format!("read {}: the link header cannot be read", asked.what),
                )
                .with_hint("is something between us and Okta that changes headers?"));
            }
        };
        let answer = Answer {
            status: reply.status,
            next,
            has_links: reply.has_links,
            date: reply.head.date,
            code,
            budget: reply.head.budget(),
            body: reply.body,
        };
        Ok(match read(&answer) {
            Ok(value) => Judgement::Answer(answer, value),
            Err(why) => unread(asked.what, answer.status, why),
        })
    }
}

/// What was asked, for judging the answer.
#[derive(Clone, Copy)]
struct Asked<'a> {
    call: &'a Get,
    url: &'a Url,
    what: &'a str,
    ticket: &'a Ticket,
}

fn not_okta(what: &str, status: u16, looks: &str) -> Error {
    Error::new(
        ErrorKind::NotOkta,
        format!("read {what}: the answer ({status}) is {looks}, not Okta's"),
    )
    .with_hint(refusal::IN_BETWEEN)
    .with_answer(status, None)
}

fn unread<T>(what: &str, status: u16, why: &str) -> Judgement<T> {
    Judgement::Failed(
        format!("repeating after an answer that cannot be read: {why}"),
        Error::new(
            ErrorKind::Unavailable,
            format!("read {what}: the answer cannot be read: {why}"),
        )
        .with_answer(status, None),
    )
}
