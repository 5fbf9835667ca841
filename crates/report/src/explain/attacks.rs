//! The attacks themselves: rules in their own words, signals, events.

use std::collections::BTreeSet;
use std::io;

use af_model::UtcMillis;
use af_model::view::{
    ExplainView, ExplainedBlock, ExplainedEvent, ExplainedIncident, ExplainedRule, ExplainedSignal,
    one_decimal,
};

use super::page::{Page, counted};
use crate::Detail;

/// Blocks, incidents a block, events an incident, and retracted signals shown unless all are wanted.
const BLOCKS: usize = 6;
const INCIDENTS: usize = 3;
const EVENTS: usize = 2;
const RETRACTED: usize = 5;

/// The weightiest blocks opened.
pub(super) fn attacks(view: &ExplainView, detail: Detail, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("THE ATTACKS")?;
    if !view.evidence.store_read {
        page.text(
            2,
            "From a snapshot alone; with --store the signals and events behind it are shown.",
        )?;
        page.blank()?;
    }
    let mut told = BTreeSet::new();
    let shown = detail.limit(BLOCKS);
    for (place, block) in view.blocks.iter().take(shown).enumerate() {
        if place > 0 {
            page.blank()?;
        }
        one(view, block, detail, &mut told, page)?;
    }
    more(
        page,
        2,
        view.blocks.len().saturating_sub(shown),
        "row of the table above",
        "rows of the table above",
    )
}

fn one<'v>(
    view: &'v ExplainView,
    block: &'v ExplainedBlock,
    detail: Detail,
    told: &mut BTreeSet<&'v str>,
    page: &mut Page<'_>,
) -> io::Result<()> {
    page.hanging(
        2,
        4,
        &format!(
            "{}, {}, {}: {}, {} of the score",
            block.day,
            block.family,
            block.level,
            counted(block.n, "attack", "attacks"),
            one_decimal(block.score_share_micro)
        ),
    )?;
    for id in &block.rule_ids {
        let Some(rule) = view.rules.iter().find(|rule| rule.rule_id == *id) else {
            continue;
        };
        let again = !told.insert(&rule.rule_id);
        words(rule, again, page)?;
    }
    // By time, as people tell it; the view keeps the order in which shares were split.
    let mut incidents: Vec<&ExplainedIncident> = block.incidents.iter().collect();
    incidents.sort_by_key(|incident| incident.signals.first().map(|signal| signal.time));
    let shown = detail.limit(INCIDENTS);
    for incident in incidents.into_iter().take(shown) {
        let several = block.rule_ids.len() > 1;
        incident_lines(view, incident, several, detail, page)?;
    }
    let unlisted = usize::try_from(block.incidents_unlisted).unwrap_or(0);
    let hidden = block.incidents.len().saturating_sub(shown);
    if hidden > 0 {
        more(page, 4, hidden, "attack", "attacks")?;
    }
    if unlisted > 0 && view.evidence.store_read {
        page.text(
            4,
            &format!(
                "{} not found in the store",
                counted(block.incidents_unlisted, "attack was", "attacks were")
            ),
        )?;
    }
    Ok(())
}

/// A rule: in full the first time, its title after that.
fn words(rule: &ExplainedRule, again: bool, page: &mut Page<'_>) -> io::Result<()> {
    let Some(title) = &rule.title else {
        return page.hanging(
            4,
            6,
            &format!(
                "Rule {}: not among the rules loaded here (give --rules DIR).",
                rule.rule_id
            ),
        );
    };
    let name = rule.name.as_deref().unwrap_or(&rule.rule_id);
    if again {
        return page.hanging(4, 6, &format!("{title} ({name}), as above"));
    }
    page.hanging(4, 6, &format!("{title} ({name})"))?;
    if let Some(description) = &rule.description {
        page.text(6, description)?;
    }
    if let Some(reason) = &rule.level_reason {
        page.hanging(6, 8, &format!("Why this level: {reason}"))?;
    }
    if let Some(field) = &rule.level_from {
        page.hanging(6, 8, &format!("The level is the event's own, in {field}."))?;
    }
    if !rule.false_positives.is_empty() {
        page.hanging(
            6,
            8,
            &format!("Harmless when: {}", rule.false_positives.join(" ")),
        )?;
    }
    Ok(())
}

