//! Links to this page and the next.

use crate::answer::Answer;
use crate::options::LinkStyle;
use crate::request::encoded;

/// The links of a page.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    pub(crate) this: String,
    pub(crate) next: Option<String>,
}

impl Links {
    /// Writes them into the headers; the style is mixed by the number of the call.
    pub(crate) fn write(&self, answer: &mut Answer, style: LinkStyle, call: u64) {
        let mut links = vec![format!("<{}>; rel=\"self\"", self.this)];
        if let Some(next) = &self.next {
            links.push(format!("<{next}>; rel=\"next\""));
        }
        let joined = match style {
            LinkStyle::Separate => false,
            LinkStyle::Joined => true,
            LinkStyle::Mixed => call.is_multiple_of(2),
        };
        if joined {
            answer.headers.push(("link", links.join(", ")));
        } else {
            let lines = links.into_iter().map(|link| ("link", link));
            answer.headers.extend(lines);
        }
    }
}

/// An URL with a query.
pub(crate) fn url(base: &str, path: &str, query: &[(String, String)]) -> String {
    let mut url = format!("{base}{path}");
    for (number, (name, value)) in query.iter().enumerate() {
        url.push(if number == 0 { '?' } else { '&' });
        url.push_str(&encoded(name));
        url.push('=');
        url.push_str(&encoded(value));
    }
    url
}

/// A query with a parameter replaced or added at the end.
pub(crate) fn with(query: &[(String, String)], name: &str, value: &str) -> Vec<(String, String)> {
    let mut query: Vec<_> = query
        .iter()
        .filter(|(known, _)| known != name)
        .cloned()
        .collect();
    query.push((name.to_owned(), value.to_owned()));
    query
}
