//! Who holds an admin role. Okta lists them, which spares one call for every user there is.

use serde::Deserialize;

use super::pages::Caller;
use super::plan::{ADMINISTRATORS, Plan, is_plain};
use crate::error::{Error, ErrorKind};
use crate::http::{Get, Target};

/// Pages after which the list is taken for a broken one: a million administrators.
const PAGES: u32 = 10_000;

/// A page. Unlike elsewhere, the way on is in the body.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    value: Vec<Assignee>,
    #[serde(default, rename = "_links")]
    links: Links,
}

#[derive(Deserialize)]
struct Assignee {
    id: String,
}

#[derive(Default, Deserialize)]
struct Links {
    next: Option<Next>,
}

#[derive(Deserialize)]
struct Next {
    href: String,
}

/// The ids of all users with an admin role, sorted, each once.
///
/// # Errors
/// As [`crate::Client::get`]; or the answer is no such list.
pub(super) async fn list(caller: &Caller, plan: &Plan) -> Result<Vec<Box<str>>, Error> {
    let first = || Get::path(ADMINISTRATORS, plan.scope).query("limit", "100");
    let mut ids: Vec<Box<str>> = Vec::new();
    let mut call = first();
    for _ in 0..PAGES {
        let answer = caller.get(&call).await?;
        let page: Answer = serde_json::from_slice(&answer.body)
            .map_err(|_| broken(plan, "the answer is no list of administrators"))?;
        let plain = page.value.into_iter().filter(|who| is_plain(&who.id));
        ids.extend(plain.map(|who| who.id.into_boxed_str()));
        call = match (answer.next, page.links.next.as_ref().and_then(cursor)) {
            (Some(link), _) => Get {
                target: Target::Link(link),
                ..first()
            },
            // Only the cursor is taken from the body, never the address.
            (None, Some(cursor)) => first().query("after", cursor),
            (None, None) => {
                ids.sort_unstable();
                ids.dedup();
                return Ok(ids);
            }
        };
    }
    Err(broken(plan, "the list of pages has no end"))
}

fn broken(plan: &Plan, why: &str) -> Error {
    Error::new(ErrorKind::NotOkta, format!("{}: {why}", plan.purpose))
}

/// The parameter `after` of a link.
fn cursor(next: &Next) -> Option<String> {
    let url = reqwest::Url::parse("https://okta.invalid")
        .ok()?
        .join(&next.href)
        .ok()?;
    let (_, cursor) = url.query_pairs().find(|(name, _)| name == "after")?;
    Some(cursor.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_taken_out_of_any_link() {
        let cursor = |href: &str| super::cursor(&Next { href: href.into() });
        assert_eq!(
            cursor("https://evil.example/api/v1/iam/assignees/users?after=a%2Bb&limit=1"),
            Some("a+b".into())
        );
        assert_eq!(
            cursor("/api/v1/iam/assignees/users?after=x"),
            Some("x".into())
        );
        assert_eq!(cursor("/api/v1/iam/assignees/users"), None);
        assert_eq!(cursor("https://["), None);
    }
}
