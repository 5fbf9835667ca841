//! The page and the rows that say why one person has their score.

#![expect(
    clippy::unwrap_used,
    reason = "clippy exempts test functions, but not what they share"
)]

use af_model::view::{
    Decayed, Evidence, ExplainView, ExplainedBlock, ExplainedComponent, ExplainedEvent,
    ExplainedIncident, ExplainedPerson, ExplainedRule, ExplainedScore, ExplainedSignal,
    FreshAttack, NextLevel, Outlook,
};
use af_model::{Params, UtcDay, UtcMillis};
use af_report::{Detail, Format, render_explain};

const AS_OF: UtcMillis = UtcMillis(1_795_219_199_999);

/// One fresh high attack in a quiet organization, 5.0, told with this text wherever text is free.
fn view(text: &str) -> ExplainView {
    let texts = || Some(text.to_owned());
    ExplainView {
        snapshot: "r1".to_owned(),
        as_of: AS_OF,
        known_at: AS_OF,
        formula: "af-1".to_owned(),
        parameters: Params::default(),
        person: ExplainedPerson {
            tenant_uid: "acme".to_owned(),
            user_uid: text.to_owned(),
            email: text.to_owned(),
            display_name: texts(),
            department: texts(),
            location: texts(),
            manager_uid: texts(),
            population: "human".to_owned(),
            in_population: true,
        },
        score: ExplainedScore {
            score_micro: 5_000_000,
            level: "medium".to_owned(),
            odds_nano: 1_000_000_000,
            rank: Some(1),
            population_n: 20,
            percentile: Some(97.5),
            pct_below: Some(100.0),
            signal_count: 1,
            attack_days: 1,
            first_attack: Some(AS_OF),
            last_attack: Some(AS_OF),
        },
        feeds: Vec::new(),
        components: vec![ExplainedComponent {
            component: "identity".to_owned(),
            load_micro: 9_000_000,
            baseline_micro: 0,
            odds_nano: 1_000_000_000,
            score_micro: 5_000_000,
            relative_weight_micro: 0,
            weight_permille: 1000,
            score_share_micro: 5_000_000,
            n: 1,
        }],
        blocks: vec![ExplainedBlock {
            component: "identity".to_owned(),
            family: "phishing_aitm".to_owned(),
            day: AS_OF.day(),
            age_days: 0,
            level: "high".to_owned(),
            n: 1,
            load_share_micro: 9_000_000,
            score_share_micro: 5_000_000,
            without_micro: 5_000_000,
            score_without_micro: 0,
            in_rest: false,
            rule_ids: vec![text.to_owned()],
            incidents: vec![ExplainedIncident {
                signal_uid: text.to_owned(),
                incident_uid: texts(),
                score_share_micro: 5_000_000,
                without_micro: 5_000_000,
                score_without_micro: 0,
                signals: vec![ExplainedSignal {
                    signal_uid: text.to_owned(),
                    time: AS_OF,
                    ingested_at: None,
                    level: "high".to_owned(),
                    rule_id: text.to_owned(),
                    rule_version: None,
                    source: text.to_owned(),
                    integration: None,
                    subject_ref: Some(format!("login:{text}")),
                    attack_techniques: Vec::new(),
                    without_micro: 5_000_000,
                    score_without_micro: 0,
                    events: vec![ExplainedEvent {
                        event_uid: text.to_owned(),
                        event_type: text.to_owned(),
                        outcome: texts(),
                        reason: texts(),
                        message: texts(),
                        address: texts(),
                        city: texts(),
                        country: texts(),
                        network: texts(),
                        browser: texts(),
                        os: texts(),
                        application: texts(),
                        risk_reasons: vec![text.to_owned()],
                        actor_uid: texts(),
                        actor_name: texts(),
                        actor_type: texts(),
                        ..ExplainedEvent::default()
                    }],
                    events_missing: Vec::new(),
                }],
            }],
            incidents_unlisted: 0,
        }],
        rules: vec![ExplainedRule {
            rule_id: text.to_owned(),
            name: texts(),
            title: texts(),
            description: texts(),
            level_reason: texts(),
            level_from: texts(),
            false_positives: vec![text.to_owned()],
            misses: Vec::new(),
            attack_techniques: Vec::new(),
        }],
        retracted: Vec::new(),
        outlook: Outlook {
            next_level: Some(NextLevel {
                level: "high".to_owned(),
                floor_micro: 6_000_000,
                component: "identity".to_owned(),
                points_micro: 4_500_000,
                attack: Some(FreshAttack {
                    level: "high".to_owned(),
                    score_micro: 6_666_666,
                }),
            }),
            decay: vec![Decayed {
                days: 7,
                score_micro: 4_142_135,
                level: "medium".to_owned(),
            }],
        },
        evidence: Evidence {
            store_read: true,
            ..Evidence::default()
        },
        notes: vec![text.to_owned()],
    }
}