/// One incident: when, its figures, its signal, its events. Names the rule where the block has
/// several.
fn incident_lines(
    view: &ExplainView,
    incident: &ExplainedIncident,
    several_rules: bool,
    detail: Detail,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let figures = format!(
        "share {}, score without it {}",
        one_decimal(incident.score_share_micro),
        one_decimal(incident.score_without_micro)
    );
    let Some(first) = incident.signals.first() else {
        let line = format!("- signal {}: {figures}", incident.signal_uid);
        return page.hanging(4, 6, &line);
    };
    page.hanging(4, 6, &format!("- {}: {figures}", first.time))?;
    let rule = view.rules.iter().find(|rule| rule.rule_id == first.rule_id);
    let title = rule.and_then(|rule| rule.title.as_deref());
    let found = match title {
        Some(title) if several_rules => format!(": {title}"),
        _ => String::new(),
    };
    let named = named(first);
    page.hanging(6, 8, &format!("signal {}{found}{named}", first.signal_uid))?;
    match incident.signals.len() - 1 {
        0 => {}
        1 => page.text(6, "one more signal of this incident adds nothing")?,
        n => page.text(6, &format!("{n} more signals of this incident add nothing"))?,
    }
    let events = incident.signals.iter().flat_map(|signal| &signal.events);
    let events: Vec<&ExplainedEvent> = events.collect();
    let shown = detail.limit(EVENTS);
    for event in events.iter().take(shown) {
        event_lines(
            event,
            (event.time != first.time).then_some(event.time),
            page,
        )?;
    }
    more(
        page,
        6,
        events.len().saturating_sub(shown),
        "event",
        "events",
    )?;
    let missing: usize = incident
        .signals
        .iter()
        .map(|s| s.events_missing.len())
        .sum();
    if missing > 0 {
        let missing = counted(
            missing.try_into().unwrap_or(i64::MAX),
            "event is",
            "events are",
        );
        page.text(6, &format!("{missing} not in the store"))?;
    }
    Ok(())
}

/// How a signal names the person, where that is not simply their id.
fn named(signal: &ExplainedSignal) -> String {
    match signal.subject_ref.as_deref() {
        Some(subject) if subject.starts_with("h:") => {
            ", matched by the hash of a typed-in name".to_owned()
        }
        Some(subject) if !subject.starts_with("uid:") => format!(", names {subject}"),
        _ => String::new(),
    }
}

/// One event; its time is told where it is not the signal's.
fn event_lines(
    event: &ExplainedEvent,
    time: Option<UtcMillis>,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let outcome = [&event.outcome, &event.reason].map(|text| text.as_deref().unwrap_or_default());
    let time = time.map_or_else(String::new, |time| time.to_string());
    let line = format!("{time} {} {}", event.event_type, outcome.join(" "));
    page.hanging(6, 8, &line)?;
    if let Some(message) = &event.message {
        page.hanging(8, 10, &format!("\"{message}\""))?;
    }
    let place: Vec<&str> = [&event.city, &event.country]
        .into_iter()
        .filter_map(|text| text.as_deref())
        .collect();
    let mut from = Vec::new();
    if let Some(address) = &event.address {
        from.push(format!("from {address}"));
    }
    if !place.is_empty() {
        from.push(place.join(", "));
    }
    if let Some(network) = &event.network {
        from.push(network.clone());
    }
    let agent: Vec<&str> = [&event.browser, &event.os]
        .into_iter()
        .filter_map(|text| text.as_deref())
        .collect();
    if !agent.is_empty() {
        from.push(agent.join(" on "));
    }
    if let Some(application) = &event.application {
        from.push(format!("application {application}"));
    }
    if !from.is_empty() {
        page.hanging(8, 10, &from.join("; "))?;
    }
    if !event.risk_reasons.is_empty() {
        page.hanging(8, 10, &format!("risk: {}", event.risk_reasons.join("; ")))?;
    }
    let actor = event.actor_name.as_deref().or(event.actor_uid.as_deref());
    if let Some(actor) = actor.filter(|_| !event.actor_is_person) {
        let kind = event.actor_type.as_deref().unwrap_or("unknown");
        page.hanging(8, 10, &format!("actor: {actor} ({kind})"))?;
    }
    Ok(())
}

/// What was taken back.
pub(super) fn retracted(view: &ExplainView, detail: Detail, page: &mut Page<'_>) -> io::Result<()> {
    if view.retracted.is_empty() {
        return Ok(());
    }
    page.heading("TAKEN BACK")?;
    let shown = detail.limit(RETRACTED);
    for signal in view.retracted.iter().take(shown) {
        let by = signal.by.as_deref().map(|by| format!(" by {by}"));
        let reason = signal.reason.as_deref().map(|reason| format!(": {reason}"));
        page.hanging(
            2,
            4,
            &format!(
                "- {} {}, {}, signal {}: {} {} retracted {}{}{}",
                signal.time,
                signal.family,
                signal.level,
                signal.signal_uid,
                signal.target_kind,
                signal.target_uid,
                signal.retracted_at,
                by.unwrap_or_default(),
                reason.unwrap_or_default()
            ),
        )?;
    }
    more(
        page,
        2,
        view.retracted.len().saturating_sub(shown),
        "signal",
        "signals",
    )
}

/// Says how many are not shown, if any.
fn more(page: &mut Page<'_>, indent: usize, n: usize, one: &str, many: &str) -> io::Result<()> {
    if n == 0 {
        return Ok(());
    }
    let n = counted(n.try_into().unwrap_or(i64::MAX), one, many);
    page.text(
        indent,
        &format!("and {n} not shown; --all shows everything"),
    )
}
