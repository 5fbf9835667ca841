//! How the score comes about and what it is made of.

use std::io;

use af_model::name::Printable;
use af_model::view::{ExplainView, ExplainedComponent, one_decimal};

use super::page::{Page, counted, exact_micro, exact_nano, figures, texts};
use crate::Detail;

/// Blocks shown unless all are wanted.
const BLOCKS: usize = 12;

/// The arithmetic with all its digits, so that a reader can repeat it.
pub(super) fn arithmetic(view: &ExplainView, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("HOW THE SCORE COMES ABOUT")?;
    let (lambda, q) = (view.parameters.lambda, view.parameters.q);
    page.text(
        2,
        &format!(
            "Attacks give points (low {}, medium {}, high {}, critical {}); repeats of one kind and \
             day count less and less, points halve every 14 days. What is left is the load. It is \
             measured with {lambda} points plus {q} times what colleagues carry on average.",
            view.parameters.points.low,
            view.parameters.points.medium,
            view.parameters.points.high,
            view.parameters.points.critical,
        ),
    )?;
    let mut odds = Vec::new();
    for component in view.components.iter().filter(|c| c.load_micro > 0) {
        page.blank()?;
        one(view, component, page)?;
        let part = exact_nano(component.odds_nano);
        odds.push(match component.weight_permille {
            1000 => part,
            weight => format!("{weight}/1000 × {part}"),
        });
    }
    page.blank()?;
    let total = exact_nano(view.score.odds_nano);
    let weighted = odds.len() > 1 || odds.first().is_some_and(|part| *part != total);
    if weighted {
        page.hanging(2, 4, &format!("odds = {} = {total}", odds.join(" + ")))?;
    }
    page.hanging(
        2,
        4,
        &format!(
            "score = 10 × odds / (1 + odds) = 10 × {total} / {} = {}, shown as {}",
            exact_nano(view.score.odds_nano.saturating_add(1_000_000_000)),
            exact_micro(view.score.score_micro),
            one_decimal(view.score.score_micro)
        ),
    )?;
    let quiet: Vec<&str> = view
        .components
        .iter()
        .filter(|component| component.load_micro == 0)
        .map(|component| component.component.as_str())
        .collect();
    if !quiet.is_empty() {
        page.text(2, &format!("Nothing counts in {}.", quiet.join(", ")))?;
    }
    Ok(())
}

fn one(view: &ExplainView, component: &ExplainedComponent, page: &mut Page<'_>) -> io::Result<()> {
    let (lambda, q) = (view.parameters.lambda, view.parameters.q);
    page.hanging(
        2,
        4,
        &format!(
            "{}: load {}, colleagues' average {}",
            component.component,
            exact_micro(component.load_micro),
            exact_micro(component.baseline_micro)
        ),
    )?;
    page.hanging(
        4,
        11,
        &format!(
            "odds = load / ({lambda} + {q} × average) = {} / ({lambda} + {q} × {}) = {}",
            exact_micro(component.load_micro),
            exact_micro(component.baseline_micro),
            exact_nano(component.odds_nano)
        ),
    )?;
    page.text(4, &yardstick(component.relative_weight_micro))
}

/// How far colleagues drive the yardstick, in words.
fn yardstick(relative_weight_micro: i64) -> String {
    let percent = format!(
        "{}.{} %",
        relative_weight_micro / 10_000,
        relative_weight_micro / 1_000 % 10
    );
    match relative_weight_micro {
        0 => {
            "No colleague carries anything here: the score is measured on the absolute scale alone."
                .to_owned()
        }
        ..250_000 => format!(
            "Colleagues make up {percent} of the yardstick: the score is nearly absolute, it hardly \
             depends on them."
        ),
        250_000..750_000 => format!(
            "Colleagues make up {percent} of the yardstick: the score is partly absolute, partly a \
             comparison with them."
        ),
        _ => format!(
            "Colleagues make up {percent} of the yardstick: everybody is attacked here, and the score \
             says how much more than they."
        ),
    }
}

/// The blocks with their shares.
pub(super) fn parts(view: &ExplainView, detail: Detail, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("WHAT IT IS MADE OF")?;
    let shown = detail.limit(BLOCKS).min(view.blocks.len());
    let (blocks, others) = view.blocks.split_at(shown);
    let several = view
        .blocks
        .iter()
        .any(|block| block.component != view.blocks[0].component);
    let kind = |block: &af_model::view::ExplainedBlock| {
        if several {
            format!(
                "{}/{}",
                Printable(&block.component),
                Printable(&block.family)
            )
        } else {
            Printable(&block.family).to_string()
        }
    };
    let cells = |cell: &dyn Fn(&af_model::view::ExplainedBlock) -> String| -> Vec<String> {
        blocks.iter().map(cell).collect()
    };
    page.grid(&[
        texts("day", None, cells(&|b| b.day.to_string())),
        figures("days ago", cells(&|b| b.age_days.to_string())),
        texts("kind of attack", Some(12), cells(&kind)),
        texts("level", None, cells(&|b| Printable(&b.level).to_string())),
        figures("attacks", cells(&|b| b.n.to_string())),
        figures("share", cells(&|b| one_decimal(b.score_share_micro))),
        figures("without", cells(&|b| one_decimal(b.score_without_micro))),
    ])?;
    if !others.is_empty() {
        let share: i64 = others.iter().map(|block| block.score_share_micro).sum();
        let n: i64 = others.iter().map(|block| block.n).sum();
        page.text(
            2,
            &format!(
                "and {} more with {}, together {} of the score; --all shows them",
                counted(others.len().try_into().unwrap_or(i64::MAX), "row", "rows"),
                counted(n, "attack", "attacks"),
                one_decimal(share)
            ),
        )?;
    }
    let rest = view.blocks.iter().filter(|block| block.in_rest).count();
    if rest > 0 {
        page.text(
            2,
            &format!("{rest} of the rows are one row, the rest, in the table signal_attribution."),
        )?;
    }
    page.text(
        2,
        "Shares add up to the score. 'without' is the score had these attacks not been: repeats count \
         less and less, so taking one away changes less than its share.",
    )
}
