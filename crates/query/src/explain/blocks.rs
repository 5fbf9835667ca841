//! From the kernel's blocks to the view's, with what the snapshot says of each.

use af_model::UtcDay;
use af_model::view::{ExplainedBlock, ExplainedComponent, ExplainedIncident};
use af_score::{Block, split_equally};

use super::measure::Measure;
use super::rows::Rows;

/// All blocks, weightiest first, then by component, family, day and level from critical.
///
/// # Errors
/// Where `signal_attribution` does not say what the counts give, in words.
pub(super) fn blocks(
    measure: &Measure,
    rows: &Rows,
    as_of: UtcDay,
) -> Result<Vec<ExplainedBlock>, String> {
    let mut rest = (0, 0);
    let mut named = 0;
    let mut found = Vec::new();
    for block in measure.measured.blocks() {
        let shown = one(measure, rows, as_of, &block)?;
        if shown.in_rest {
            rest = (rest.0 + shown.n, rest.1 + shown.score_share_micro);
        } else {
            named += 1;
        }
        found.push(shown);
    }
    let said = rows.blocks.get(&None);
    let said = said.map_or((0, 0), |row| (row.n, row.score_share_micro));
    let others = rows.blocks.keys().filter(|key| key.is_some()).count();
    if said != rest || named != others {
        return Err("does not hold the blocks that bucket_counts gives".to_owned());
    }
    // Stable: equal shares keep the order of the formula.
    found.sort_by_key(|block| std::cmp::Reverse((block.score_share_micro, block.load_share_micro)));
    Ok(found)
}

fn one(
    measure: &Measure,
    rows: &Rows,
    as_of: UtcDay,
    block: &Block,
) -> Result<ExplainedBlock, String> {
    let name = |names: &[String], place: u32| {
        usize::try_from(place)
            .ok()
            .and_then(|place| names.get(place).cloned())
            .unwrap_or_default()
    };
    let component = name(&measure.components, block.component);
    let family = name(&measure.families, block.family);
    let key = Some((component.clone(), family.clone(), block.day, block.level));
    let row = rows.blocks.get(&key);
    let n = i64::try_from(block.n).unwrap_or(i64::MAX);
    if let Some(row) = row
        && (row.n, row.score_share_micro) != (n, block.score_share_micro)
    {
        return Err(format!(
            "says another share of {component} {family} on {} than bucket_counts gives",
            block.day
        ));
    }
    let score = measure.measured.score_micro();
    let without_one = without_one(measure, block);
    let signal_uids = row
        .map(|row| row.signal_uids.as_slice())
        .unwrap_or_default();
    let shares = split_equally(block.score_share_micro, block.n);
    let incidents: Vec<ExplainedIncident> = signal_uids
        .iter()
        .zip(shares)
        .map(|(signal_uid, score_share_micro)| ExplainedIncident {
            signal_uid: signal_uid.clone(),
            incident_uid: None,
            score_share_micro,
            without_micro: without_one,
            score_without_micro: score - without_one,
            signals: Vec::new(),
        })
        .collect();
    Ok(ExplainedBlock {
        component,
        family,
        day: block.day,
        age_days: as_of.days_since(block.day),
        level: block.level.to_string(),
        n,
        load_share_micro: block.load_share_micro,
        score_share_micro: block.score_share_micro,
        without_micro: block.without_micro,
        score_without_micro: score - block.without_micro,
        in_rest: row.is_none(),
        rule_ids: row.map(|row| row.rule_ids.clone()).unwrap_or_default(),
        incidents_unlisted: n - i64::try_from(incidents.len()).unwrap_or(0),
        incidents,
    })
}

/// By how much the score falls without one incident of a block.
fn without_one(measure: &Measure, block: &Block) -> i64 {
    let measured = &measure.measured;
    let key = (0, block.component, block.family, block.day);
    let buckets = measured.buckets();
    let Ok(found) = buckets.binary_search_by_key(&key, af_score::Bucket::key) else {
        return 0;
    };
    let mut counts = buckets[found].counts;
    let slot = block.level.slot();
    counts[slot] = counts[slot].saturating_sub(1);
    let without = measured.score_with_counts(block.component, block.family, block.day, counts);
    measured.score_micro() - without
}

/// The components with the parts of the score that fall on each.
pub(super) fn components(rows: &Rows, blocks: &[ExplainedBlock]) -> Vec<ExplainedComponent> {
    rows.components
        .iter()
        .map(|row| {
            let own = || blocks.iter().filter(|b| b.component == row.component);
            ExplainedComponent {
                component: row.component.clone(),
                load_micro: row.figures.load_micro,
                baseline_micro: row.figures.baseline_micro,
                odds_nano: row.figures.odds_nano,
                score_micro: row.figures.score_micro,
                relative_weight_micro: row.figures.relative_weight_micro,
                weight_permille: row.figures.weight_permille,
                score_share_micro: own().map(|block| block.score_share_micro).sum(),
                n: own().map(|block| block.n).sum(),
            }
        })
        .collect()
}
