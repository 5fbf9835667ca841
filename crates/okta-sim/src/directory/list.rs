//! Lists that come in pages.

use super::Asked;
use crate::answer::{Answer, Refusal};
use crate::links::{Links, url, with};

/// How large a page is.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageSize {
    pub(super) usual: usize,
    pub(super) largest: usize,
}

/// One page of a list. `after` names the last object of the page before.
///
/// # Errors
/// A limit that is no positive number, an `after` that names nothing.
pub(super) fn page<T>(
    asked: Asked<'_>,
    items: &[T],
    size: PageSize,
    id: impl Fn(&T) -> &str,
    json: impl Fn(&T) -> String,
) -> super::Found {
    let limit = match asked.call.parameter("limit") {
        None => size.usual,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|limit| *limit > 0)
            .ok_or_else(|| Refusal::validation("limit", "limit must be a positive number"))?
            .min(size.largest),
    };
    let from = match asked.call.parameter("after") {
        None => 0,
        Some(after) => behind(items, after, &id)
            .ok_or_else(|| Refusal::validation("after", "The cursor is not valid"))?,
    };
    let end = items.len().min(from + limit);
    let answer = Answer::list(items[from..end].iter().map(json));
    let call = asked.call;
    let next = items[from..end].last().filter(|_| end < items.len());
    let next = next.map(|last| {
        let mut query = with(&call.query, "after", &format!("{end}.{}", id(last)));
        if call.parameter("limit").is_none() {
            query = with(&query, "limit", &limit.to_string());
        }
        url(asked.base, &call.path, &query)
    });
    let this = url(asked.base, &call.path, &call.query);
    Ok((answer, Some(Links { this, next })))
}

/// Where the page after a cursor begins: behind the object that the last page ended with, wherever
/// it is by now.
fn behind<T>(items: &[T], after: &str, id: impl Fn(&T) -> &str) -> Option<usize> {
    let (end, last) = after.split_once('.')?;
    let end: usize = end.parse().ok()?;
    let there = end.checked_sub(1).and_then(|at| items.get(at));
    if there.is_some_and(|item| id(item) == last) {
        return Some(end);
    }
    items
        .iter()
        .rposition(|item| id(item) == last)
        .map(|at| at + 1)
}

/// A list that always comes whole.
pub(super) fn whole(json: impl IntoIterator<Item = String>) -> (Answer, Option<Links>) {
    (Answer::list(json), None)
}
