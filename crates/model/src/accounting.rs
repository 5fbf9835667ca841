//! Counts that must add up: nothing is dropped without a counted reason.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

macro_rules! account {
    (
        $(#[doc = $doc:literal])+
        $name:ident: $total:ident = {
            $($(#[doc = $part_doc:literal])+ $part:ident,)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            /// What came in.
            pub $total: u64,
            $($(#[doc = $part_doc])+ pub $part: u64,)+
        }

        impl $name {
            /// Whether everything that came in went somewhere.
            pub const fn closes(&self) -> bool {
                self.$total == 0 $(+ self.$part)+
            }

            /// The names of its numbers: what came in, then the parts.
            pub const NAMES: [&'static str; Self::NUMBERS] =
                [stringify!($total) $(, stringify!($part))+];

            /// How many numbers it has.
            pub const NUMBERS: usize = 1 + [$(stringify!($part)),+].len();

            /// Its numbers, in the order of their names.
            pub const fn numbers(&self) -> [u64; Self::NUMBERS] {
                [self.$total $(, self.$part)+]
            }

            /// The account that has these numbers.
            pub const fn from_numbers(numbers: [u64; Self::NUMBERS]) -> Self {
                let [$total $(, $part)+] = numbers;
                Self { $total $(, $part)+ }
            }

            /// The parts by name, in the order in which the first that applies is counted.
            pub fn parts(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($part), self.$part)),+]
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.$total += other.$total;
                $(self.$part += other.$part;)+
            }
        }
    };
}

account! {
    /// Where every event of the input went.
    EventAccount: events_read = {
        /// Became a row of `identity_events`.
        normalized,
        /// Was already there, or came twice.
        duplicate,
        /// Was refused; see the `quarantine` table.
        quarantined,
    }
}

account! {
    /// What every normalized event was taken for: one class each, the first that applies.
    ClassAccount: normalized = {
        /// A consequence, a duplicate of something scored, or a plain failure: neither attack nor behavior.
        context,
        /// Fired at least one attack rule.
        attack,
        /// Something the person did; belongs to the behavior score, which is not computed here.
        behavior,
        /// An event type that the catalogue does not know.
        unknown_type,
        /// A known type that no rule speaks about.
        unclassified,
    }
}

account! {
    /// Where every signal went: the first reason that applies.
    SignalAccount: signals_read = {
        /// Became known after `known_at`; nothing else was asked of it.
        not_yet_known,
        /// Broke the contract: no such level, no such name, time after ingestion.
        quarantined,
        /// Another row has the same tenant, source and id.
        duplicate,
        /// After `as_of`.
        future,
        /// Named by a retraction.
        retracted,
        /// Older than the window.
        too_old,
        /// Belongs to no single person; see `unmatched_signals`.
        unmatched,
        /// Another signal of the same incident and day stands for it.
        collapsed,
        /// Counts.
        scored,
    }
}

impl SignalAccount {
    /// The account without what was not yet known at the cut: whatever arrives later leaves it as
    /// it is.
    #[must_use]
    pub const fn at_cut(mut self) -> Self {
        self.signals_read -= self.not_yet_known;
        self.not_yet_known = 0;
        self
    }
}

/// Accounts by tenant, in name order.
pub type PerTenant<A> = BTreeMap<String, A>;
