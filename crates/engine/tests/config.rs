//! Whatever stands in a configuration: no panic, every problem has its place, no secret comes back.

use std::path::Path;

use af_engine::config::{Problem, effective, read, starter};
use proptest::prelude::*;

/// What must hold for any text; the body of a fuzz target, too.
fn reads(text: &str) -> Vec<Problem> {
    let (config, problems) = read(Path::new("attack-factor.toml"), text);
    config
        .params
        .check()
        .expect("parameters that hold are valid");
    let lines = u32::try_from(text.split('\n').count()).expect("a short text");
    for problem in &problems {
        let shown = problem.to_string();
        assert!(
            !shown.contains(|c: char| c.is_control() && c != '\n'),
            "{shown:?}"
        );
        if let Some(place) = problem.place {
            assert!((1..=lines).contains(&place.line), "{shown}");
            assert!(place.column >= 1, "{shown}");
        }
    }
    for setting in effective(&config) {
        assert!(!setting.key.is_empty());
    }
    problems
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}|[a-z\\[\\]=.\"'{}, \n\u{1b}0-9-]{0,200}") {
        reads(&text);
    }

    #[test]
    fn a_starter_file_with_a_wound_is_read_without_a_panic(
        at in 0_usize..4000,
        cut in 0_usize..40,
        put in "[\\[\\]=.\"'{}, \na-z0-9]{0,6}",
    ) {
        let mut text = starter();
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let mut end = (at + cut).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        text.replace_range(at..end, &put);
        reads(&text);
    }

    #[test]
    fn a_value_that_looks_like_a_secret_is_never_repeated(key in "store|token|tenant", tail in "[A-Za-z0-9]{20,42}") {
        let secret = format!("SSWS {tail}");
        let problems = reads(&format!("{key} = \"{secret}\"\n"));
        prop_assert!(!problems.is_empty());
        for problem in problems {
            prop_assert!(!problem.to_string().contains(&tail));
        }
    }
}

#[test]
fn a_misspelt_key_brings_the_nearest_name_in_every_table() {
    for (text, hint) in [
        ("stroe = \"x\"", "did you mean store?"),
        ("[formula]\nlamda = 1", "did you mean lambda?"),
        ("[formula.points]\nhigth = 9", "did you mean high?"),
        ("[gates]\nfeed_age_hour = 9", "did you mean feed_age_hours?"),
        (
            "[[tenant]]\nname = \"a\"\n[[tenant.okta]]\nfile = []\nfiles = []",
            "did you mean files?",
        ),
    ] {
        let problems = reads(text);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].hint.as_deref(), Some(hint), "{text}");
    }
}

#[test]
fn tables_and_lists_of_tables_are_told_apart() {
    let one = reads("[tenant]\nname = \"a\"");
    assert!(one[0].message.contains("[[tenant]]"), "{one:?}");
    let list = reads("[[formula]]\nlambda = 9");
    assert!(list[0].message.contains("[formula]"), "{list:?}");
}
