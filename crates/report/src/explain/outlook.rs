//! What would change the score.

use std::io;

use af_model::view::{ExplainView, NextLevel, one_decimal};

use super::page::{Page, exact_micro};

pub(super) fn outlook(view: &ExplainView, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("WHAT WOULD CHANGE IT")?;
    match &view.outlook.next_level {
        Some(next) => page.hanging(2, 4, &way_up(next, view.score.odds_nano > 0))?,
        None if view.components.is_empty() => {
            page.text(2, "No attack on anybody counts here yet.")?;
        }
        None => page.text(2, "This is the highest level.")?,
    }
    if view.score.odds_nano > 0 {
        let steps: Vec<String> = view
            .outlook
            .decay
            .iter()
            .map(|step| {
                format!(
                    "{} ({}) in {} days",
                    one_decimal(step.score_micro),
                    step.level,
                    step.days
                )
            })
            .collect();
        page.hanging(
            2,
            4,
            &format!(
                "If nothing new comes and colleagues carry what they carry today: {}.",
                steps.join(", ")
            ),
        )?;
    }
    Ok(())
}

fn way_up(next: &NextLevel, attacked: bool) -> String {
    let one = if attacked { "one more" } else { "one" };
    let level = &next.level;
    let far = format!(
        "Level {level} begins at {}, {} points of today away in {}:",
        one_decimal(next.floor_micro),
        exact_micro(next.points_micro),
        next.component
    );
    match &next.attack {
        Some(attack) => format!(
            "{far} {one} {} attack of a kind not seen today would do, and make the score {}.",
            attack.level,
            one_decimal(attack.score_micro)
        ),
        None => format!("{far} more than any single attack adds."),
    }
}
