//! `run` and `okta pull --follow`: several integrations, signals, and what the manifest says.

use std::process::Command;
use std::time::{Duration, Instant};

use af_okta_sim::{Fault, Rule};

use super::org::{Days, INGESTED, Org};

#[test]
fn a_broken_integration_stops_no_other_and_its_gap_is_in_the_manifest() {
    let days = Days::demo(20);
    let (good, broken) = (Org::of(&days), Org::of(&days));
    let place = &good.place;
    let integration = |tenant: &str, org: &Org| {
        format!(
            "[[tenant]]\nname = \"{tenant}\"\n[[tenant.okta]]\nname = \"prod\"\nurl = \"{}\"\n\
             credential = \"key\"\n",
            org.sim.url()
        )
    };
    place.configure(&format!(
        "[[credential]]\nname = \"key\"\nauth = \"api_token\"\nfrom_env = \"OKTA_TOKEN\"\n{}{}",
        integration("acme", &good),
        integration("globex", &broken)
    ));
    let run = format!("run --ingested-at {INGESTED}");
    place.succeed(&run);
    // Globex breaks, acme has news.
    broken.sim.faults().add(Rule::new(Fault::Forbidden));
    let news = serde_json::json!({
        "uuid": "aaaaaaaa-0000-0000-0000-000000000001", "eventType": "user.session.start",
        "actor": {"id": days.users[3]["id"], "type": "User", "alternateId": days.users[3]["profile"]["login"]},
        "outcome": {"result": "FAILURE", "reason": "INVALID_CREDENTIALS"},
    });
    good.sim.append(vec![news], None).unwrap();
    good.sim.advance(Duration::from_mins(1));
    let outcome = place
        .program("run --ingested-at 2026-11-22T03:30:00Z")
        .run();
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("globex"), "{}", outcome.stderr);
    let manifest = place.manifest();
    let integrations = manifest["run"]["integrations"].as_array().unwrap();
    let of = |tenant: &str| {
        integrations
            .iter()
            .find(|one| one["tenant"] == tenant)
            .unwrap()
    };
    assert!(of("acme")["failing_since"].is_null(), "{manifest}");
    assert!(!of("acme")["caught_up_at"].is_null(), "{manifest}");
    assert!(!of("globex")["failing_since"].is_null(), "{manifest}");
    assert!(!of("globex")["problem"].is_null(), "{manifest}");
    assert_eq!(manifest["left_out"], serde_json::json!({}));
}

#[test]
fn following_ends_with_a_signal_in_the_middle_of_a_page_and_nothing_is_lost() {
    let days = Days::demo(10);
    let org = Org::of(&days);
    org.sim.faults().add(
        Rule::new(Fault::Slow { millis: 700 })
            .on("/api/v1/logs")
            .after(4),
    );
    let mut child = org.place.spawn("okta pull --follow");
    let calls = org.sim.calls();
    let patience = Instant::now() + Duration::from_mins(1);
    while *calls.borrow() < 6 {
        assert!(Instant::now() < patience, "it does not call");
        std::thread::sleep(Duration::from_millis(5));
    }
    let term = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(term.success());
    let asked = Instant::now();
    let output = loop {
        if child.try_wait().unwrap().is_some() {
            break child.wait_with_output().unwrap();
        }
        assert!(asked.elapsed() < Duration::from_secs(30), "it does not end");
        std::thread::sleep(Duration::from_millis(5));
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    org.sim.faults().clear();
    org.place.succeed("okta pull");
    org.place.settle();
    let normalized = &org.place.manifest()["run"]["tenants"]["acme"]["events"]["normalized"];
    assert_eq!(*normalized, days.distinct());
}

#[test]
fn a_run_takes_in_what_another_process_fetches() {
    let days = Days::demo(20);
    let org = Org::of(&days);
    let mut child = org.place.spawn("okta pull --follow");
    let patience = Instant::now() + Duration::from_mins(1);
    loop {
        let (_, log) = org.place.status();
        if !log["caught_up_at"].is_null() {
            break;
        }
        assert!(Instant::now() < patience, "{log}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let outcome = org.place.succeed(&format!("run --ingested-at {INGESTED}"));
    child.kill().unwrap();
    child.wait().unwrap();
    let normalized = &org.place.manifest()["run"]["tenants"]["acme"]["events"]["normalized"];
    assert_eq!(*normalized, days.distinct(), "{}", outcome.stderr);
}
