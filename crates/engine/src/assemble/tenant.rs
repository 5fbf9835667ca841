//! What a tenant's rows are made of, wherever it comes from.

use af_count::CountedBlock;
use af_model::tables::{signal_attribution, user_scores};
use af_model::{Params, Person, Population, UtcDay, UtcMillis};

use super::cohort::{Cohort, Names, POPULATIONS};
use super::rows::Scored;
use super::{SnapshotTables, Stamp};

/// The people of one tenant with the counts of their attacks.
#[derive(Clone, Debug)]
pub struct Tenant<'a> {
    /// The tenant's uid.
    pub name: &'a str,
    /// Everybody who has a row, ascending by user id, each once.
    pub members: Vec<Member<'a>>,
    /// Ascending by member, component, family and day, each once.
    pub buckets: Vec<MemberBucket<'a>>,
    /// Erased people, of whom only loads are left.
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
    /// Position in [`Tenant::members`].
    pub member: u32,
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

impl Tenant<'_> {
    /// Scores both populations and makes the rows of every table but `bucket_counts` and
    /// `unmatched_signals`, which are none of the formula's figures.
    ///
    /// # Errors
    /// When the kernel refuses the counts.
    pub fn tables(
        &self,
        params: &Params,
        stamp: &Stamp,
    ) -> Result<SnapshotTables, af_score::Error> {
        let names = Names::of(self);
        let mut tables = SnapshotTables::default();
        for population in POPULATIONS {
            let cohort = Cohort::new(self, population, &names);
            if !cohort.is_empty() {
                Scored::new(&cohort, params, stamp)?.write(&mut tables);
            }
        }
        // Two populations were written one after the other; the tables promise one order.
        tables
            .user_scores
            .sort_by(|a, b| a.user_uid.cmp(&b.user_uid));
        tables
            .component_scores
            .sort_by(|a, b| (&a.user_uid, &a.component).cmp(&(&b.user_uid, &b.component)));
        tables
            .signal_attribution
            .sort_by(|a, b| attribution_key(a).cmp(&attribution_key(b)));
        tables
            .tombstones
            .sort_by(|a, b| (&a.person_hash, &a.component).cmp(&(&b.person_hash, &b.component)));
        Ok(tables)
    }
}

fn attribution_key(row: &signal_attribution::Row) -> impl Ord + '_ {
    (
        &row.user_uid,
        &row.component,
        &row.family,
        row.day,
        &row.level,
    )
}
