//! Everybody who may be scored, in columns: a person takes a quarter of what a row does, and rows are made
//! of one tenant at a time.

use std::ops::Range;

use af_model::Person;
use af_model::tables::directory;
use arrow::array::RecordBatch;

/// People of one batch.
const BATCH_ROWS: usize = 1 << 16;

/// Everybody, sorted by tenant and user id, each once.
#[derive(Debug)]
pub struct Roster {
    batches: Vec<RecordBatch>,
    /// Every tenant and the positions of its people.
    tenants: Vec<(String, Range<usize>)>,
}

impl Roster {
    /// People as [`PeopleIndex::with_people`](af_count::PeopleIndex::with_people) hands them out, whose
    /// positions they keep.
    pub fn new(people: Vec<Person>) -> Self {
        let mut tenants: Vec<(String, Range<usize>)> = Vec::new();
        for (position, person) in people.iter().enumerate() {
            match tenants.last_mut() {
                Some((tenant, people)) if *tenant == person.tenant_uid => people.end = position + 1,
                _ => tenants.push((person.tenant_uid.clone(), position..position + 1)),
            }
        }
        let mut left = people.into_iter();
        let mut batches = Vec::new();
        while left.len() > 0 {
            // Each is let go of when it was written.
            let some: Vec<Person> = left.by_ref().take(BATCH_ROWS).collect();
            batches.push(directory::batch(&some));
        }
        Self { batches, tenants }
    }

    /// Every tenant with the positions of its people, ascending.
    pub fn tenants(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let tenants = self.tenants.iter();
        tenants.map(|(tenant, people)| (tenant.as_str(), people.clone()))
    }

    /// How many people there are.
    pub fn len(&self) -> usize {
        self.tenants.last().map_or(0, |(_, people)| people.end)
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }

    /// The people at some positions; where nobody stands is nobody.
    #[expect(
        clippy::missing_panics_doc,
        reason = "what was written as people reads as people"
    )]
    pub fn people(&self, positions: Range<usize>) -> Vec<Person> {
        let mut people = Vec::with_capacity(positions.len());
        let firsts = (0..).step_by(BATCH_ROWS);
        for (first, batch) in firsts.zip(&self.batches) {
            let from = positions.start.clamp(first, first + batch.num_rows());
            let to = positions.end.clamp(first, first + batch.num_rows());
            if from < to {
                let rows = directory::rows(&batch.slice(from - first, to - from));
                people.append(&mut rows.expect("the batch was made of people"));
            }
        }
        people
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_come_back_by_position_whatever_batch_they_are_in() {
        let all: Vec<Person> = ["acme", "beta", "gamma"]
            .into_iter()
            .flat_map(|tenant| {
                (0..40_000).map(move |n| Person {
                    title: (n % 2 == 0).then(|| "boss".to_owned()),
                    ..Person::new(tenant, &format!("u{n:05}"), "a@acme.example")
                })
            })
            .collect();
        let roster = Roster::new(all.clone());
        let tenants: Vec<_> = roster.tenants().collect();
        let expected = [
            ("acme", 0..40_000),
            ("beta", 40_000..80_000),
            ("gamma", 80_000..120_000),
        ];
        assert_eq!(tenants, expected);
        for range in [0..1, 65_535..65_537, 40_000..80_000, 119_999..120_000, 7..7] {
            assert_eq!(roster.people(range.clone()), all[range]);
        }
    }
}
