//! Counts → bytes.

use std::collections::BTreeMap;

use af_count::{Counted, PeopleIndex, TenantCounts};

use super::checked::close;
use super::numbers::{Numbers, narrow};
use super::stream::Written;
use super::tables::{Blocks, Details, Ends, Feeds, Kinds, Nobodys, Tenants};
use super::{HEAD_BYTES, PIECES};

/// Writes what was counted of some days, a few tenants after the other.
pub(in crate::tally) struct Writer<'p> {
    people: &'p PeopleIndex,
    numbers: Numbers,
    /// All but blocks and signals of nobody.
    sums: Counted,
    /// Where the rows of tenants that have some end.
    ends: BTreeMap<String, Ends>,
    blocks: Written<Blocks>,
    details: Written<Details>,
    unmatched: Written<Nobodys>,
}

impl<'p> Writer<'p> {
    /// Nothing yet.
    pub(in crate::tally) fn new(people: &'p PeopleIndex) -> Self {
        Self {
            people,
            numbers: Numbers::default(),
            sums: Counted::default(),
            ends: BTreeMap::new(),
            // The head is filled in at the end, so that what follows need not be moved.
            blocks: Written::after(vec![0; HEAD_BYTES]),
            details: Written::after(Vec::new()),
            unmatched: Written::after(Vec::new()),
        }
    }

    /// All that was added but blocks and signals of nobody.
    pub(in crate::tally) fn sums(&self) -> &Counted {
        &self.sums
    }

    /// Adds counts. Tenants that have blocks or signals of nobody come in ascending order; one may come again as long
    /// as no other did, with blocks that go on where its last ones ended.
    pub(in crate::tally) fn add(&mut self, counted: Counted) {
        self.numbers.forget_places();
        for (name, counts) in &counted.tenants {
            if counts.blocks.is_empty() && counts.unmatched.is_empty() {
                continue;
            }
            for block in &counts.blocks {
                let user_uid = self.people.user_uid(block.person);
                self.blocks.push((block, user_uid), &mut self.numbers);
                self.details.push(block, &mut self.numbers);
            }
            for row in &counts.unmatched {
                self.unmatched.push(row, &mut self.numbers);
            }
            let ends = Ends {
                blocks: self.blocks.rows(),
                unmatched: self.unmatched.rows(),
            };
            let last = self.ends.last_key_value();
            assert!(
                last.is_none_or(|(last, _)| last <= name),
                "the rows of tenants come in ascending order"
            );
            self.ends.insert(name.clone(), ends);
        }
        self.sums.absorb(Counted {
            tenants: counted
                .tenants
                .into_iter()
                .map(|(name, counts)| {
                    let sums = TenantCounts {
                        blocks: Vec::new(),
                        unmatched: Vec::new(),
                        ..counts
                    };
                    (name, sums)
                })
                .collect(),
            latest_ingested: counted.latest_ingested,
        });
    }

    /// The bytes, for this run alone, and what [`Writer::sums`] says.
    pub(in crate::tally) fn finish(self) -> (Vec<u8>, Counted) {
        self.finish_as("", false)
    }

    /// As [`Writer::finish`], under an id and so that a change of the bytes is noticed.
    pub(in crate::tally) fn finish_under(self, id: &str) -> (Vec<u8>, Counted) {
        self.finish_as(id, true)
    }

    fn finish_as(self, id: &str, with_hashes: bool) -> (Vec<u8>, Counted) {
        let mut numbers = self.numbers;
        let mut tenants = Written::<Tenants>::after(Vec::new());
        let mut feeds = Written::<Feeds>::after(Vec::new());
        let mut ends = Ends {
            blocks: 0,
            unmatched: 0,
        };
        for (place, (name, counts)) in self.sums.tenants.iter().enumerate() {
            ends = self.ends.get(name).copied().unwrap_or(ends);
            tenants.push((name, counts, ends), &mut numbers);
            for (component, feed) in &counts.feeds {
                feeds.push((narrow(place), component, feed), &mut numbers);
            }
        }
        let mut of_blocks = Written::<Kinds>::after(Vec::new());
        let (mut names, kinds) = numbers.meaning();
        for kind in kinds {
            of_blocks.push(kind, &mut Numbers::default());
        }
        id.clone_into(&mut names.id);
        names.latest_ingested = self.sums.latest_ingested;
        let names = serde_json::to_vec(&names).expect("names and numbers are always JSON");

        let mut bytes = self.blocks.finish();
        let mut lengths = [bytes.len() - HEAD_BYTES; PIECES];
        let others = [
            self.details.finish(),
            self.unmatched.finish(),
            tenants.finish(),
            feeds.finish(),
            of_blocks.finish(),
            names,
        ];
        for (length, piece) in lengths[1..].iter_mut().zip(others) {
            *length = piece.len();
            bytes.extend(piece);
        }
        let mut bytes = close(bytes, lengths, with_hashes);
        bytes.shrink_to_fit();
        (bytes, self.sums)
    }
}
