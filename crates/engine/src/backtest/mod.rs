//! What a rule would have found in a store's own events, before it is switched on.
//!
//! The days of a span are classified twice side by side, by rules with the one in question and by
//! the same rules without it. Both sets of signals are counted and scored at one cut, as
//! [`crate::pipeline`] would: with everybody's foreign signals, the retractions, the directory. The
//! difference is the rule's doing. Days of the window before the span keep the signals that are in
//! the store, on both sides. Nothing is written, and no lock is taken.

mod classify;
mod compare;
mod view;

use std::path::PathBuf;

use af_count::Retractions;
use af_model::params::WINDOW_DAYS;
use af_model::tables::user_scores;
use af_model::{Params, UtcDay};
use af_rules::{Class, Rule, RuleSet};
use af_store::{Partitioned, Store};

use crate::assemble::{self, Assembly, Roster, SnapshotTables, Stamp, TableSink};
use crate::config::find_rule;
use crate::detect::{Detected, OWN_FILES};
use crate::error::{Error, ErrorKind};
use crate::pipeline::LeftOut;
use crate::progress::Progress;
use crate::tally::{self, AskedCut, Counting, LatestKnown};
use crate::{people, retract};

pub use view::{
    Backtest, DayFindings, LevelCount, PersonHit, PersonMove, RuleShown, WhereFindingsWent,
};

/// What to look at.
#[derive(Clone, Copy, Debug)]
pub struct BacktestJob<'a> {
    /// The store; only read.
    pub store: &'a Store,
    /// The rules, the one in question among them.
    pub with: &'a RuleSet,
    /// The same rules without it.
    pub without: &'a RuleSet,
    /// Name or id of the rule in question.
    pub rule: &'a str,
    /// Parameters of the formula.
    pub params: &'a Params,
    /// How many days, back from the latest one with events.
    pub days: u32,
    /// How many people are listed.
    pub limit: usize,
}

impl BacktestJob<'_> {
    /// As many days as a score looks back.
    #[expect(clippy::cast_possible_truncation, reason = "the window is 90 days")]
    pub const DAYS: u32 = WINDOW_DAYS as u32;
}

/// Tries a rule on the store's own events.
///
/// # Errors
/// [`ErrorKind::Usage`] when the rules do not have that rule, or the store holds no events; the
/// store cannot be read; the kernel refuses a tenant's counts.
pub fn backtest(job: &BacktestJob<'_>, progress: &dyn Progress) -> Result<Backtest, Error> {
    let store = job.store;
    let rule = find_rule(job.with, job.rule)?;
    if rule.class == Class::Base {
        return Err(feeds_others(job.with, rule));
    }
    let days = store.days(Partitioned::Events)?;
    let Some(&last) = days.last() else {
        let hint = "attack-factor normalize okta brings events into it";
        return Err(
            Error::new(ErrorKind::Usage, "look through a store without events").with_hint(hint),
        );
    };
    let first = UtcDay(
        last.0
            .saturating_sub(i32::try_from(job.days.max(1) - 1).unwrap_or(i32::MAX)),
    );
    let classified = classify::both(job, &days, first, rule, progress)?;

    // The cut at which a run would score now.
    let (files_days, files): (Vec<UtcDay>, Vec<PathBuf>) =
        signal_files(store, first)?.into_iter().unzip();
    let retracted = retract::statements(store)?;
    let said = retracted.iter().map(|row| row.ingested_at).max();
    let detected = Detected::read(store)?.unwrap_or_default();
    let latest = LatestKnown {
        feed: tally::latest_ingested(&files)?
            .max(detected.latest_ingested())
            .max(classified.latest_ingested),
        corrections: said.max(people::latest_import(store)?),
    };
    let cut = tally::fix_cut(AskedCut::default(), latest)?;
    let window = assemble::window_start(cut.as_of)..=cut.as_of.day();
    let files: Vec<PathBuf> = files_days
        .iter()
        .zip(files)
        .filter(|(day, _)| window.contains(day))
        .map(|(_, path)| path)
        .collect();
    let (people, _) = people::people_at(store, cut.known_at)?;
    let key = store.existing_hash_key()?;
    let (index, people) = tally::index(people, key.as_ref());
    let people = Roster::new(people);
    let retractions = Retractions::new(&retracted, cut.known_at);
    let counting = Counting {
        people: &index,
        retractions: &retractions,
        cut,
        key: key.as_ref(),
    };

    let mut left_out = LeftOut::new();
    let mut scored = Vec::new();
    for (signals, rules) in [
        (&classified.without, job.without),
        (&classified.with, job.with),
    ] {
        let signals = signals.within(&window);
        let counted = tally::count_with(counting, &signals, &files, progress)?;
        left_out.append(&mut tally::unclosed(&counted));
        let stamp = Stamp {
            cut,
            config_hash: job.params.config_hash().to_string(),
            rules_hash: Some(rules.hash().to_string()),
        };
        progress.begin("scoring people", None);
        let assembly = Assembly {
            people: &people,
            params: job.params,
            stamp: &stamp,
        };
        let tenants = counted.tenants.keys().map(String::as_str);
        let mut users = UserScores::default();
        let mut refused = assembly.run(tenants, &left_out, &mut &counted, &mut users)?;
        left_out.append(&mut refused);
        progress.end();
        scored.push(users.rows);
    }
    if let Some((tenant, reason)) = left_out.pop_first() {
        let message = format!("score tenant {tenant}: {reason}");
        return Err(Error::new(ErrorKind::Gate, message));
    }
    let own = classified.own(&rule.id)?;
    let alone = tally::count_with(counting, &own, &[], progress)?;

    let mut view = Backtest::about(rule, cut, (first.max(days[0]), last), &classified);
    compare::people_hit(&mut view, &alone, &people, job.limit);
    if let [before, after] = scored.as_slice() {
        compare::scores(&mut view, before, after, job.limit);
    }
    Ok(view)
}

/// What a backtest looks at; the other tables pass by.
#[derive(Default)]
struct UserScores {
    rows: Vec<user_scores::Row>,
}

impl TableSink for UserScores {
    fn take(&mut self, tables: SnapshotTables) -> Result<(), Error> {
        self.rows.append(&mut tables.user_scores());
        Ok(())
    }
}

/// A base rule finds nothing by itself.
fn feeds_others(rules: &RuleSet, base: &Rule) -> Error {
    let message = format!(
        "try {}: a rule of class base finds nothing by itself",
        base.name
    );
    let refers = |rule: &&Rule| {
        let mut names = rule.refers_to().iter();
        names.any(|name| *name == base.name || *name == base.id)
    };
    let others = rules.rules().iter().filter(refers);
    let names: Vec<&str> = others.map(|rule| rule.name.as_str()).collect();
    let hint = format!("try the correlations that look at it: {}", names.join(", "));
    Error::new(ErrorKind::Usage, message).with_hint(hint)
}

/// The files of signals that stay as they are: everybody's of other sources, and what was detected
/// on days before the span.
fn signal_files(store: &Store, first: UtcDay) -> Result<Vec<(UtcDay, PathBuf)>, Error> {
    let mut files = Vec::new();
    for day in store.days(Partitioned::Signals)? {
        for path in store.day_files(Partitioned::Signals, day)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if day < first || !name.starts_with(OWN_FILES) {
                files.push((day, path));
            }
        }
    }
    Ok(files)
}
