//! The page from top to bottom.

use std::io;

use af_model::view::{ExplainView, one_decimal};

use super::page::{Page, counted};
use super::{attacks, figures, outlook};
use crate::Detail;
use crate::cell::percent_shown;

/// The page: who and how much, how the figure comes about, what it is made of, the attacks
/// themselves, what would change it, what was taken back, and what to know.
pub(crate) fn table(
    view: &ExplainView,
    detail: Detail,
    width: Option<u16>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut page = Page::new(out, width);
    head(view, &mut page)?;
    if view.score.odds_nano > 0 {
        figures::arithmetic(view, &mut page)?;
        figures::parts(view, detail, &mut page)?;
        attacks::attacks(view, detail, &mut page)?;
    } else {
        nothing(view, &mut page)?;
    }
    outlook::outlook(view, &mut page)?;
    attacks::retracted(view, detail, &mut page)?;
    if !view.notes.is_empty() {
        page.heading("NOTES")?;
        for note in &view.notes {
            page.hanging(2, 4, &format!("- {note}"))?;
        }
    }
    Ok(())
}

fn head(view: &ExplainView, page: &mut Page<'_>) -> io::Result<()> {
    let person = &view.person;
    let email = &person.email;
    let mut who = match &person.display_name {
        Some(name) => format!("{name} <{email}>"),
        None => email.clone(),
    };
    for place in [&person.department, &person.location].into_iter().flatten() {
        who = format!("{who}, {place}");
    }
    page.hanging(0, 2, &who)?;
    page.hanging(
        0,
        2,
        &format!(
            "user {} of tenant {}, snapshot {}, known at {}, formula {}",
            person.user_uid, person.tenant_uid, view.snapshot, view.known_at, view.formula
        ),
    )?;
    page.blank()?;
    let score = &view.score;
    let standing = match (score.rank, score.percentile) {
        (Some(rank), Some(percentile)) => format!(
            "rank {rank} of {}, percentile {}",
            population(view),
            percent_shown(percentile)
        ),
        _ => format!("not ranked among the {}", population(view)),
    };
    let answer = one_decimal(score.score_micro);
    page.hanging(2, 6, &format!("{answer} {}, {standing}", score.level))?;
    if score.odds_nano > 0 {
        page.blank()?;
        page.text(2, &summary(view))?;
    }
    Ok(())
}

fn population(view: &ExplainView) -> String {
    let n = view.score.population_n;
    if view.person.population == "service" {
        counted(n, "service account", "service accounts")
    } else {
        counted(n, "person", "people")
    }
}

/// Two sentences for whoever reads no further.
fn summary(view: &ExplainView) -> String {
    let score = &view.score;
    let last = score
        .last_attack
        .map_or_else(String::new, |last| format!(", the last on {}", last.day()));
    let mut text = format!(
        "{} on {}{last}.",
        counted(score.signal_count, "attack counts", "attacks count"),
        counted(score.attack_days, "day", "days"),
    );
    let mut kinds: Vec<(&str, i64)> = Vec::new();
    for block in &view.blocks {
        match kinds.iter_mut().find(|(name, _)| *name == block.family) {
            Some((_, share)) => *share += block.score_share_micro,
            None => kinds.push((&block.family, block.score_share_micro)),
        }
    }
    kinds.sort_by_key(|(name, share)| (std::cmp::Reverse(*share), *name));
    if let Some((kind, share)) = kinds.first() {
        text = format!(
            "{text} Most weighs {kind}: {} of the {}.",
            one_decimal(*share),
            one_decimal(score.score_micro)
        );
    }
    if let Some(below) = score.pct_below {
        text = format!(
            "{text} {} % of the other {} are attacked less.",
            percent_shown(below),
            if view.person.population == "service" {
                "service accounts"
            } else {
                "people"
            }
        );
    }
    text
}

/// A score of zero: no attack is not the same as nobody looked.
fn nothing(view: &ExplainView, page: &mut Page<'_>) -> io::Result<()> {
    page.blank()?;
    if view.feeds.is_empty() {
        return page.text(
            2,
            "No feed was read for this organization, so a score of 0 says nothing: it means \
             unknown, not safe.",
        );
    }
    page.text(
        2,
        &format!(
            "No attack on this person counts in the 90 days up to {}.",
            view.as_of.day()
        ),
    )?;
    for feed in &view.feeds {
        let heard = match (feed.first, feed.last) {
            (Some(first), Some(last)) => format!("from {} to {}", first.day(), last.day()),
            _ => "without an event".to_owned(),
        };
        page.hanging(
            2,
            4,
            &format!(
                "Heard of {}: {heard}, by {}; {} of everybody.",
                feed.component,
                feed.integrations.join(", "),
                counted(
                    i64::try_from(feed.scored).unwrap_or(i64::MAX),
                    "attack counts",
                    "attacks count"
                )
            ),
        )?;
    }
    page.text(
        2,
        "Components that are not listed have no feed: nobody looks there.",
    )
}
