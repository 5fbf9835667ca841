//! What a tenant's rows are made of, wherever it comes from.

use std::sync::Arc;

use af_count::CountedBlock;
use af_model::tables::{bucket_counts, user_scores};
use af_model::{Person, Population, UtcDay, UtcMillis};

use super::published::levels;

/// The people of one tenant with the counts of their attacks.
#[derive(Clone, Debug)]
pub struct Tenant<'a> {
    /// The tenant's uid.
    pub name: &'a str,
    /// Everybody who has a row, ascending by user id, each once.
    pub members: Vec<Member<'a>>,
    counts: Counts<'a>,
    /// Where each member's counts begin, and where the last one's end.
    starts: Vec<usize>,
    /// Erased people, of whom only loads are left, ascending by hash.
    pub erased: Vec<Erased<'a>>,
}

/// One person: what tables show of them, and with whom they are compared.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The person's id.
    pub user_uid: &'a str,
    /// Primary e-mail address.
    pub email: &'a str,
    /// Name shown to people.
    pub display_name: Option<&'a str>,
    /// Department.
    pub department: Option<&'a str>,
    /// Location.
    pub location: Option<&'a str>,
    /// The manager.
    pub manager_uid: Option<&'a str>,
    /// Whom the person is compared with.
    pub population: Population,
    /// Whether the person is one of them, or measured as if added.
    pub in_population: bool,
}

/// The incidents of one member, component, family and UTC day.
#[derive(Clone, Copy, Debug)]
pub struct MemberBucket<'a> {
    /// Part of the attack factor.
    pub component: &'a str,
    /// Kind of attack inside the component.
    pub family: &'a str,
    /// UTC day.
    pub day: UtcDay,
    /// Incidents by [`af_model::Level::slot`].
    pub counts: [u64; 4],
    /// Earliest signal.
    pub first_time: UtcMillis,
    /// Latest signal.
    pub last_time: UtcMillis,
    /// What was counted, where it is at hand: the rules and signals that attribution names.
    pub behind: &'a [CountedBlock],
}

/// What is left of an erased person.
#[derive(Clone, Debug)]
pub struct Erased<'a> {
    /// Keyed hash of the person's id.
    pub person_hash: &'a str,
    /// When the person was erased.
    pub erased_at: UtcMillis,
    /// Whom the person was compared with.
    pub population: Population,
    /// Whether the person counts as a colleague.
    pub in_population: bool,
    /// Component and load in micro-points, ascending by component, each once.
    pub loads: Vec<(&'a str, u64)>,
}

