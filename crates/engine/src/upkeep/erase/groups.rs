//! `group_index` over the people who remain, against the organization's published mean.

use std::collections::BTreeMap;

use af_model::Population;
use af_model::tables::{group_index, tombstones, user_scores};

/// People of the human population, by what groups them.
#[derive(Debug, Default)]
pub(super) struct Groups {
    scores: Vec<i64>,
    members: BTreeMap<(&'static str, String), Vec<u32>>,
}

impl Groups {
    /// A person who remains.
    pub(super) fn add(&mut self, row: &user_scores::Row) {
        if !counts(row.in_population, &row.population) {
            return;
        }
        let member = u32::try_from(self.scores.len()).expect("fewer than 2^32 people");
        self.scores.push(row.score_micro);
        let kinds = [
            ("department", &row.department),
            ("location", &row.location),
            ("manager", &row.manager_uid),
        ];
        for (kind, key) in kinds {
            if let Some(key) = key {
                self.members
                    .entry((kind, key.clone()))
                    .or_default()
                    .push(member);
            }
        }
    }

    /// The rows of one tenant. Whoever was erased belongs to no group and still to the mean, which
    /// stays as it was published.
    pub(super) fn rows(
        mut self,
        like: &group_index::Row,
        erased: &[tombstones::Row],
    ) -> Vec<group_index::Row> {
        self.scores.extend(
            erased
                .iter()
                .filter(|row| row.component.is_none() && counts(row.in_population, &row.population))
                .map(|row| row.score_micro),
        );
        let members: Vec<&Vec<u32>> = self.members.values().collect();
        let figures = af_score::group_figures(&self.scores, &members)
            .expect("every group was made of the scores' own positions");
        let named = self.members.keys().zip(figures);
        named
            .filter_map(|((kind, key), figures)| {
                let figures = figures?;
                Some(group_index::Row {
                    group_kind: (*kind).to_owned(),
                    group_key: key.clone(),
                    n: figures.n,
                    mean_score_micro: figures.mean_score_micro,
                    sd_score_micro: figures.sd_score_micro,
                    shrunk_mean_micro: figures.shrunk_mean_micro,
                    lower_bound_micro: figures.lower_bound_micro,
                    ..like.clone()
                })
            })
            .collect()
    }
}

fn counts(in_population: bool, population: &str) -> bool {
    in_population && population == Population::Human.as_str()
}
