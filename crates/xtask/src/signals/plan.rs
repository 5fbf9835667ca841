//! What stands in row n: attack steps, each against one person, and what they left behind.

use af_model::{UtcDay, UtcMillis};

use super::chance::{Dice, drawn};
use super::population::Population;

/// Days of signals, the last one being [`last_day`].
pub(super) const DAYS: u64 = 90;

/// Rows that are laid out alike: a block lies within one day.
const BLOCK: u64 = 100;
/// Signals of each incident of several; they take the first seats of a block.
const INCIDENTS: [u64; 10] = [2, 3, 4, 5, 6, 2, 3, 4, 5, 6];
/// Seats of incidents of several signals.
const SHARED: u64 = 40;
/// The seat of a block's copy.
const COPY: u64 = BLOCK - 1;
/// The incident that goes on for days, under one id.
const LASTING: u64 = 7;
/// How many days it goes on.
const LASTING_DAYS: u64 = 3;
/// The incident that hits two people, under one id.
const OF_TWO: u64 = 9;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// A kind of attack, and who tells of it.
pub(super) struct Kind {
    pub(super) component: &'static str,
    pub(super) family: &'static str,
    pub(super) source: &'static str,
    pub(super) techniques: &'static [&'static str],
    /// Of a hundred attack steps.
    share: u64,
}

const fn kind(
    component: &'static str,
    family: &'static str,
    source: &'static str,
    techniques: &'static [&'static str],
    share: u64,
) -> Kind {
    Kind {
        component,
        family,
        source,
        techniques,
        share,
    }
}

/// All kinds; each has [`RULES`] rules.
pub(super) static KINDS: [Kind; 8] = [
    kind("identity", "credential_attack", "okta", &["T1110.003"], 26),
    kind("identity", "mfa_attack", "okta", &["T1621"], 14),
    kind(
        "identity",
        "session_attack",
        "okta",
        &["T1539", "T1550.004"],
        10,
    ),
    kind("email", "phishing", "gateway", &["T1566.002"], 25),
    kind("email", "impersonation", "gateway", &["T1656"], 8),
    kind(
        "email",
        "malicious_attachment",
        "gateway",
        &["T1566.001"],
        5,
    ),
    kind("malware", "trojan", "endpoint", &["T1204.002"], 8),
    kind("malware", "ransomware", "endpoint", &["T1486", "T1490"], 4),
];

/// Rules of each kind.
pub(super) const RULES: u64 = 5;

/// Names of levels and how many signals of a hundred have them.
pub(super) static LEVELS: [(&str, u64); 4] =
    [("low", 60), ("medium", 25), ("high", 12), ("critical", 3)];

/// The last day of signals.
pub(super) const fn last_day() -> UtcDay {
    // 2026-11-20.
    UtcDay(20_777)
}

/// How the address is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    Normal,
    Upper,
    Padded,
}

/// One row, before it becomes texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signal {
    pub(super) person: u64,
    pub(super) uid: u128,
    pub(super) time: UtcMillis,
    pub(super) ingested_at: Option<UtcMillis>,
    pub(super) kind: usize,
    pub(super) rule: u64,
    pub(super) level: usize,
    pub(super) incident: Option<u64>,
    /// Whether the producer says the person's id, or the address alone.
    pub(super) names_uid: bool,
    /// Whether it says in one column who was meant.
    pub(super) has_ref: bool,
    pub(super) spelling: Spelling,
    pub(super) events: Vec<u128>,
}

/// All rows.
pub(super) struct Plan {
    seed: u64,
    rows: u64,
    population: Population,
}