/// Counts as they were counted or published: ascending by member, component, family and day. They are
/// looked at where they lie, because a copy of millions would be as large as they are.
#[derive(Clone, Copy, Debug)]
enum Counts<'a> {
    /// Several blocks, one a level, are one bucket.
    Blocks(&'a [CountedBlock]),
    /// A row is a bucket. Checked to hold counts.
    Rows(&'a [bucket_counts::Row]),
}

impl<'a> Member<'a> {
    /// Somebody of the directory as of an instant.
    pub fn of_person(person: &'a Person, as_of: UtcMillis) -> Self {
        Self {
            user_uid: &person.user_uid,
            email: &person.email,
            display_name: person.display_name.as_deref(),
            department: person.department.as_deref(),
            location: person.location.as_deref(),
            manager_uid: person.manager_uid.as_deref(),
            population: person.population(),
            in_population: person.in_population(as_of),
        }
    }

    /// Somebody of a published snapshot, whose population was read from the row.
    pub(crate) fn of_row(row: &'a user_scores::Row, population: Population) -> Self {
        Self {
            user_uid: &row.user_uid,
            email: &row.email,
            display_name: row.display_name.as_deref(),
            department: row.department.as_deref(),
            location: row.location.as_deref(),
            manager_uid: row.manager_uid.as_deref(),
            population,
            in_population: row.in_population,
        }
    }
}

impl<'a> Tenant<'a> {
    /// Those of the tenant's people who exist at an instant, with what was counted against them. The first
    /// of `people` stands at the position `first`; blocks speak of positions.
    ///
    /// # Panics
    /// When a block is of somebody else: signals are joined to people who exist at the cut.
    pub fn of_counts(
        name: &'a str,
        people: &'a [Person],
        first: usize,
        blocks: &'a [CountedBlock],
        as_of: UtcMillis,
    ) -> Self {
        let mut members = Vec::with_capacity(people.len());
        let mut starts = Vec::with_capacity(people.len() + 1);
        let mut next = 0;
        for (position, person) in (first..).zip(people) {
            if !person.exists_at(as_of) {
                continue;
            }
            members.push(Member::of_person(person, as_of));
            starts.push(next);
            let own = blocks[next..]
                .iter()
                .take_while(|block| block.person as usize == position);
            next += own.count();
        }
        starts.push(next);
        assert_eq!(
            next,
            blocks.len(),
            "signals are joined to people who exist at the cut, in their order"
        );
        Self {
            name,
            members,
            counts: Counts::Blocks(blocks),
            starts,
            erased: Vec::new(),
        }
    }

    /// What a snapshot holds of a tenant: rows in their order, of members only, checked.
    pub(crate) fn of_rows(
        name: &'a str,
        members: Vec<Member<'a>>,
        rows: &'a [bucket_counts::Row],
        erased: Vec<Erased<'a>>,
    ) -> Self {
        let mut starts = Vec::with_capacity(members.len() + 1);
        let mut next = 0;
        for member in &members {
            starts.push(next);
            let own = rows[next..]
                .iter()
                .take_while(|row| row.user_uid == member.user_uid);
            next += own.count();
        }
        starts.push(next);
        assert_eq!(next, rows.len(), "every row was checked to be a member's");
        Self {
            name,
            members,
            counts: Counts::Rows(rows),
            starts,
            erased,
        }
    }

    /// What was counted against one member, ascending by component, family and day.
    pub fn buckets_of(&self, member: usize) -> Buckets<'a> {
        let own = self.starts[member]..self.starts[member + 1];
        Buckets(match self.counts {
            Counts::Blocks(blocks) => Counts::Blocks(&blocks[own]),
            Counts::Rows(rows) => Counts::Rows(&rows[own]),
        })
    }

    /// How many blocks or rows were counted against the members before this one.
    pub(crate) fn counted_before(&self, member: usize) -> usize {
        self.starts[member]
    }
}

/// The buckets of one member.
#[derive(Clone, Debug)]
pub struct Buckets<'a>(Counts<'a>);

impl<'a> Iterator for Buckets<'a> {
    type Item = MemberBucket<'a>;

    fn next(&mut self) -> Option<MemberBucket<'a>> {
        match &mut self.0 {
            Counts::Blocks(blocks) => {
                let first = blocks.first()?;
                let levels = blocks
                    .iter()
                    .take_while(|block| is_same_bucket(first, block));
                let (behind, rest) = blocks.split_at(levels.count());
                *blocks = rest;
                let mut counts = [0; 4];
                for block in behind {
                    counts[block.level.slot()] += block.n;
                }
                let times = |of: fn(&CountedBlock) -> UtcMillis| behind.iter().map(of);
                Some(MemberBucket {
                    component: &first.component,
                    family: &first.family,
                    day: first.day,
                    counts,
                    first_time: times(|block| block.first_time).min().unwrap_or_default(),
                    last_time: times(|block| block.last_time).max().unwrap_or_default(),
                    behind,
                })
            }
            Counts::Rows(rows) => {
                let (row, rest) = rows.split_first()?;
                *rows = rest;
                Some(MemberBucket {
                    component: &row.component,
                    family: &row.family,
                    day: row.day,
                    counts: levels(row).map(|(_, n)| n.unsigned_abs()),
                    first_time: row.first_time,
                    last_time: row.last_time,
                    behind: &[],
                })
            }
        }
    }
}

/// Whether two blocks of one person are levels of one bucket.
fn is_same_bucket(a: &CountedBlock, b: &CountedBlock) -> bool {
    let same = |a: &Arc<str>, b: &Arc<str>| Arc::ptr_eq(a, b) || a == b;
    a.day == b.day && same(&a.component, &b.component) && same(&a.family, &b.family)
}
