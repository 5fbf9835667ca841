//! One population of one tenant as the kernel wants it.

use std::collections::BTreeSet;

use af_model::{Params, Population, UtcDay};
use af_score::{Bucket, GivenLoad, Organization, Scores};
use rayon::prelude::*;

use super::tenant::{Buckets, Erased, Member, Tenant};

/// Who is never compared with whom, in the order in which tables name them.
pub(crate) const POPULATIONS: [Population; 2] = [Population::Human, Population::Service];

/// People whose buckets are made in one go.
const PEOPLE_AT_ONCE: usize = 1024;

/// The components and families of a tenant, of both populations, ascending: a place in them is an
/// index of the kernel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) components: Vec<String>,
    pub(crate) families: Vec<String>,
}

impl Names {
    /// What the tenant's counts and tombstones name.
    pub(crate) fn of(tenant: &Tenant<'_>) -> Self {
        Self::of_all([tenant])
    }

    /// What any of these tenants names.
    pub(crate) fn of_all<'a>(tenants: impl IntoIterator<Item = &'a Tenant<'a>>) -> Self {
        let (mut components, mut families) = (BTreeSet::new(), BTreeSet::new());
        for tenant in tenants {
            let mut last = ("", "");
            for bucket in (0..tenant.members.len()).flat_map(|member| tenant.buckets_of(member)) {
                // Names come in long runs.
                if !is_same(last.0, bucket.component) || components.is_empty() {
                    components.insert(bucket.component);
                }
                if !is_same(last.1, bucket.family) || families.is_empty() {
                    families.insert(bucket.family);
                }
                last = (bucket.component, bucket.family);
            }
            let erased = tenant.erased.iter().flat_map(|erased| &erased.loads);
            components.extend(erased.map(|(component, _)| *component));
        }
        let owned = |names: BTreeSet<&str>| names.into_iter().map(str::to_owned).collect();
        Self {
            components: owned(components),
            families: owned(families),
        }
    }
}

/// Whether two texts are the same; seldom looks at them, because counts share their names.
fn is_same(a: &str, b: &str) -> bool {
    std::ptr::eq(a, b) || a == b
}

/// Finds the places of names that come in runs.
pub(super) struct Places<'a> {
    names: &'a [String],
    last: Option<(&'a str, u32)>,
}

impl<'a> Places<'a> {
    pub(super) const fn new(names: &'a [String]) -> Self {
        Self { names, last: None }
    }

    pub(super) fn place(&mut self, name: &'a str) -> u32 {
        match self.last {
            Some((last, place)) if is_same(last, name) => place,
            _ => {
                let place = place(self.names, name);
                self.last = Some((name, place));
                place
            }
        }
    }
}

/// People who are compared with each other: first the members, then the erased.
#[derive(Clone, Debug)]
pub(crate) struct Cohort<'a> {
    pub(crate) tenant: &'a Tenant<'a>,
    pub(crate) names: &'a Names,
    pub(crate) population: Population,
    /// Positions among the tenant's members, ascending.
    members: Vec<u32>,
    /// Positions among the tenant's erased.
    erased: Vec<usize>,
    /// Of members and erased.
    in_population: Vec<bool>,
    buckets: Vec<Bucket>,
    /// Where each member's buckets begin, and where the last one's end.
    starts: Vec<usize>,
    given: Vec<GivenLoad>,
}

/// What the kernel gets of the members of one population.
#[derive(Debug)]
pub(super) struct MemberBuckets {
    buckets: Vec<Bucket>,
    /// Where each member's begin, and where the last one's end.
    starts: Vec<usize>,
}

impl<'a> Cohort<'a> {
    pub(crate) fn new(tenant: &'a Tenant<'a>, population: Population, names: &'a Names) -> Self {
        let mut counts = MemberBuckets::none();
        counts.add(tenant, population, names);
        Self::of_buckets(tenant, population, names, counts)
    }

    /// A population whose buckets were made before: those of all its members in the tenant.
    pub(super) fn of_buckets(
        tenant: &'a Tenant<'a>,
        population: Population,
        names: &'a Names,
        MemberBuckets { buckets, starts }: MemberBuckets,
    ) -> Self {
        let members = of_population(tenant, population);
        let erased: Vec<usize> = (0..tenant.erased.len())
            .filter(|&position| tenant.erased[position].population == population)
            .collect();
        let mut in_population: Vec<bool> = members
            .iter()
            .map(|&member| tenant.members[member as usize].in_population)
            .collect();
        let mut given = Vec::new();
        for &position in &erased {
            let erased = &tenant.erased[position];
            let member = u32::try_from(in_population.len())
                .expect("a population has fewer than 2^32 members");
            given.extend(
                erased
                    .loads
                    .iter()
                    .map(|&(component, load_micro)| GivenLoad {
                        member,
                        component: place(&names.components, component),
                        load_micro,
                    }),
            );
            in_population.push(erased.in_population);
        }
        Self {
            tenant,
            names,
            population,
            members,
            erased,
            in_population,
            buckets,
            starts,
            given,
        }
    }

    /// Whether nobody is compared here.
    pub(crate) fn is_empty(&self) -> bool {
        self.in_population.is_empty()
    }