fn written(view: &ExplainView, format: Format, detail: Detail, width: Option<u16>) -> String {
    let mut out = Vec::new();
    render_explain(view, format, detail, width, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_page_can_be_checked_by_hand() {
    let page = written(&view("ana"), Format::Table, Detail::Usual, None);
    // Where lines break is not the matter here.
    let words: Vec<&str> = page.split_whitespace().collect();
    let words = words.join(" ");
    for text in [
        "5.0 medium, rank 1 of 20 people, percentile 97.5",
        "identity: load 9.000000, colleagues' average 0.000000",
        "odds = load / (9 + 3 × average) = 9.000000 / (9 + 3 × 0.000000) = 1.000000000",
        "score = 10 × odds / (1 + odds) = 10 × 1.000000000 / 2.000000000 = 5.000000, shown as 5.0",
        "4.500000 points of today away in identity: one more high attack of a kind not seen today \
         would do, and make the score 6.6.",
        "If nothing new comes and colleagues carry what they carry today: 4.1 (medium) in 7 days.",
    ] {
        assert!(words.contains(text), "no {text:?} in\n{page}");
    }
}

#[test]
fn hostile_text_reaches_no_terminal_and_no_line_is_too_long() {
    let evil = "\u{1b}]0;x\u{7}\u{202e}<script>\u{0}\r\n=HYPERLINK(\u{9b}31m";
    let long = "ü".repeat(5_000);
    for text in [evil, &long, "", " ", "\n"] {
        for width in [None, Some(1), Some(57), Some(u16::MAX)] {
            let page = written(&view(text), Format::Table, Detail::All, width);
            let control = |c: char| c.is_control() && c != '\n';
            assert!(!page.contains(control), "{page:?}");
            assert!(!page.contains('\u{202e}'));
            let most = usize::from(width.unwrap_or(80).clamp(72, 100));
            for line in page.lines() {
                assert!(line.chars().count() <= most, "{width:?}: {line:?}");
            }
        }
        let csv = written(&view(text), Format::Csv, Detail::Usual, None);
        assert!(!csv.contains(",="), "{csv}");
    }
}

#[test]
fn json_is_the_whole_view_whatever_the_detail() {
    let view = view("\u{1b}[31mred");
    let json = written(&view, Format::Json, Detail::Usual, Some(40));
    assert_eq!(serde_json::from_str::<ExplainView>(&json).unwrap(), view);
    assert_eq!(written(&view, Format::Json, Detail::All, None), json);
}

#[test]
fn rows_are_blocks_that_mean_something_alone() {
    let view = view("ana");
    let line = written(&view, Format::Jsonl, Detail::Usual, None);
    let row: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(row["user_uid"], "ana");
    assert_eq!(row["score_share_micro"], 5_000_000);
    assert_eq!(row["signal_uids"], serde_json::json!(["ana"]));
    let csv = written(&view, Format::Csv, Detail::Usual, None);
    assert_eq!(csv.lines().count(), 2, "{csv}");
}

#[test]
fn long_lists_are_cut_and_say_so_unless_all_is_wanted() {
    let mut view = view("ana");
    let block = view.blocks[0].clone();
    view.blocks = (0..20)
        .map(|age| ExplainedBlock {
            day: UtcDay(AS_OF.day().0 - age),
            ..block.clone()
        })
        .collect();
    let cut = written(&view, Format::Table, Detail::Usual, None);
    assert!(
        cut.contains("and 8 rows more with 8 attacks, together 40.0 of the score"),
        "{cut}"
    );
    assert!(
        cut.contains("and 14 rows of the table above not shown"),
        "{cut}"
    );
    let all = written(&view, Format::Table, Detail::All, None);
    assert!(!all.contains("--all"), "{all}");
    assert!(all.lines().count() > cut.lines().count());
}

#[test]
fn nobody_attacked_is_told_from_nobody_looked() {
    let mut view = view("ana");
    view.blocks.clear();
    view.score.odds_nano = 0;
    view.score.score_micro = 0;
    let blind = written(&view, Format::Table, Detail::Usual, None);
    assert!(blind.contains("unknown, not safe"), "{blind}");
    view.feeds.push(af_model::view::ExplainedFeed {
        component: "identity".to_owned(),
        integrations: vec!["okta".to_owned()],
        first: Some(AS_OF),
        last: Some(AS_OF),
        scored: 3,
    });
    let quiet = written(&view, Format::Table, Detail::Usual, None);
    assert!(quiet.contains("No attack on this person counts"), "{quiet}");
    assert!(quiet.contains("Heard of identity: from 2026-11-20 to 2026-11-20, by okta; 3 attacks"));
}
