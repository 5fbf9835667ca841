//! The blocks as rows, for programs that want rows.

use af_model::view::ExplainView;

use crate::cell::{Cell, Column};

/// One row a block, each with the circumstances, so that a row means something alone.
pub(crate) fn columns() -> Vec<Column> {
    [
        "as_of",
        "known_at",
        "formula",
        "tenant_uid",
        "user_uid",
        "email",
        "score_micro",
        "component",
        "family",
        "day",
        "level",
        "n",
        "load_share_micro",
        "score_share_micro",
        "without_micro",
        "score_without_micro",
        "in_rest",
        "rule_ids",
        "signal_uids",
        "incidents_unlisted",
    ]
    .map(Column::new)
    .to_vec()
}

/// The rows in the view's order; nobody attacked is no row.
pub(crate) fn rows(view: &ExplainView) -> Vec<Vec<Cell>> {
    view.blocks
        .iter()
        .map(|block| {
            let signal_uids: Vec<String> = block
                .incidents
                .iter()
                .map(|incident| incident.signal_uid.clone())
                .collect();
            vec![
                view.as_of.into(),
                view.known_at.into(),
                view.formula.clone().into(),
                view.person.tenant_uid.clone().into(),
                view.person.user_uid.clone().into(),
                view.person.email.clone().into(),
                view.score.score_micro.into(),
                block.component.clone().into(),
                block.family.clone().into(),
                block.day.to_string().into(),
                block.level.clone().into(),
                block.n.into(),
                block.load_share_micro.into(),
                block.score_share_micro.into(),
                block.without_micro.into(),
                block.score_without_micro.into(),
                block.in_rest.into(),
                block.rule_ids.clone().into(),
                signal_uids.into(),
                block.incidents_unlisted.into(),
            ]
        })
        .collect()
}