impl Plan {
    pub(super) fn new(seed: u64, rows: u64, people: u64, tenants: u32) -> Self {
        Self {
            seed,
            rows,
            population: Population::new(seed, people, tenants),
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn population(&self) -> &Population {
        &self.population
    }

    fn blocks(&self) -> u64 {
        self.rows.div_ceil(BLOCK)
    }

    /// The day before which `day` days of signals lie.
    pub(super) fn day(day: u64) -> UtcDay {
        let back = i32::try_from(DAYS - 1 - day).expect("one of ninety days");
        UtcDay(last_day().0 - back)
    }

    /// The rows of a day.
    pub(super) fn rows_of(&self, day: u64) -> std::ops::Range<u64> {
        let end = |day| (self.first_block(day) * BLOCK).min(self.rows);
        end(day)..end(day + 1)
    }

    fn first_block(&self, day: u64) -> u64 {
        (day * self.blocks()).div_ceil(DAYS)
    }

    /// The row of that number.
    pub(super) fn signal(&self, row: u64) -> Signal {
        let (block, seat) = (row / BLOCK, row % BLOCK);
        if seat != COPY {
            return self.original(block, seat);
        }
        let mut dice = Dice::of(&[self.seed, 3, row]);
        let mut copy = self.original(block, dice.below(COPY));
        let known = copy.ingested_at.unwrap_or(copy.time).0;
        copy.ingested_at = Some(UtcMillis(known + later(&mut dice, HOUR, 6 * HOUR)));
        if dice.below(10) == 0 {
            // Somebody had second thoughts; what was known first counts.
            copy.level = (copy.level + 2) % LEVELS.len();
        }
        copy
    }

    fn original(&self, block: u64, seat: u64) -> Signal {
        let mut dice = Dice::of(&[self.seed, 4, block, seat]);
        let day = block * DAYS / self.blocks();
        let step = self.step(block, seat, day);
        let mut chance = Dice::of(&[step.seed]);
        let is_known = chance.below(50) != 0;
        let kind = by_share(chance.below(100), KINDS.iter().map(|kind| kind.share));
        let begins = chance.below(24 * HOUR - HOUR);
        let person = match (is_known, chance.bits(), chance.bits()) {
            (true, _, second) if step.hits_second => self.population.victim(second),
            (true, first, _) => self.population.victim(first),
            (false, first, _) => self.population.stranger(first),
        };
        let start = Self::day(day).start().0;
        let time = start + later(&mut dice, begins, begins + HOUR);
        let events = (0..=by_share(dice.below(100), [70, 20, 10].into_iter()))
            .map(|_| dice.wide())
            .collect();
        Signal {
            person,
            uid: dice.wide(),
            time: UtcMillis(time),
            ingested_at: (dice.below(20) != 0)
                .then(|| UtcMillis(time + later(&mut dice, 1000, HOUR))),
            kind,
            rule: dice.below(RULES),
            level: by_share(dice.below(100), LEVELS.iter().map(|(_, share)| *share)),
            incident: step.incident,
            names_uid: dice.below(2) == 0,
            // What Okta's rules find has it always, what others send half the time.
            has_ref: KINDS[kind].source == "okta" || dice.below(2) == 0,
            spelling: match dice.below(10) {
                0 => Spelling::Upper,
                1 => Spelling::Padded,
                _ => Spelling::Normal,
            },
            events,
        }
    }

    /// The attack step behind a seat.
    fn step(&self, block: u64, seat: u64, day: u64) -> Step {
        if seat >= SHARED {
            let seed = drawn(&[self.seed, 5, block, seat]);
            return Step {
                seed,
                incident: (!seat.is_multiple_of(3)).then(|| drawn(&[seed, 6])),
                hits_second: false,
            };
        }
        let (mut group, mut member) = (0, seat);
        for size in INCIDENTS {
            if member < size {
                break;
            }
            (group, member) = (group + 1, member - size);
        }
        let seed = if group == LASTING {
            let of_day = block - self.first_block(day);
            drawn(&[self.seed, 7, of_day, day / LASTING_DAYS])
        } else {
            drawn(&[self.seed, 8, block, group])
        };
        Step {
            seed,
            incident: Some(drawn(&[seed, 6])),
            hits_second: group == OF_TWO && member >= 3,
        }
    }
}

/// What somebody did: one incident, or the part of a larger one that a signal tells of.
struct Step {
    seed: u64,
    incident: Option<u64>,
    hits_second: bool,
}

/// Milliseconds from `low` up to `high`.
fn later(dice: &mut Dice, low: u64, high: u64) -> i64 {
    i64::try_from(low + dice.below(high - low)).expect("some hours")
}

/// The first place at which the shares up to it exceed the number.
fn by_share(number: u64, shares: impl Iterator<Item = u64>) -> usize {
    let mut sum = 0;
    shares
        .take_while(|share| {
            sum += share;
            sum <= number
        })
        .count()
}
