//! A folder of one's own rules, from the first line to its samples.

use std::path::Path;

use super::support::{Outcome, program};

const NAME: &str = "our_second_report";

/// The correlation that `data/rules/README.md` shows.
fn example() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/rules/README.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once(&format!("`my-rules/{NAME}.yml`:")).unwrap();
    let (_, rest) = rest.split_once("```yaml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn sample(fires: bool, second: &str) -> String {
    let person = r#"{"id": "00u1", "type": "User", "alternateId": "ana@example.com"}"#;
    format!(
        r#"{{"fires": {fires}, "why": "two reports", "event": {{"actor": {person}, "target": [{person}],
            "eventType": "user.account.report_suspicious_activity_by_enduser", "outcome": {{"result": "SUCCESS"}}}},
            "events": [{{"uuid": "a", "published": "2026-11-01T10:00:00Z"}}, {{"uuid": "b", "published": "{second}"}}]}}"#
    )
    .replace('\n', " ")
}

fn write(folder: &Path, rule: &str, samples: &[String]) {
    std::fs::write(folder.join(format!("{NAME}.yml")), rule).unwrap();
    if !samples.is_empty() {
        let path = folder.join(format!("{NAME}.samples.jsonl"));
        std::fs::write(path, samples.join("\n")).unwrap();
    }
}

fn rules(folder: &Path, arguments: &[&str]) -> Outcome {
    let folder = folder.to_str().unwrap();
    let all = ["rules"].iter().chain(arguments);
    program(all.chain(&["--rules", folder])).run()
}

#[test]
fn the_correlation_of_the_page_is_a_rule_that_does_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let samples = [
        sample(true, "2026-11-06T10:00:00Z"),
        sample(false, "2026-11-09T10:00:00Z"),
    ];
    write(folder.path(), &example(), &samples);
    let check = rules(folder.path(), &["check"]);
    assert_eq!(check.code, 0, "{}{}", check.stdout, check.stderr);
    assert!(
        check
            .stdout
            .contains("the rule has no ATT&CK technique in tags"),
        "{}",
        check.stdout
    );
    let test = rules(folder.path(), &["test", NAME, "--format", "csv"]);
    assert_eq!(test.code, 0, "{}", test.stderr);
    assert_eq!(test.stdout.lines().count(), 3, "{}", test.stdout);
    assert!(test.stderr.contains("all 2 samples passed"));

    // A sample that does not do as it says.
    write(
        folder.path(),
        &example(),
        &[sample(true, "2026-11-09T10:00:00Z")],
    );
    let test = rules(folder.path(), &["test", NAME]);
    assert_eq!(test.code, 4, "{}", test.stdout);
    assert!(test.stderr.contains("1 of 1 samples failed"));
}

#[test]
fn a_rule_without_samples_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &example(), &[]);
    let check = rules(folder.path(), &["check"]);
    assert_eq!(check.code, 2);
    assert!(
        check.stdout.contains("the rule has no samples"),
        "{}",
        check.stdout
    );
    assert!(check.stderr.contains("problems is an error"));
    let test = rules(folder.path(), &["test", NAME]);
    assert_eq!(test.code, 2);
    assert!(test.stderr.contains("our_second_report has no samples"));
    for verb in ["test", "show"] {
        let unknown = rules(folder.path(), &[verb, "our_secnd_report"]);
        assert_eq!(unknown.code, 2);
        assert!(
            unknown.stderr.contains("did you mean our_second_report"),
            "{}",
            unknown.stderr
        );
    }
}

#[test]
fn misspelt_correlations_are_refused_with_the_words_that_are_right() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to, expected) in [
        ("event_count ", "event_cuont ", "one of event_count, "),
        ("7d ", "7 days ", "a whole number and s, m, h or d"),
        ("generate: true", "generate: false", "beside `correlation:`"),
        (
            "[okta_user_reported_activity]",
            "[okta_user_reported_activty]",
            "did you mean okta_user_reported_activity",
        ),
        (
            "[okta_user_reported_activity]",
            "[our_second_report]",
            "in a circle: our_second_report looks at our_second_report",
        ),
        (
            "[derived.subject]",
            "[derived.subjct]",
            "did you mean derived.subject",
        ),
    ] {
        let text = example().replacen(from, to, 1);
        assert_ne!(text, example(), "{from}");
        write(folder.path(), &text, &[]);
        let check = rules(folder.path(), &["check"]);
        assert_eq!(check.code, 2, "{to}");
        let stderr = check.stderr;
        assert!(stderr.contains(expected), "{to}: {stderr}");
        assert!(stderr.contains("1 problem:"), "{to}: {stderr}");
        let place = format!("{NAME}.yml:");
        assert!(stderr.contains(&place), "{to}: {stderr}");
    }
}
