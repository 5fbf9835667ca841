//! Organizations and their people.

use std::fmt::Write as _;

use super::chance::{drawn, mixed, scaled};

/// People, known and unknown ones, are numbered with seven digits.
pub(super) const MOST_PEOPLE: u64 = 9_000_000;

/// Names of equal length, in order: so their numbers are in the order of what is written.
const FIRST_NAMES: [&str; 16] = [
    "alice", "bruno", "carla", "diego", "elena", "fiona", "georg", "heidi", "irina", "jonas",
    "katja", "laura", "maria", "nadia", "oscar", "paula",
];
const LAST_NAMES: [&str; 16] = [
    "archer", "becker", "carter", "dupont", "fisher", "garcia", "hansen", "jensen", "keller",
    "martin", "norris", "palmer", "quirke", "rivera", "taylor", "wagner",
];

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// People by number, those of one organization beside each other. Numbers from [`Population::people`]
/// on are of nobody known.
pub(super) struct Population {
    seed: u64,
    /// The first person of every organization, and behind the last one the number of people.
    starts: Vec<u64>,
}

impl Population {
    pub(super) fn new(seed: u64, people: u64, tenants: u32) -> Self {
        // Organization n is an n-th as large as the first, in whole people.
        let weight = |tenant: u32| 1_000_000_000_000 / (u128::from(tenant) + 1);
        let total: u128 = (0..tenants).map(weight).sum();
        let mut before = 0;
        let mut starts = vec![0];
        for tenant in 0..tenants {
            before += weight(tenant);
            let end = u128::from(people) * before / total;
            starts.push(u64::try_from(end).expect("at most the number of people"));
        }
        Self { seed, starts }
    }

    /// How many people are known.
    pub(super) fn people(&self) -> u64 {
        self.starts[self.tenants()]
    }

    pub(super) fn tenants(&self) -> usize {
        self.starts.len() - 1
    }

    /// The people of an organization.
    pub(super) fn people_of(&self, tenant: usize) -> std::ops::Range<u64> {
        self.starts[tenant]..self.starts[tenant + 1]
    }

    /// The organization of a person; one that nobody knows is said to belong to any.
    pub(super) fn tenant_of(&self, person: u64) -> usize {
        let person = if person < self.people() {
            person
        } else {
            scaled(mixed(person ^ self.seed), self.people())
        };
        self.starts.partition_point(|start| *start <= person) - 1
    }

    /// Somebody who is attacked: four times in ten one of the hot hundredth.
    pub(super) fn victim(&self, bits: u64) -> u64 {
        let people = self.people();
        let (is_hot, who) = (bits % 10 < 4, mixed(bits));
        if is_hot {
            scaled(who, people.div_ceil(100)) * 100
        } else {
            scaled(who, people)
        }
    }

    /// Somebody whom no directory knows.
    pub(super) fn stranger(&self, bits: u64) -> u64 {
        self.people() + scaled(bits, self.people() / 50 + 1)
    }

    /// What the order of [`Population::push_uid`] goes by.
    pub(super) fn uid_order(&self, person: u64) -> (u64, u64) {
        (drawn(&[self.seed, 1, person]), person)
    }

    /// What the order of [`Population::push_email`] goes by, among people of one organization.
    pub(super) fn email_order(&self, person: u64) -> (u64, u64) {
        (drawn(&[self.seed, 2, person]) >> 56, person)
    }

    /// The person's id, of the length and the letters of Okta's.
    pub(super) fn push_uid(&self, text: &mut String, person: u64) {
        let (high, low) = self.uid_order(person);
        text.push_str("00u");
        push_digits(text, high, 11);
        push_digits(text, low, 6);
    }

    /// The person's address, normalized.
    pub(super) fn push_email(&self, text: &mut String, person: u64) {
        let (names, number) = self.email_order(person);
        text.push_str(first_name(names));
        text.push('.');
        text.push_str(last_name(names));
        // Writing to a String cannot fail.
        let _ = write!(text, "{number:07}@");
        push_tenant(text, self.tenant_of(person));
        text.push_str(".example");
    }

    /// The name shown to people.
    pub(super) fn display_name(&self, person: u64) -> String {
        let (names, _) = self.email_order(person);
        format!("{} {}", first_name(names), last_name(names))
    }
}

/// An organization's name.
pub(super) fn push_tenant(text: &mut String, tenant: usize) {
    let _ = write!(text, "tenant-{tenant:04}");
}

fn first_name(names: u64) -> &'static str {
    FIRST_NAMES[low_digit(names >> 4)]
}

fn last_name(names: u64) -> &'static str {
    LAST_NAMES[low_digit(names)]
}

fn low_digit(number: u64) -> usize {
    usize::try_from(number & 15).expect("below 16")
}

/// A number in as many letters and digits, which are in the order of their bytes.
fn push_digits(text: &mut String, mut number: u64, count: usize) {
    let mut digits = [b'0'; 11];
    for digit in digits[..count].iter_mut().rev() {
        *digit = DIGITS[usize::try_from(number % 62).expect("below 62")];
        number /= 62;
    }
    text.extend(digits[..count].iter().map(|digit| char::from(*digit)));
}
