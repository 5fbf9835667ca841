//! The result in words and tables: Markdown that reads well as it stands.

use std::fmt::Write as _;

use af_okta_sim::organization::{Kind, Organization};

use super::Arguments;
use super::judge::{Judged, OfKind};
use super::people::{LEVELS, Standing};
use super::pipeline::Lived;

/// Goals, in tenths of a percent.
const PRECISION_OF_HIGH: u64 = 950;
const RECALL: u64 = 950;
const LEFT_IN_PEACE: u64 = 990;

/// Missed stories and wrong rules that are listed at most.
const MOST_LISTED: usize = 60;

/// The whole result. Equal simulations give equal text.
pub(super) fn text(
    arguments: Arguments,
    organization: &Organization,
    lived: &Lived,
    judged: &Judged,
    standing: &Standing,
) -> String {
    let mut text = String::new();
    let Arguments {
        people, days, seed, ..
    } = arguments;
    let stories = organization.truth().stories.len();
    let (victims, found) = totals(judged);
    let attacked: u64 = standing.attacked.iter().sum();
    line(
        &mut text,
        format_args!(
            "# Detection in a simulated organization\n\n{people} people, {days} days, seed {seed}: {} events, \
             {stories} seeded attacks on {attacked} people ({victims} times somebody was attacked), {} findings, \
             {} snapshots.\nWritten by `cargo xtask detection`; what it means: README.md beside it.\n",
            lived.events,
            lived.found.len(),
            lived.cuts.len(),
        ),
    );
    goals(&mut text, standing, victims, found);
    kinds(&mut text, judged);
    rules(&mut text, judged);
    people_table(&mut text, standing);
    wrong(&mut text, judged, standing);
    missed(&mut text, judged);
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("writing to a string never fails");
}

fn totals(judged: &Judged) -> (u64, u64) {
    let kinds = judged.kinds.values();
    kinds.fold((0, 0), |(victims, found), kind| {
        (victims + kind.victims, found + kind.found())
    })
}

/// `95.0 %`, rounded down; a dash without anything to count.
fn percent(part: u64, of: u64) -> String {
    match (1000 * part).checked_div(of) {
        Some(permille) => format!("{}.{} %", permille / 10, permille % 10),
        None => "–".to_owned(),
    }
}

fn goals(text: &mut String, standing: &Standing, victims: u64, found: u64) {
    line(text, format_args!("## Goals\n"));
    table(
        text,
        &["goal", "is", "of", "share", "wanted", "reached"],
        [
            (
                "people at or above high who had been attacked",
                standing.high_attacked,
                standing.high,
                PRECISION_OF_HIGH,
            ),
            (
                "seeded attacks on people that were found",
                found,
                victims,
                RECALL,
            ),
            (
                "people never attacked who stayed none or very_low",
                standing.left_in_peace(),
                standing.quiet_people(),
                LEFT_IN_PEACE,
            ),
        ]
        .into_iter()
        .map(|(goal, part, of, wanted)| {
            // Compared exactly; nothing to count reaches nothing.
            let reached = of > 0 && 1000 * part >= wanted * of;
            vec![
                goal.to_owned(),
                part.to_string(),
                of.to_string(),
                percent(part, of),
                format!("{}.{} %", wanted / 10, wanted % 10),
                if reached { "yes" } else { "**no**" }.to_owned(),
            ]
        }),
    );
}

fn kinds(text: &mut String, judged: &Judged) {
    line(
        text,
        format_args!(
            "## By kind of attack\n\nFound: somebody attacked has a finding that names an event of the attack, or one of a \
             related family within a day of it.\nThe columns low to critical count them by the strongest such finding; by event: \
             those with a finding of the first sort.\n"
        ),
    );
    let header = [
        "attack", "stories", "seen", "victims", "found", "recall", "by event", "low", "medium",
        "high", "critical",
    ];
    let row = |name: &str, kind: &OfKind| {
        let mut cells = vec![
            name.to_owned(),
            kind.stories.to_string(),
            kind.stories_found.to_string(),
            kind.victims.to_string(),
            kind.found().to_string(),
            percent(kind.found(), kind.victims),
            kind.by_event.to_string(),
        ];
        cells.extend(kind.found.iter().map(ToString::to_string));
        cells
    };
    let mut all = OfKind::default();
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        let Some(found) = judged.kinds.get(&kind) else {
            rows.push(row(kind.what(), &OfKind::default()));
            continue;
        };
        rows.push(row(kind.what(), found));
        all.stories += found.stories;
        all.stories_found += found.stories_found;
        all.victims += found.victims;
        all.by_event += found.by_event;
        for (sum, part) in all.found.iter_mut().zip(found.found) {
            *sum += part;
        }
    }
    rows.push(row("**all**", &all));
    table(text, &header, rows);
}

