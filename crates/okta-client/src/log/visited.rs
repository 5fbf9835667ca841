//! Where a stream has been: the guard against going round in circles.

use std::collections::VecDeque;

use crate::http::Link;

/// How many links are remembered. A circle is not made of more by mistake.
const REMEMBERED: usize = 64;

/// The last links that were followed and gave events.
#[derive(Debug, Default)]
pub(super) struct Visited(VecDeque<Link>);

impl Visited {
    /// Notes that a link was followed.
    pub(super) fn note(&mut self, link: &Link) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(link.clone());
    }

    /// Whether it was followed before.
    pub(super) fn has(&self, link: &Link) -> bool {
        self.0.contains(link)
    }

    /// For a stream that begins anew.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
