//! Whole inputs: dice → people, signals, retractions, cuts and parameters.

use af_model::{HashKey, Params, UtcMillis};
use proptest::prelude::*;

use super::dice::{Random, pick};
use super::{people, retractions, signals};
use crate::oracle::OracleInput;

/// The tenants that may occur.
pub(super) const TENANTS: [&str; 3] = ["acme", "beta.example", "gamma-9"];

/// The last millisecond of 2026-11-20, which most organizations are scored as of.
const AS_OF: UtcMillis = UtcMillis(1_795_219_199_999);

const DAY: i64 = 86_400_000;

/// Where "so many days ago" is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar {
    as_of: UtcMillis,
}

impl Calendar {
    /// The midnight that started the UTC day `days` before the day of `as_of`.
    pub(super) fn days_ago(self, days: i64) -> UtcMillis {
        UtcMillis(self.as_of.day().start().0 - days * DAY)
    }
}

/// How much to grow.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// People of all tenants together.
    pub people: usize,
    /// Signals of all tenants together, duplicates included.
    pub signals: usize,
}

/// The dice of an organization. Zeros everywhere are the plainest one of its size.
#[derive(Clone, Debug, Default)]
pub struct Sketch {
    people: Vec<[u8; people::DICE]>,
    signals: Vec<[u8; signals::DICE]>,
    retractions: Vec<[u8; retractions::DICE]>,
    cuts: [u8; 3],
}

impl Sketch {
    /// Grows the organization.
    pub fn grow(&self) -> OracleInput {
        let [as_of, known_at, params] = self.cuts;
        let as_of = match pick(as_of, &[(160, 0), (48, 1), (48, 2)]) {
            0 => AS_OF,
            1 => UtcMillis(AS_OF.0 - DAY / 2 + 1), // noon
            _ => UtcMillis(AS_OF.day().start().0), // midnight
        };
        let known_at = match pick(known_at, &[(100, 0), (80, 1), (76, 2)]) {
            0 => as_of,
            1 => UtcMillis(as_of.0 + 2 * DAY),
            _ => UtcMillis(as_of.0 - 3 * DAY),
        };
        let calendar = Calendar { as_of };
        let key = HashKey::new([7; 32]);
        let people = people::people(&self.people, calendar);
        let signals = signals::signals(&self.signals, &people, calendar, &key);
        OracleInput {
            retractions: retractions::retractions(&self.retractions, &signals, known_at),
            signals,
            people,
            as_of,
            known_at,
            params: parameters(params),
            key,
        }
    }
}

fn parameters(die: u8) -> Params {
    let mut params = Params::default();
    match pick(die, &[(150, 0), (30, 1), (30, 2), (26, 3), (20, 4)]) {
        1 => {
            params.weights.insert("identity".to_owned(), 500);
            params.weights.insert("email".to_owned(), 0);
            params.weights.insert("malware".to_owned(), 2500);
        }
        2 => {
            params.lambda = 1;
            params.q = 7;
            params.cap = 1;
        }
        3 => {
            params.kappa = 0;
            params.q = 0;
        }
        4 => {
            params.points.medium = 10;
            params.points.high = 100;
            params.points.critical = 1000;
        }
        _ => {}
    }
    params
}

/// The organization of a seed: always the same one.
pub fn organization(seed: u64, size: Size) -> OracleInput {
    let mut random = Random::new(seed);
    Sketch {
        people: (0..size.people).map(|_| random.dice()).collect(),
        signals: (0..size.signals).map(|_| random.dice()).collect(),
        retractions: (0..size.signals.div_ceil(20))
            .map(|_| random.dice())
            .collect(),
        cuts: random.dice(),
    }
    .grow()
}

/// Sketches of 1 to 60 people with 0 to 400 signals.
pub fn sketches() -> impl Strategy<Value = Sketch> {
    (
        prop::collection::vec(any::<[u8; people::DICE]>(), 1..=60),
        prop_oneof![
            1 => Just(Vec::new()).boxed(),
            9 => prop::collection::vec(any::<[u8; signals::DICE]>(), 0..60).boxed(),
            6 => prop::collection::vec(any::<[u8; signals::DICE]>(), 60..=400).boxed(),
        ],
        prop::collection::vec(any::<[u8; retractions::DICE]>(), 0..20),
        any::<[u8; 3]>(),
    )
        .prop_map(|(people, signals, retractions, cuts)| Sketch {
            people,
            signals,
            retractions,
            cuts,
        })
}

/// Organizations of 1 to 60 people with 0 to 400 signals over about 100 days.
pub fn organizations() -> impl Strategy<Value = OracleInput> {
    sketches().prop_map(|sketch| sketch.grow())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_of_is_the_end_of_the_day_it_claims() {
        assert_eq!(AS_OF, UtcMillis::parse_cut("2026-11-20").unwrap());
    }

    #[test]
    fn zeros_are_one_plain_person_with_one_plain_attack() {
        let sketch = Sketch {
            people: vec![[0; people::DICE]],
            signals: vec![[0; signals::DICE]],
            ..Sketch::default()
        };
        let input = sketch.grow();
        assert_eq!(input.people[0].user_uid, "00u00000000000000000");
        assert_eq!(
            input.signals[0].subject_uid.as_ref(),
            Some(&input.people[0].user_uid)
        );
        assert_eq!(input.signals[0].level, "low");
        assert_eq!(crate::oracle::oracle(&input)["acme"].account.scored, 1);
    }
}
