//! What was found, as much as somebody will read.

use af_model::view::VerifyFinding;

/// Places that are named; the others are counted.
const NAMED: usize = 20;

/// Findings in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Findings {
    named: Vec<VerifyFinding>,
    more: u64,
}

impl Findings {
    pub(super) fn add(&mut self, finding: VerifyFinding) {
        if self.named.len() < NAMED {
            self.named.push(finding);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    pub(super) fn into_parts(self) -> (Vec<VerifyFinding>, u64) {
        (self.named, self.more)
    }
}
