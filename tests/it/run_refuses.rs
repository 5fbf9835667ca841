//! `run`: tenants left out, gates, thresholds; what stops one organization and what stops all.

use serde_json::Value;

use super::normalize::sign_in;
use super::place::{Place, demo_file};
use super::support::{latest_snapshot, program};

#[test]
fn a_tenant_that_fails_is_left_out_and_the_others_are_published() {
    let place = Place::new();
    let alone = place.twin();
    place.write("globex.csv", "colour,size\nred,3\n");
    let (code, report) = place.json(&[]);
    assert_eq!(code, 4);
    assert_eq!(report["tenants"]["globex"]["result"], "left_out");
    assert_eq!(report["tenants"]["acme"]["result"], "published");
    let manifest = place.manifest();
    let reason = manifest["left_out"]["globex"].as_str().unwrap();
    assert!(reason.contains("globex.csv"), "{reason}");
    assert!(manifest["tenants"].get("globex").is_none());
    // Nothing of it is in any table, and the others are as if it did not exist.
    alone.configure("");
    let config = std::fs::read_to_string(alone.path().join("attack-factor.toml")).unwrap();
    let only = config
        .split_once("[[tenant]]\nname = \"globex\"")
        .unwrap()
        .0;
    alone.write("attack-factor.toml", only);
    alone.succeed(&[]);
    let tables = |place: &Place| -> Vec<(String, String)> {
        let mut files = place.snapshots();
        files.retain(|(name, _)| name.ends_with(".parquet"));
        files
    };
    assert_eq!(tables(&place), tables(&alone));

    // The text names the tenant and what to do.
    let outcome = place.run(&[]);
    assert_eq!(outcome.code, 4);
    assert!(
        outcome.stderr.contains("globex is left out"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("hint: "), "{}", outcome.stderr);

    // Mended, it is there again.
    std::fs::copy(demo_file("users.csv"), place.path().join("globex.csv")).unwrap();
    place.succeed(&[]);
    let manifest = place.manifest();
    assert_eq!(manifest["left_out"], serde_json::json!({}));
    assert_eq!(
        manifest["tenants"]["globex"]["population"]["human"],
        manifest["tenants"]["acme"]["population"]["human"]
    );
}

#[test]
fn where_every_tenant_fails_nothing_is_published() {
    let place = Place::new();
    place.succeed(&[]);
    let before = place.snapshots();
    for tenant in ["acme", "globex"] {
        place.write(&format!("{tenant}.csv"), "colour\nred\n");
        place.write(
            &format!("drop/{tenant}-2.ndjson"),
            &sign_in("x", "2026-11-20T09:00:00.000Z", "a@example.com").to_string(),
        );
    }
    let outcome = place.run(&[]);
    assert_eq!(outcome.code, 4);
    assert!(
        outcome.stderr.contains("every tenant is left out"),
        "{}",
        outcome.stderr
    );
    assert_eq!(place.snapshots(), before);
    // A first run, too.
    let fresh = Place::without_store();
    for tenant in ["acme", "globex"] {
        fresh.write(&format!("{tenant}.csv"), "colour\nred\n");
    }
    assert_eq!(fresh.run(&[]).code, 4);
    assert!(!fresh.store().join("snapshots").exists());
}

#[test]
fn an_account_that_does_not_close_leaves_its_tenant_out_of_score_and_run() {
    let place = Place::new();
    place.succeed(&[]);
    // What detection wrote down of one day no longer adds up.
    let state = place.store().join("state/detect.json");
    let mut detected: Value =
        serde_json::from_str(&std::fs::read_to_string(&state).unwrap()).unwrap();
    let days = detected["days"].as_object_mut().unwrap();
    let day = days.keys().next_back().unwrap().clone();
    days[&day]["classes"]["globex"]["normalized"] = 999_999.into();
    std::fs::write(&state, detected.to_string()).unwrap();

    let score = program(["score", "--store", "risk", "--as-of", "2026-11-21"])
        .inside(place.path())
        .run();
    assert_eq!(score.code, 4, "{}", score.stderr);
    assert!(
        score.stderr.contains("globex is left out"),
        "{}",
        score.stderr
    );
    assert!(score.stderr.contains("does not close"), "{}", score.stderr);
    let manifest = place.manifest();
    assert!(
        manifest["left_out"]["globex"]
            .as_str()
            .unwrap()
            .contains(&day)
    );
    assert!(manifest["tenants"].get("acme").is_some());
    assert_eq!(manifest["revision"], 2, "the snapshot before stays");
    let run = place.run(&[]);
    assert_eq!(run.code, 4, "{}", run.stderr);
}

#[test]
fn a_damaged_day_stops_everything_and_says_why() {
    let place = Place::new();
    place.succeed(&[]);
    let before = place.snapshots();
    let day = std::fs::read_dir(place.store().join("signals"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let file = std::fs::read_dir(day)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let outcome = place.run(&[]);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("holds all tenants"),
        "{}",
        outcome.stderr
    );
    assert_eq!(place.snapshots(), before);
}

#[test]
fn the_gate_on_refused_events_names_figure_and_limit_and_a_retry_does_not_pass_it() {
    let place = Place::new();
    let good: String = (0..90)
        .map(|n| {
            sign_in(
                &format!("g{n}"),
                "2026-11-20T08:00:00.000Z",
                "a@example.com",
            )
            .to_string()
                + "\n"
        })
        .collect();
    // 10 of 5,671 events read: 1.76 per mille, rounded up 2.
    place.write(
        "drop/acme-2.ndjson",
        &(good.clone() + &"{broken\n".repeat(10)),
    );
    place.configure(
        "[gates]\nquarantined_permille = 1\nunmatched_permille = 1000\nfeed_age_hours = 1000000\n",
    );
    for attempt in 0..2 {
        let (code, report) = place.json(&["--strict"]);
        assert_eq!(code, 4, "attempt {attempt}");
        let reason = report["left_out"]["acme"].as_str().unwrap();
        assert!(
            reason.contains("quarantined_permille: 2, limit 1"),
            "{reason}"
        );
        assert_eq!(
            report["tenants"]["globex"]["result"],
            if attempt == 0 {
                "published"
            } else {
                "unchanged"
            }
        );
        assert!(place.manifest()["tenants"].get("acme").is_none());
    }
    // A mended file passes.
    place.write("drop/acme-2.ndjson", &good);
    let (code, report) = place.json(&["--strict"]);
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["tenants"]["acme"]["result"], "published");
}

#[test]
fn the_gate_on_signals_of_nobody() {
    let place = Place::new();
    let people = std::fs::read_to_string(place.path().join("globex.csv")).unwrap();
    let fewer: String = people.split_inclusive('\n').take(3).collect();
    place.write("globex.csv", &fewer);
    // In the demo 172 of 307 signals are attempts on invented names, and two are taken back: 172 of
    // 305 are 563.9 per mille.
    place.configure("[gates]\nunmatched_permille = 564\n");
    let (code, report) = place.json(&["--strict"]);
    assert_eq!(code, 4);
    let reason = report["left_out"]["globex"].as_str().unwrap();
    assert!(
        reason.starts_with("gate unmatched_permille: ") && reason.ends_with(", limit 564"),
        "{reason}"
    );
    assert_eq!(report["tenants"]["acme"]["result"], "published");
    // Without --strict it is a warning.
    let lenient = place.run(&[]);
    assert_eq!(lenient.code, 0, "{}", lenient.stderr);
    assert!(
        lenient.stderr.contains("belong to nobody"),
        "{}",
        lenient.stderr
    );
}

#[test]
fn the_gate_on_stale_feeds_measures_against_known_at() {
    let place = Place::new();
    place.configure("[gates]\nunmatched_permille = 1000\n");
    let at =
        |known_at: &str| place.json(&["--strict", "--as-of", "2026-11-20", "--known-at", known_at]);
    let (code, report) = at("2026-11-22T00:00:00Z");
    assert_eq!(code, 0, "{report}");
    let (code, report) = at("2026-11-25T00:00:00Z");
    assert_eq!(code, 4);
    let refused = report["refused"].as_str().unwrap();
    assert!(
        refused.contains("feed_age_hours of feed identity"),
        "{refused}"
    );
    assert!(refused.contains("limit 48"), "{refused}");
}

#[test]
fn a_limit_on_tenants_left_out_keeps_everything_back() {
    let place = Place::new();
    place.write("globex.csv", "colour\nred\n");
    place.configure("[gates]\nleft_out_tenants = 0\nunmatched_permille = 1000\n");
    let outcome = place.run(&["--strict"]);
    assert_eq!(outcome.code, 4);
    assert!(
        outcome.stderr.contains("left_out_tenants: 1, limit 0"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("hint: nothing was published"),
        "{}",
        outcome.stderr
    );
    assert!(!place.store().join("snapshots/LATEST").exists());
}

#[test]
fn a_level_that_nobody_should_reach_is_ten_after_publishing() {
    let place = Place::new();
    let outcome = place.run(&["--fail-on", "medium"]);
    assert_eq!(outcome.code, 10, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("at or above medium"),
        "{}",
        outcome.stderr
    );
    assert!(
        latest_snapshot(&place.store()).is_dir(),
        "it is published all the same"
    );
    let (code, report) = place.json(&["--fail-on", "medium"]);
    assert_eq!(code, 10);
    let people = report["threshold"]["people"].as_array().unwrap();
    assert!(!people.is_empty());
    for person in people {
        let email = person["email"].as_str().unwrap();
        assert!(
            person["score_micro"].as_i64().unwrap() >= 4_000_000,
            "{email}"
        );
        assert!(
            outcome.stderr.contains(email) || people.len() > 10,
            "{email}: {}",
            outcome.stderr
        );
    }
    // The same as top says, of the human population.
    let top = program([
        "top",
        "--min-level",
        "medium",
        "--limit",
        "1000",
        "--format",
        "jsonl",
    ])
    .inside(place.path())
    .succeed();
    assert_eq!(top.stdout.lines().count(), people.len(), "{}", top.stdout);
    assert_eq!(
        place.run(&["--fail-on", "very_high"]).code,
        0,
        "nobody is that high"
    );
}

#[test]
fn an_export_that_holds_nobody_does_not_empty_the_directory() {
    let place = Place::new();
    place.succeed(&[]);
    place.write("acme.csv", "email,name\n");
    let (code, report) = place.json(&[]);
    assert_eq!(code, 4);
    assert!(
        report["left_out"]["acme"]
            .as_str()
            .unwrap()
            .contains("holds nobody")
    );
    assert_eq!(
        std::fs::read_dir(place.store().join("directory"))
            .unwrap()
            .count(),
        2
    );
}

#[test]
fn a_first_run_that_could_not_fetch_is_three_and_leads_to_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let config = "store = \"risk\"\n\
        [[credential]]\nname = \"key\"\nauth = \"api_token\"\nfrom_env = \"NO_SUCH_TOKEN\"\n\
        [[tenant]]\nname = \"acme\"\n\
        [[tenant.okta]]\nname = \"prod\"\nurl = \"http://127.0.0.1:9\"\ncredential = \"key\"\n";
    std::fs::write(folder.path().join("attack-factor.toml"), config).unwrap();
    let outcome = program(["run"]).inside(folder.path()).run();
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    for words in ["for acme/prod", "hint: attack-factor okta check"] {
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }
    // Nothing was asked, and yet the store knows why.
    let status = || program(["okta", "status"]).inside(folder.path()).succeed();
    let said = status().stdout;
    assert!(said.contains("✗ failing"), "{said}");
    assert!(
        said.contains("the environment has no NO_SUCH_TOKEN"),
        "{said}"
    );
    // What cannot be understood of one integration stops nobody.
    let document = folder.path().join("risk/feeds/acme/prod/status.json");
    std::fs::write(document, "{").unwrap();
    assert!(status().stdout.contains("never pulled"));
    program(["run", "--dry-run"])
        .inside(folder.path())
        .succeed();
}
