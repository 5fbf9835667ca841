//! Counts of organizations of very different size, made without any signal.

use std::sync::Arc;

use af_count::{Counted, CountedBlock, SignalUids, TenantCounts, Unmatched, UnmatchedReason};
use af_engine::assemble::{Assembly, Roster, Stamp, TableSink};
use af_engine::pipeline::LeftOut;
use af_model::accounting::SignalAccount;
use af_model::{Level, Params, Person, UtcDay, UtcMillis};

use crate::count::cut;
use crate::input::{Dice, as_of};

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) people: u32,
    pub(crate) tenants: u32,
    pub(crate) blocks: u64,
}

/// Counts as the stages after counting get them.
pub(crate) struct Case {
    people: Roster,
    pub(crate) counted: Counted,
    params: Params,
    stamp: Stamp,
}

impl Case {
    /// 20,000 people, the largest tenant with a sixth of them.
    pub(crate) fn new() -> Self {
        let world = World::new(Size {
            people: 20_000,
            tenants: 200,
            blocks: 500_000,
        });
        let tenants =
            (0..world.tenants()).map(|place| (World::tenant_name(place), world.counts(place)));
        let params = Params::default();
        Self {
            people: Roster::new(world.people()),
            counted: Counted {
                latest_ingested: None,
                tenants: tenants.collect(),
            },
            stamp: Stamp {
                cut: cut(),
                config_hash: params.config_hash().to_string(),
                rules_hash: None,
            },
            params,
        }
    }

    pub(crate) fn blocks(&self) -> u64 {
        let tenants = self.counted.tenants.values();
        tenants.map(|counts| counts.blocks.len() as u64).sum()
    }

    pub(crate) fn assembly(&self) -> Assembly<'_> {
        Assembly {
            people: &self.people,
            params: &self.params,
            stamp: &self.stamp,
        }
    }

    pub(crate) fn run<'a>(
        &'a self,
        assembly: &Assembly<'a>,
        left_out: &LeftOut,
        sink: &mut (dyn TableSink + Send),
    ) {
        let tenants = self.counted.tenants.keys().map(String::as_str);
        let refused = assembly.run(tenants, left_out, &mut &self.counted, sink);
        assert!(
            refused.expect("rows taken").is_empty(),
            "every count is sound"
        );
    }
}

/// People and counts, tenant by tenant, the largest first: sizes fall as one over the place.
#[derive(Debug)]
pub(crate) struct World {
    size: Size,
    /// The first person of every tenant, and the end.
    starts: Vec<u32>,
    components: Vec<Arc<str>>,
    families: Vec<Arc<str>>,
    rules: Vec<Arc<str>>,
}

impl World {
    pub(crate) fn new(size: Size) -> Self {
        let harmonic: u64 = (1..=u64::from(size.tenants))
            .map(|place| (1 << 32) / place)
            .sum();
        let mut starts = vec![0_u32];
        let mut end = 0;
        for place in 1..=u64::from(size.tenants) {
            end += (u64::from(size.people) * ((1 << 32) / place) / harmonic).max(3);
            starts.push(u32::try_from(end).expect("a bench is small"));
        }
        let names = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect();
        Self {
            size,
            starts,
            components: names(&["browser", "email", "identity", "malware"]),
            families: names(&["credential_attack", "phishing", "session", "spray"]),
            rules: names(&[
                "brute_force",
                "hijack",
                "lure",
                "many_failures",
                "odd_place",
            ]),
        }
    }

    pub(crate) fn tenant_name(place: usize) -> String {
        format!("tenant{place:04}")
    }

    /// Everybody, as an index of people has them.
    pub(crate) fn people(&self) -> Vec<Person> {
        let mut people = Vec::new();
        for (place, span) in self.starts.windows(2).enumerate() {
            let tenant = Self::tenant_name(place);
            people.extend((span[0]..span[1]).map(|n| {
                let login = format!("person{n}@{tenant}.example");
                Person {
                    login: Some(login.clone()),
                    display_name: Some(format!("Person {n}")),
                    department: Some(format!("Department {}", n % 23)),
                    location: Some(format!("Location {}", n % 7)),
                    ..Person::new(&tenant, &format!("00u{n:017}"), &login)
                }
            }));
        }
        people
    }

    /// What was counted against one tenant: one person in a hundred carries a fifth of the blocks.
    pub(crate) fn counts(&self, place: usize) -> TenantCounts {
        let (from, to) = (self.starts[place], self.starts[place + 1]);
        let today = as_of().day();
        let mut dice = Dice(42 + place as u64);
        let usual = self.size.blocks * 4 / 5 / u64::from(self.size.people);
        let mut counts = TenantCounts::default();
        for person in from..to {
            let hot = if person % 100 == 7 { 25 } else { 0 };
            let mut keys: Vec<(u64, u64, u64, u64)> = (0..(usual + hot * usual)
                .max(dice.below(2 * usual + 1) + hot * usual))
                .map(|_| (dice.below(4), dice.below(4), dice.below(90), dice.below(4)))
                .collect();
            keys.truncate(usize::try_from(dice.below(2 * usual + 1) + hot * usual).unwrap_or(0));
            keys.sort_unstable();
            keys.dedup();
            for (component, family, age, level) in keys {
                let place = |n: u64| usize::try_from(n).unwrap_or(0);
                let n = 1 + dice.below(3) + dice.below(3);
                let day = UtcDay(today.0 - 89 + i32::try_from(age).unwrap_or(0));
                let first = UtcMillis(
                    day.start().0 + 1000 * i64::try_from(dice.below(40_000)).unwrap_or(0),
                );
                let mut ids: Vec<String> = (0..n)
                    .map(|_| format!("{:016x}{:016x}", dice.next(), dice.next()))
                    .collect();
                ids.sort_unstable();
                counts.account.scored += n;
                counts.blocks.push(CountedBlock {
                    person,
                    component: Arc::clone(&self.components[place(component)]),
                    family: Arc::clone(&self.families[place(family)]),
                    day,
                    level: Level::DESCENDING[place(level)],
                    n,
                    first_time: first,
                    last_time: UtcMillis(first.0 + 60_000),
                    rule_ids: Arc::new([Arc::clone(&self.rules[place(dice.below(5))])]),
                    signal_uids: SignalUids::new(ids.iter().map(String::as_str)),
                });
            }
            if person % 10 == 0 {
                counts.account.unmatched += 2;
                counts.unmatched.push(Unmatched {
                    reason: UnmatchedReason::NoMatch,
                    source: Arc::from("bench"),
                    day: today,
                    component: Arc::clone(&self.components[0]),
                    family: Arc::clone(&self.families[0]),
                    level: Level::Low,
                    rule_id: Arc::clone(&self.rules[0]),
                    subject_hash: Some(format!("{person:032x}")),
                    n: 2,
                });
            }
        }
        let account: &mut SignalAccount = &mut counts.account;
        account.signals_read = account.scored + account.unmatched;
        counts
    }

    pub(crate) fn tenants(&self) -> usize {
        self.starts.len() - 1
    }
}
