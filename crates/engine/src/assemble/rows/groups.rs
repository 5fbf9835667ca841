//! Departments, locations and teams of one scored population.

use std::collections::BTreeMap;

use af_count::Cut;
use af_model::Population;
use af_model::tables::group_index;
use af_score::Scores;

use crate::assemble::cohort::Cohort;
use crate::assemble::tenant::Member;

/// The `group_index` rows of the human population; none of any other. The erased belong to no group,
/// but still to the organization's mean on which small groups lean.
pub(super) fn group_rows(cohort: &Cohort<'_>, scores: &Scores, cut: Cut) -> Vec<group_index::Row> {
    type KeyOf = for<'m> fn(&Member<'m>) -> Option<&'m str>;
    let kinds: [(&str, KeyOf); 3] = [
        ("department", |member| member.department),
        ("location", |member| member.location),
        ("manager", |member| member.manager_uid),
    ];
    let mut rows = Vec::new();
    if cohort.population != Population::Human {
        return rows;
    }
    // Members come first, so a ranked member's place among all who count is its place here.
    let ranked: Vec<&Member<'_>> = cohort
        .members()
        .filter(|member| member.in_population)
        .collect();
    let scores: Vec<i64> = scores
        .members
        .iter()
        .zip(cohort.in_population())
        .filter(|(_, inside)| **inside)
        .map(|(score, _)| score.score_micro)
        .collect();
    for (kind, key_of) in kinds {
        let mut groups: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (index, member) in (0_u32..).zip(&ranked) {
            if let Some(key) = key_of(member) {
                groups.entry(key).or_default().push(index);
            }
        }
        let members: Vec<&[u32]> = groups.values().map(Vec::as_slice).collect();
        let figures = af_score::group_figures(&scores, &members)
            .expect("every group was made of the scores' own positions");
        for (key, figure) in groups.keys().zip(figures) {
            let Some(figure) = figure else { continue };
            rows.push(group_index::Row {
                tenant_uid: cohort.tenant.name.to_owned(),
                as_of: cut.as_of,
                known_at: cut.known_at,
                group_kind: kind.to_owned(),
                group_key: (*key).to_owned(),
                n: figure.n,
                mean_score_micro: figure.mean_score_micro,
                sd_score_micro: figure.sd_score_micro,
                shrunk_mean_micro: figure.shrunk_mean_micro,
                lower_bound_micro: figure.lower_bound_micro,
            });
        }
    }
    rows
}
