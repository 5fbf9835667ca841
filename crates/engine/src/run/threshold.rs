//! Who is at or above a level: what `--fail-on` asks.

use std::path::Path;

use af_model::tables::user_scores;
use af_model::{Population, ScoreLevel};
use af_store::Snapshot;
use serde::Serialize;

use crate::error::{Error, ErrorKind};

/// Who of the human population is at or above a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Threshold {
    /// The level asked for.
    pub level: ScoreLevel,
    /// The people, the most attacked first.
    pub people: Vec<AtLevel>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AtLevel {
    /// The organization.
    pub tenant_uid: String,
    /// The user id.
    pub user_uid: String,
    /// The e-mail address.
    pub email: String,
    /// The level.
    pub level: ScoreLevel,
    /// The score in millionths.
    pub score_micro: i64,
}

/// Reads from a snapshot who is at or above a level, by score, tenant and user.
///
/// # Errors
/// The snapshot cannot be read.
pub fn at_or_above(snapshot: &Path, level: ScoreLevel) -> Result<Threshold, Error> {
    let snapshot = Snapshot::open(snapshot)?;
    let mut people = Vec::new();
    for batch in snapshot.table(&user_scores::TABLE)? {
        let rows = user_scores::rows(&batch?).map_err(|error| {
            Error::new(ErrorKind::Damaged, format!("read user_scores: {error}"))
        })?;
        for row in rows {
            let reached = ScoreLevel::of(row.score_micro, row.odds_nano);
            let counts = row.in_population && row.population == Population::Human.as_str();
            if counts && reached >= level {
                people.push(AtLevel {
                    tenant_uid: row.tenant_uid,
                    user_uid: row.user_uid,
                    email: row.email,
                    level: reached,
                    score_micro: row.score_micro,
                });
            }
        }
    }
    people.sort_by(|a, b| {
        b.score_micro
            .cmp(&a.score_micro)
            .then_with(|| (&a.tenant_uid, &a.user_uid).cmp(&(&b.tenant_uid, &b.user_uid)))
    });
    Ok(Threshold { level, people })
}