fn rules(text: &mut String, judged: &Judged) {
    line(
        text,
        format_args!(
            "## By rule\n\nRight: the finding names an event of an attack, or a victim at the time in a related family.\n\
             Victims found: how many times somebody was attacked and this rule saw it.\n"
        ),
    );
    let rows = judged.rules.iter().map(|(name, rule)| {
        vec![
            format!("`{name}`"),
            rule.findings.to_string(),
            rule.by_event.to_string(),
            rule.by_time.to_string(),
            (rule.findings - rule.right()).to_string(),
            percent(rule.right(), rule.findings),
            rule.victims.len().to_string(),
        ]
    });
    table(
        text,
        &[
            "rule",
            "findings",
            "right by event",
            "right by time",
            "wrong",
            "precision",
            "victims found",
        ],
        rows,
    );
}

fn people_table(text: &mut String, standing: &Standing) {
    line(
        text,
        format_args!(
            "## People\n\nEverybody by the highest level at any of the weekly snapshots.\n"
        ),
    );
    let mut header = vec!["people"];
    header.extend(LEVELS);
    let row = |name: &str, counts: &[u64; 6]| {
        let mut cells = vec![name.to_owned()];
        cells.extend(counts.iter().map(ToString::to_string));
        cells
    };
    table(
        text,
        &header,
        [
            row("attacked", &standing.attacked),
            row("never attacked", &standing.quiet),
        ],
    );
}

fn wrong(text: &mut String, judged: &Judged, standing: &Standing) {
    line(text, format_args!("## What was wrong\n"));
    let mut worst: Vec<(&String, u64, usize)> = judged
        .rules
        .iter()
        .map(|(name, rule)| {
            let wrong = rule.findings - rule.right();
            (name, wrong, rule.false_people.len())
        })
        .filter(|(_, wrong, _)| *wrong > 0)
        .collect();
    worst.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let on = |rules: &[(String, u64)], name: &str| {
        let found = rules.iter().find(|(rule, _)| rule == name);
        found.map_or(0, |(_, people)| *people).to_string()
    };
    table(
        text,
        &[
            "rule",
            "wrong findings",
            "on people",
            "of them above very_low, never attacked",
            "high without attack",
        ],
        worst
            .into_iter()
            .take(MOST_LISTED)
            .map(|(name, wrong, people)| {
                vec![
                    format!("`{name}`"),
                    wrong.to_string(),
                    people.to_string(),
                    on(&standing.disturbed_by, name),
                    on(&standing.wrongly_high_by, name),
                ]
            }),
    );
}

fn missed(text: &mut String, judged: &Judged) {
    let stories = judged.missed.len();
    line(
        text,
        format_args!(
            "## What was missed\n\n{stories} attacks have victims that nothing was found about. Size is in the attack's own unit; \
             events are those of the attack on one victim.\n"
        ),
    );
    let mut missed: Vec<_> = judged.missed.iter().collect();
    missed.sort_by_key(|missed| {
        (
            missed.story.kind,
            std::cmp::Reverse(missed.victims),
            missed.story.id,
        )
    });
    let rows = missed.into_iter().map(|missed| {
        let story = &missed.story;
        let (least, most) = missed.events;
        vec![
            story.kind.what().to_owned(),
            story.start.day().to_string(),
            story.size.to_string(),
            format!("{} of {}", missed.victims, story.victims.len()),
            if least == most {
                least.to_string()
            } else {
                format!("{least} to {most}")
            },
            if story.succeeded { "yes" } else { "no" }.to_owned(),
            missed.reason.clone(),
        ]
    });
    table(
        text,
        &[
            "attack",
            "day",
            "size",
            "missed",
            "events",
            "succeeded",
            "why",
        ],
        rows,
    );
}

/// A Markdown table with even columns.
fn table(text: &mut String, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let header: Vec<String> = header.iter().map(|&cell| cell.to_owned()).collect();
    let mut rows: Vec<Vec<String>> = rows.into_iter().collect();
    if rows.is_empty() {
        line(text, format_args!("None.\n"));
        return;
    }
    rows.insert(0, header);
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        })
        .collect();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| {
                // Words to the left, figures to the right.
                let is_figure = column > 0 && rows[1..].iter().all(|row| is_figure(&row[column]));
                if is_figure {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            })
            .collect();
        line(text, format_args!("| {} |", cells.join(" | ")));
        if number == 0 {
            let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            line(text, format_args!("| {} |", rule.join(" | ")));
        }
    }
    text.push('\n');
}

fn is_figure(cell: &str) -> bool {
    cell.starts_with(|first: char| first.is_ascii_digit() || first == '–')
        && !cell.contains(" of ")
        && !cell.contains('-')
}
