//! Lists, page by page.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::plan::Plan;
use crate::error::{Error, ErrorKind};
use crate::http::{Answer, Client, Get, Link, Target};

/// Pages without a single object, in a row, after which a list is taken for a broken one.
const EMPTY_PAGES: u32 = 100;

/// Makes the calls of one step and counts them.
#[derive(Clone)]
pub(super) struct Caller {
    client: Client,
    calls: Arc<AtomicU64>,
}

impl Caller {
    /// One for a step that begins.
    pub(super) fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            calls: Arc::default(),
        }
    }

    /// Calls made so far; repetitions are the client's own and count once.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Makes a call. An answer that is no JSON is a failure of the service, and the call is repeated.
    ///
    /// # Errors
    /// As [`Client::get_read`].
    pub(super) async fn get(&self, call: &Get) -> Result<Answer, Error> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let read = |answer: &Answer| {
            if answer.status >= 300 || answer.body.trim_ascii().is_empty() {
                return Ok(());
            }
            match serde_json::from_slice::<IgnoredAny>(&answer.body) {
                Ok(_) => Ok(()),
                Err(_) => Err("it is no JSON"),
            }
        };
        let (answer, ()) = self.client.get_read(call, read).await?;
        Ok(answer)
    }
}

/// A list, from its first call on.
pub(super) struct Pages {
    plan: &'static Plan,
    next: Option<Get>,
    empty: u32,
}

/// One page of it.
pub(super) struct Page {
    plan: &'static Plan,
    /// 2xx, or a status that the call takes for an answer.
    pub(super) status: u16,
    body: Vec<u8>,
}

impl Pages {
    /// A list that begins with this call; the pages behind it are asked for in the same way.
    pub(super) fn new(plan: &'static Plan, first: Get) -> Self {
        Self {
            plan,
            next: Some(first),
            empty: 0,
        }
    }

    /// The next page; none behind the last, or behind one that is no page (see [`Page::status`]).
    ///
    /// # Errors
    /// As [`Client::get`]; or the list goes round in circles.
    pub(super) async fn next(&mut self, caller: &Caller) -> Result<Option<Page>, Error> {
        let Some(call) = self.next.take() else {
            return Ok(None);
        };
        let answer = caller.get(&call).await?;
        let page = Page {
            plan: self.plan,
            status: answer.status,
            body: answer.body,
        };
        if page.is_list() {
            self.go_on(&call, answer.next, &page)?;
        }
        Ok(Some(page))
    }

    fn go_on(&mut self, call: &Get, next: Option<Link>, page: &Page) -> Result<(), Error> {
        let Some(next) = next else { return Ok(()) };
        let round = matches!(&call.target, Target::Link(link) if *link == next);
        let empty = matches!(page.body.trim_ascii(), b"[]" | b"");
        self.empty = if empty { self.empty + 1 } else { 0 };
        if round || self.empty >= EMPTY_PAGES {
            return Err(page.broken("the list of pages has no end"));
        }
        self.next = Some(Get {
            target: Target::Link(next),
            scope: call.scope,
            accepts: call.accepts,
            content_type: call.content_type,
        });
        Ok(())
    }
}

impl Page {
    /// Whether it is a page of the list at all.
    pub(super) const fn is_list(&self) -> bool {
        self.status < 300
    }

    /// The objects of the page, as they were sent.
    ///
    /// # Errors
    /// It is no list.
    pub(super) fn objects(&self) -> Result<Vec<&RawValue>, Error> {
        if self.body.trim_ascii().is_empty() {
            return Ok(Vec::new());
        }
        serde_json::from_slice(&self.body).map_err(|_| self.broken("the answer is no list"))
    }

    /// The page as a single object.
    ///
    /// # Errors
    /// It is no JSON.
    pub(super) fn object(&self) -> Result<&RawValue, Error> {
        serde_json::from_slice(&self.body).map_err(|_| self.broken("the answer is no JSON"))
    }

    /// The failure that this page is.
    pub(super) fn broken(&self, why: &str) -> Error {
        Error::new(ErrorKind::NotOkta, format!("{}: {why}", self.plan.purpose))
    }
}
