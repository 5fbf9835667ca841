//! From counts and scores to what a backtest says.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use af_count::{Counted, CountedBlock};
use af_model::accounting::SignalAccount;
use af_model::tables::user_scores;
use af_model::{ScoreLevel, UtcDay};

use crate::assemble::Roster;

use super::view::{Backtest, LevelCount, PersonHit, PersonMove};

/// Fills in where the rule's own findings go and whom they hit.
pub(super) fn people_hit(view: &mut Backtest, alone: &Counted, people: &Roster, limit: usize) {
    let mut account = SignalAccount::default();
    let mut by_day: BTreeMap<UtcDay, BTreeSet<u32>> = BTreeMap::new();
    let mut hit: BTreeMap<u32, Vec<&CountedBlock>> = BTreeMap::new();
    for counts in alone.tenants.values() {
        account += counts.account;
        for block in &counts.blocks {
            by_day.entry(block.day).or_default().insert(block.person);
            hit.entry(block.person).or_default().push(block);
        }
    }
    view.went = account.into();
    for day in &mut view.by_day {
        day.people = by_day.get(&day.day).map_or(0, |people| people.len() as u64);
    }
    view.people = people.len() as u64;
    view.people_hit = hit.len() as u64;
    let incidents: u64 = hit.values().flatten().map(|block| block.n).sum();
    view.incidents_per_person_week_milli = (incidents * 7_000)
        .checked_div(view.people_hit * view.span_days())
        .unwrap_or(0);
    let incidents = |blocks: &[&CountedBlock]| blocks.iter().map(|block| block.n).sum::<u64>();
    let level = |blocks: &[&CountedBlock]| blocks.iter().map(|block| block.level).max();
    let mut hit: Vec<(u32, Vec<&CountedBlock>)> = hit.into_iter().collect();
    // The order of the directory decides between equals.
    hit.sort_by_key(|(_, blocks)| Reverse((level(blocks), incidents(blocks))));
    view.hit = hit
        .into_iter()
        .take(limit)
        .filter_map(|(position, blocks)| {
            let position = position as usize;
            let person = people.people(position..position + 1).pop()?;
            let days: BTreeSet<UtcDay> = blocks.iter().map(|block| block.day).collect();
            Some(PersonHit {
                tenant_uid: person.tenant_uid,
                user_uid: person.user_uid,
                email: person.email,
                level: level(&blocks)?.to_string(),
                incidents: incidents(&blocks),
                days: days.len() as u64,
                first: blocks.iter().map(|block| block.first_time).min()?,
                last: blocks.iter().map(|block| block.last_time).max()?,
            })
        })
        .collect();
}

/// Fills in whose score or level the rule changes, and how many people have which level.
pub(super) fn scores(
    view: &mut Backtest,
    without: &[user_scores::Row],
    with: &[user_scores::Row],
    limit: usize,
) {
    let count = |rows: &[user_scores::Row], level: &str| {
        let ranked = rows.iter().filter(|row| row.in_population);
        ranked.filter(|row| row.level == level).count() as u64
    };
    view.levels = ScoreLevel::ASCENDING
        .iter()
        .map(|level| LevelCount {
            level: level.as_str().to_owned(),
            without: count(without, level.as_str()),
            with: count(with, level.as_str()),
        })
        .collect();
    let before: BTreeMap<(&str, &str), &user_scores::Row> = without
        .iter()
        .map(|row| ((row.tenant_uid.as_str(), row.user_uid.as_str()), row))
        .collect();
    let mut moved: Vec<PersonMove> = with
        .iter()
        .filter_map(|after| {
            let before = before.get(&(after.tenant_uid.as_str(), after.user_uid.as_str()))?;
            let is_same = (before.score_micro, &before.level) == (after.score_micro, &after.level);
            (!is_same).then(|| PersonMove {
                tenant_uid: after.tenant_uid.clone(),
                user_uid: after.user_uid.clone(),
                email: after.email.clone(),
                score_without_micro: before.score_micro,
                score_with_micro: after.score_micro,
                level_without: before.level.clone(),
                level_with: after.level.clone(),
                rank_without: before.rank,
                rank_with: after.rank,
            })
        })
        .collect();
    view.people_moved = moved.len() as u64;
    // Rows are sorted by tenant and id, which decides between equals.
    moved.sort_by_key(|person| Reverse(person.change_micro().unsigned_abs()));
    moved.truncate(limit);
    view.moved = moved;
}
