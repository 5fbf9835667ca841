//! A log as Okta keeps one: polled in the order of storing, looked up by `published`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use af_model::UtcMillis;

use super::now;
use crate::scripted::{Reply, Scripted, Seen};

/// One event: its id, when it was published, when it was stored.
#[derive(Clone, Debug)]
struct Event {
    id: String,
    published: UtcMillis,
    stored: UtcMillis,
}

/// The log of an org, in the order of storing.
#[derive(Clone, Default)]
pub(super) struct Org(Arc<Mutex<Vec<Event>>>);

impl Org {
    /// A log with these events, stored when they were published.
    pub(super) fn of(published: &[&str]) -> Self {
        let org = Self::default();
        for text in published {
            org.add(text, text);
        }
        org
    }

    /// Stores one more event.
    pub(super) fn add(&self, published: &str, stored: &str) {
        let mut events = self.0.lock().unwrap();
        let id = format!("e{:04}", events.len());
        events.push(Event {
            id,
            published: UtcMillis::parse(published).unwrap(),
            stored: UtcMillis::parse(stored).unwrap(),
        });
    }

    pub(super) fn ids(&self) -> BTreeSet<String> {
        let events = self.0.lock().unwrap();
        events.iter().map(|event| event.id.clone()).collect()
    }

    /// Answers as Okta does.
    pub(super) fn reply(&self, seen: &Seen) -> Reply {
        let events = self.0.lock().unwrap();
        let limit: usize = param(seen, "limit").unwrap().parse().unwrap();
        let since = param(seen, "since").map(|text| UtcMillis::parse(&text).unwrap());
        let until = param(seen, "until").map(|text| UtcMillis::parse(&text).unwrap());
        let after: usize = param(seen, "after").map_or(0, |after| after.parse().unwrap());
        let mut found: Vec<&Event> = events.iter().collect();
        if let Some(until) = until {
            found.retain(|event| event.published < until);
            found.retain(|event| since.is_none_or(|since| event.published >= since));
            found.sort_by_key(|event| event.published);
        } else {
            found.retain(|event| since.is_none_or(|since| event.stored >= since));
        }
        let page: Vec<String> = found
            .iter()
            .skip(after)
            .take(limit)
            .map(|e| json(e))
            .collect();
        let behind = after + page.len();
        let reply = Reply::json(200, &format!("[{}]", page.join(","))).date(0);
        let reply = reply.header("link", format!("<{}>; rel=\"self\"", seen.target));
        if until.is_some() && behind >= found.len() {
            return reply;
        }
        let mut next = format!("</api/v1/logs?limit={limit}&after={behind}");
        for (name, value) in [("since", since), ("until", until)] {
            if let Some(value) = value {
                let _ = write!(next, "&{name}={value}");
            }
        }
        reply.header("link", next + ">; rel=\"next\"")
    }

    /// A server that answers for it.
    pub(super) async fn serve(&self) -> Scripted {
        self.serve_but(|_, _| None).await
    }

    /// A server that answers for it, unless `fault` answers.
    pub(super) async fn serve_but(
        &self,
        fault: impl Fn(&Seen, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Scripted {
        let org = self.clone();
        Scripted::answering(move |seen, number| {
            fault(seen, number).unwrap_or_else(|| org.reply(seen))
        })
        .await
    }
}

fn json(event: &Event) -> String {
    format!(
        r#"{{"uuid":"{}","published":"{}"}}"#,
        event.id, event.published
    )
}

/// A parameter of a request.
pub(super) fn param(seen: &Seen, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(&format!("http://x{}", seen.target)).unwrap();
    url.query_pairs()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

/// Whether a request polls, without a link.
pub(super) fn is_first_poll(seen: &Seen) -> bool {
    param(seen, "sortOrder").is_some() && param(seen, "until").is_none()
}

/// Whether a request follows a link of the live stream.
pub(super) fn is_live_link(seen: &Seen) -> bool {
    param(seen, "after").is_some() && param(seen, "until").is_none()
}

/// Four days of history up to [`now`], 2023-11-14T22:13:20Z, and some news.
pub(super) fn four_days() -> Org {
    let org = Org::of(&[
        "2023-11-11T23:59:59.999Z",
        "2023-11-12T00:00:00.000Z",
        "2023-11-12T08:00:00.000Z",
        "2023-11-12T08:00:00.000Z",
        "2023-11-12T23:59:59.999Z",
        "2023-11-13T00:00:00.000Z",
        "2023-11-14T00:00:00.000Z",
        "2023-11-14T12:00:00.000Z",
        "2023-11-14T22:13:19.999Z",
        "2023-11-14T22:13:20.000Z",
        "2023-11-14T22:13:25.000Z",
        "2023-11-14T22:13:26.000Z",
    ]);
    // Published in the history, stored after it was looked up.
    org.add("2023-11-13T09:00:00.000Z", "2023-11-14T22:13:27.000Z");
    assert!(now() == UtcMillis::parse("2023-11-14T22:13:20Z").unwrap());
    org
}
