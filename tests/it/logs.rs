//! Logs: JSON objects and nothing else where asked for, quiet where asked for, nothing sensitive.

use serde_json::Value;

use super::normalize::sign_in;
use super::support::program;

fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "people.csv",
        "email,name\nana@example.com,Ana\nno-mail,Bob\n",
    );
    let mut typed = sign_in("e1", "2026-11-20T08:00:00.000Z", "hunter2-my-password");
    typed["actor"]["id"] = "unknown".into();
    let events = format!(
        "{typed}\n{}\n{{\"uuid\": broken, \"password\": \"hunter2-my-password\"}}\n",
        sign_in("e2", "2026-11-20T08:00:00.000Z", "ana@example.com")
    );
    write("a.ndjson", &events);
    write(
        "attack-factor.toml",
        "store = \"risk\"\n[[tenant]]\nname = \"acme\"\n[[tenant.people]]\nfiles = \
         [\"people.csv\"]\n[[tenant.okta]]\nfiles = [\"*.ndjson\", \"*.gz\"]\n[[tenant]]\nname = \
         \"globex\"\n[[tenant.people]]\nfiles = [\"absent.csv\"]\n",
    );
    folder
}

#[test]
fn json_logs_are_objects_with_stage_tenant_and_message() {
    let folder = place();
    let outcome = program(["run", "--log-format", "json", "--fail-on", "low"])
        .inside(folder.path())
        .run();
    assert_eq!(outcome.code, 4, "{}", outcome.stderr);
    let lines: Vec<Value> = outcome
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for line in &lines {
        for key in ["timestamp", "level", "message"] {
            assert!(line[key].is_string(), "{key} in {line}");
        }
    }
    let find = |level: &str, text: &str| {
        lines
            .iter()
            .find(|line| line["level"] == level && line["message"].to_string().contains(text))
            .unwrap_or_else(|| panic!("{level} {text} in {}", outcome.stderr))
    };
    let unmatched = find("WARN", "*.gz matches no file");
    assert_eq!(
        (&unmatched["stage"], &unmatched["tenant"]),
        (&"normalize".into(), &"acme".into())
    );
    let read = find("INFO", "new events");
    assert_eq!(
        (&read["events_read"], &read["quarantined"]),
        (&3.into(), &1.into())
    );
    assert_eq!(find("WARN", "absent.csv")["tenant"], "globex");
    assert_eq!(find("ERROR", "globex is left out")["code"], 4);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    assert!(!outcome.stdout.contains("hunter2"));
}

#[test]
fn text_logs_name_the_tenant_and_quiet_keeps_errors_only() {
    let folder = place();
    let loud = program(["run", "-v"]).inside(folder.path()).run();
    assert!(
        loud.stderr
            .contains("warning: acme: *.gz matches no file\n"),
        "{}",
        loud.stderr
    );
    assert!(
        loud.stderr.contains("info: acme: reading a.ndjson (new)\n"),
        "{}",
        loud.stderr
    );
    assert!(!loud.stderr.contains("hunter2"), "{}", loud.stderr);
    let quiet = program(["run", "-q"]).inside(folder.path()).run();
    assert_eq!(quiet.code, 4);
    assert!(
        quiet.stderr.starts_with("error: globex is left out"),
        "{}",
        quiet.stderr
    );
    let json = program(["top", "--store", "absent", "--log-format", "json", "-q"])
        .inside(folder.path())
        .run();
    let error: Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!(
        (error["level"].as_str(), error["code"].as_i64()),
        (Some("ERROR"), Some(i64::from(json.code)))
    );
    assert!(error["hint"].is_string(), "{error}");
}
