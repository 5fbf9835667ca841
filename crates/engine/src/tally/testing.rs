//! A simulated organization as a count asks for it.

use af_count::{PeopleIndex, Retractions};
use af_testkit::oracle::OracleInput;

use super::{Counting, Cut};

/// Counts at the cut of the organization, with its key.
pub(super) fn counting<'a>(
    input: &'a OracleInput,
    people: &'a PeopleIndex,
    retractions: &'a Retractions,
) -> Counting<'a> {
    Counting {
        people,
        retractions,
        cut: Cut {
            as_of: input.as_of,
            known_at: input.known_at,
        },
        key: Some(&input.key),
    }
}
