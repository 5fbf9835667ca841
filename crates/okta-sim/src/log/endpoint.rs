//! `GET /api/v1/logs`.

use chrono::DateTime;

use super::cursor::Cursors;
use super::index::{Order, Position};
use super::page::Wanted;
use super::store::Store;
use crate::answer::{Answer, Refusal};
use crate::filter::Filter;
use crate::links::{Links, url, with};
use crate::random::Random;
use crate::request::Call;

const DAY: i64 = 86_400_000;
/// What a query without `since` looks back on.
const USUAL_DAYS: i64 = 7;
/// What is kept.
const RETENTION_DAYS: i64 = 90;
/// What may be asked for.
const LONGEST_DAYS: i64 = 180;
const USUAL_LIMIT: usize = 100;
const LARGEST_LIMIT: usize = 1000;

/// What is wrong with a page on command.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Twist {
    /// So many events of the page before come again.
    pub(crate) repeat: usize,
    /// The events of the page change places, by this number.
    pub(crate) shuffle: Option<u64>,
}

/// A query, read.
struct Query {
    /// The order of persistence, without an end.
    polling: bool,
    descending: bool,
    /// Bounds by the instant that orders: the first included, the last not.
    since: i64,
    until: i64,
    after: Option<Position>,
    limit: usize,
    filter: Option<Filter>,
    keywords: Vec<String>,
}

impl Query {
    fn order(&self) -> Order {
        if self.polling {
            Order::Persisted
        } else {
            Order::Published
        }
    }

    fn read(call: &Call, now: i64, cursors: Cursors) -> Result<Self, Refusal> {
        let descending = match call.parameter("sortOrder") {
            None => false,
            Some(order) if order.eq_ignore_ascii_case("ASCENDING") => false,
            Some(order) if order.eq_ignore_ascii_case("DESCENDING") => true,
            Some(_) => return Err(Refusal::validation("sortOrder", "sortOrder is not valid")),
        };
        let instant = |name: &'static str| {
            let Some(text) = call.parameter(name) else {
                return Ok(None);
            };
            DateTime::parse_from_rfc3339(text)
                .map(|instant| Some(instant.timestamp_millis()))
                .map_err(|_| {
                    Refusal::validation(name, "The date must be in ISO 8601 format with a zone")
                })
        };
        let until = instant("until")?;
        let since = instant("since")?;
        if since.is_some_and(|since| since < now - LONGEST_DAYS * DAY) {
            return Err(Refusal::filter(
                "The since parameter is over 180 days prior to the current day.",
            ));
        }
        let polling = until.is_none() && !descending;
        let until = until.unwrap_or(now + 1);
        let since = since.unwrap_or(until - USUAL_DAYS * DAY);
        if !polling && since > until {
            return Err(Refusal::validation(
                "since",
                "The since parameter is later than until",
            ));
        }
        let limit = match call.parameter("limit") {
            None => USUAL_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| *limit <= LARGEST_LIMIT)
                .ok_or_else(|| Refusal::validation("limit", "limit must be between 0 and 1000"))?,
        };
        let order = if polling {
            Order::Persisted
        } else {
            Order::Published
        };
        let after = match call.parameter("after") {
            None => None,
            Some(text) => Some(cursors.read(order, text).ok_or_else(|| {
                Refusal::validation("after", "The cursor is not valid or has expired")
            })?),
        };
        let keywords: Vec<String> = call
            .parameter("q")
            .into_iter()
            .flat_map(str::split_whitespace)
            .map(str::to_lowercase)
            .collect();
        if keywords.len() > 10 || keywords.iter().any(|word| word.chars().count() > 40) {
            return Err(Refusal::validation(
                "q",
                "at most 10 keywords of 40 characters",
            ));
        }
        Ok(Self {
            polling,
            descending,
            since: since.max(now - RETENTION_DAYS * DAY),
            until,
            after,
            limit,
            filter: call.parameter("filter").map(Filter::parse).transpose()?,
            keywords,
        })
    }

    fn is_like(&self, event: &[u8]) -> bool {
        if self
            .filter
            .as_ref()
            .is_some_and(|filter| !filter.holds(event))
        {
            return false;
        }
        if self.keywords.is_empty() {
            return true;
        }
        let text = String::from_utf8_lossy(event).to_lowercase();
        self.keywords.iter().all(|word| text.contains(word))
    }
}

/// Answers a query at an instant.
pub(crate) fn answer(
    store: &Store,
    call: &Call,
    base: &str,
    now: i64,
    twist: Twist,
) -> Result<(Answer, Links), Refusal> {
    let broken = |_| Refusal::server(500);
    let cursors = Cursors::new(store.seed);
    let query = Query::read(call, now, cursors)?;
    store.reach(now).map_err(broken)?;

    let order = query.order();
    let first = Position::before(query.since);
    // An end is not reached.
    let end = Position {
        millis: if query.polling {
            now.saturating_add(1)
        } else {
            query.until
        },
        number: 0,
    };
    let (after, before) = match (query.after, query.descending) {
        (None, _) => (first, end),
        (Some(after), false) => (after, end),
        (Some(before), true) => (first, before),
    };
    let like = |event: &[u8]| query.is_like(event);
    let plain = query.filter.is_none() && query.keywords.is_empty();
    let mut wanted = Wanted {
        order,
        descending: query.descending,
        after,
        before,
        now,
        // One more tells whether there is another page.
        limit: query.limit + usize::from(!query.polling),
        like: if plain { None } else { Some(&like) },
    };
    let mut hits = store.find(&wanted).map_err(broken)?;
    let more = hits.len() > query.limit;
    hits.truncate(query.limit);
    let reached = hits.last().map(|hit| hit.position);

    if twist.repeat > 0 && query.after.is_some() && !query.descending {
        wanted.descending = true;
        wanted.after = Position::before(i64::MIN + 1);
        wanted.before = Position {
            number: after.number.saturating_add(1),
            ..after
        };
        wanted.limit = twist.repeat;
        let mut repeated = store.find(&wanted).map_err(broken)?;
        repeated.reverse();
        hits.splice(..0, repeated);
    }
    if let Some(number) = twist.shuffle {
        let mut random = Random::new(number);
        for place in (1..hits.len()).rev() {
            hits.swap(place, random.below(place + 1));
        }
    }

    let mut body = Vec::new();
    store.cut(&hits, &mut body).map_err(broken)?;
    let mut answer = Answer::of(200, body);
    answer.events = hits.len();
    let next = if query.polling || (more && query.limit > 0) {
        let position = reached.unwrap_or(after);
        let mut next = with(&call.query, "after", &cursors.write(order, position));
        if !query.polling {
            // The window must not grow from page to page.
            let until = af_model::UtcMillis(query.until).to_string();
            next = with(&next, "until", &until);
        }
        Some(url(base, &call.path, &next))
    } else {
        None
    };
    let this = url(base, &call.path, &call.query);
    Ok((answer, Links { this, next }))
}