    /// The kernel's own input.
    pub(crate) fn organization(&self) -> Organization<'_> {
        Organization {
            in_population: &self.in_population,
            components: &self.names.components,
            buckets: &self.buckets,
        }
    }

    /// Everybody's figures; those of the erased come after all members.
    pub(crate) fn score(&self, as_of: UtcDay, params: &Params) -> Result<Scores, af_score::Error> {
        af_score::score_given(&self.organization(), &self.given, as_of, params)
    }

    /// The members in the kernel's order.
    pub(crate) fn members(&self) -> impl Iterator<Item = &'a Member<'a>> {
        let members = &self.tenant.members;
        self.members.iter().map(|&member| &members[member as usize])
    }

    /// How many of the cohort's members come before this position among the tenant's: the member's own
    /// place here, if it is one.
    pub(crate) fn members_before(&self, member: usize) -> usize {
        self.members
            .partition_point(|&position| (position as usize) < member)
    }

    /// The erased in the kernel's order, after the members.
    pub(crate) fn erased(&self) -> impl Iterator<Item = &'a Erased<'a>> {
        let erased = &self.tenant.erased;
        self.erased.iter().map(|&position| &erased[position])
    }

    /// Members, without the erased.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether each member, and after them each of the erased, counts as a colleague.
    pub(crate) fn in_population(&self) -> &[bool] {
        &self.in_population
    }

    /// One member's buckets with all that is known of them.
    pub(crate) fn buckets_of(&self, position: usize) -> Buckets<'a> {
        self.tenant.buckets_of(self.members[position] as usize)
    }

    /// One member's buckets as the kernel has them.
    pub(crate) fn counts_of(&self, position: usize) -> &[Bucket] {
        &self.buckets[self.starts[position]..self.starts[position + 1]]
    }
}

/// The places of the members of one population, ascending.
fn of_population(tenant: &Tenant<'_>, population: Population) -> Vec<u32> {
    (0_u32..)
        .zip(&tenant.members)
        .filter(|(_, member)| member.population == population)
        .map(|(position, _)| position)
        .collect()
}

impl MemberBuckets {
    /// Those of nobody.
    pub(super) fn none() -> Self {
        Self {
            buckets: Vec::new(),
            starts: vec![0],
        }
    }

    /// Makes room for so many more buckets.
    pub(super) fn reserve(&mut self, buckets: usize) {
        self.buckets.reserve_exact(buckets);
    }

    /// Adds the members of one population, who come after all those before them. Returned are the added
    /// buckets, whose places of names are those of `names`.
    pub(super) fn add<'t>(
        &mut self,
        tenant: &'t Tenant<'t>,
        population: Population,
        names: &'t Names,
    ) -> &mut [Bucket] {
        let members = of_population(tenant, population);
        let (buckets, lengths) = buckets(tenant, names, &members, self.starts.len() - 1);
        let mut next = self.buckets.len();
        let added = next;
        self.starts.extend(lengths.into_iter().map(|length| {
            next += length;
            next
        }));
        for mut part in buckets {
            self.buckets.append(&mut part);
        }
        &mut self.buckets[added..]
    }

    /// All of them.
    pub(super) fn all(&mut self) -> &mut [Bucket] {
        &mut self.buckets
    }
}

/// The kernel's buckets of these members, in parts one after the other, and how many each member has.
/// The members come after so many others of their population.
fn buckets<'a>(
    tenant: &'a Tenant<'a>,
    names: &'a Names,
    members: &[u32],
    after: usize,
) -> (Vec<Vec<Bucket>>, Vec<usize>) {
    let parts: Vec<(Vec<Bucket>, Vec<usize>)> = members
        .par_chunks(PEOPLE_AT_ONCE)
        .enumerate()
        .map(|(chunk, members)| {
            let mut components = Places::new(&names.components);
            let mut families = Places::new(&names.families);
            let (mut buckets, mut lengths) = (Vec::new(), Vec::with_capacity(members.len()));
            let first = u32::try_from(after + chunk * PEOPLE_AT_ONCE)
                .expect("a population has fewer than 2^32 members");
            for (position, &member) in (first..).zip(members) {
                let before = buckets.len();
                let own = tenant.buckets_of(member as usize);
                buckets.extend(own.map(|bucket| Bucket {
                    member: position,
                    component: components.place(bucket.component),
                    family: families.place(bucket.family),
                    day: bucket.day,
                    counts: bucket.counts,
                }));
                lengths.push(buckets.len() - before);
            }
            (buckets, lengths)
        })
        .collect();
    let mut buckets = Vec::with_capacity(parts.len());
    let mut lengths = Vec::with_capacity(members.len());
    for (part, mut of_part) in parts {
        buckets.push(part);
        lengths.append(&mut of_part);
    }
    (buckets, lengths)
}

/// The place of a name in an ascending list that holds it.
fn place(names: &[String], name: &str) -> u32 {
    let place = names
        .binary_search_by(|probe| probe.as_str().cmp(name))
        .expect("the list was made of the same counts");
    u32::try_from(place).expect("a tenant has fewer than 2^32 components and families")
}
