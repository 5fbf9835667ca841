//! One population of one tenant as the kernel wants it.

use std::collections::BTreeSet;
use std::ops::Range;

use af_model::{Params, Population, UtcDay};
use af_score::{Bucket, GivenLoad, Organization, Scores};

use super::tenant::{Erased, Member, MemberBucket, Tenant};

/// Who is never compared with whom, in the order in which tables name them.
pub(crate) const POPULATIONS: [Population; 2] = [Population::Human, Population::Service];

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
            for bucket in &tenant.buckets {
                components.insert(bucket.component);
                families.insert(bucket.family);
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
    /// The tenant's buckets of each member.
    spans: Vec<Range<usize>>,
    given: Vec<GivenLoad>,
}

impl<'a> Cohort<'a> {
    pub(crate) fn new(tenant: &'a Tenant<'a>, population: Population, names: &'a Names) -> Self {
        let members: Vec<u32> = (0_u32..)
            .zip(&tenant.members)
            .filter(|(_, member)| member.population == population)
            .map(|(position, _)| position)
            .collect();
        let erased: Vec<usize> = (0..tenant.erased.len())
            .filter(|&position| tenant.erased[position].population == population)
            .collect();
        let mut in_population: Vec<bool> = members
            .iter()
            .map(|&member| tenant.members[member as usize].in_population)
            .collect();
        let all = &tenant.buckets;
        let mut buckets = Vec::new();
        let mut spans = Vec::with_capacity(members.len());
        for (position, &member) in (0_u32..).zip(&members) {
            let from = all.partition_point(|bucket| bucket.member < member);
            let to = from + all[from..].partition_point(|bucket| bucket.member == member);
            buckets.extend(all[from..to].iter().map(|bucket| Bucket {
                member: position,
                component: place(&names.components, bucket.component),
                family: place(&names.families, bucket.family),
                day: bucket.day,
                counts: bucket.counts,
            }));
            spans.push(from..to);
        }
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
            spans,
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
    pub(crate) fn buckets_of(&self, position: usize) -> &'a [MemberBucket<'a>] {
        &self.tenant.buckets[self.spans[position].clone()]
    }
}

/// The place of a name in an ascending list that holds it.
fn place(names: &[String], name: &str) -> u32 {
    let place = names
        .binary_search_by(|probe| probe.as_str().cmp(name))
        .expect("the list was made of the same counts");
    u32::try_from(place).expect("a tenant has fewer than 2^32 components and families")
}
