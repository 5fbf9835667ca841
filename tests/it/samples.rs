//! Third-party Okta data goes through as published: every event ends as normalized, as a duplicate, or
//! as a reject somebody looked at. The data stand beside the project and are skipped visibly where they
//! do not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::normalize::{account, normalize};
use super::support::{program, rows, third_party_samples};

/// One published file: events read, normalized, duplicate, and the refused ones by reason.
type Case = (&'static str, u64, u64, u64, &'static [(&'static str, u64)]);

const MISSING_UUID: &str = "missing_uuid";

/// Every file of events, as published. Duplicates are events that share an id and a day: copies with
/// another label (Panther, Rapid7, Sekoia), or different events that were given one id when they were
/// redacted (OCSF, Panther's "AbC-123-XyZ"). Refused are events without an id (Panther), an event of
/// 31 September (Sekoia), and what is no Okta event at all: OCSF's mapped counterparts, answers of
/// other endpoints, metadata, catalogues as CSV.
const CASES: &[Case] = &[
    ("cribl_pack/events.jsonl", 100, 100, 0, &[]),
    ("cribl_pack/raw/I4942I.json", 100, 100, 0, &[]),
    (
        "cribl_pack/raw/okta-event-types.csv",
        1014,
        0,
        0,
        &[("not_json", 1014)],
    ),
    ("elastic_integrations/events.jsonl", 11, 10, 1, &[]),
    (
        "elastic_integrations/raw/sample_event_wrapped_excerpt.json",
        1,
        1,
        0,
        &[],
    ),
    (
        "elastic_integrations/raw/transcribed_events.ndjson",
        11,
        10,
        1,
        &[],
    ),
    ("grafana_okta_collector/events.jsonl", 1, 1, 0, &[]),
    ("grafana_okta_collector/raw/wrapped.ndjson", 1, 1, 0, &[]),
    ("jacobdcook/events.jsonl", 24, 24, 0, &[]),
    ("jupiterone/events.jsonl", 3, 3, 0, &[]),
    ("ocsf_examples/events.jsonl", 6, 2, 4, &[]),
    (
        "ocsf_examples/raw/account_change.ocsf",
        1,
        0,
        0,
        &[(MISSING_UUID, 1)],
    ),
    ("ocsf_examples/raw/account_change.raw", 1, 1, 0, &[]),
    (
        "ocsf_examples/raw/authentication.ocsf",
        1,
        0,
        0,
        &[(MISSING_UUID, 1)],
    ),
    ("ocsf_examples/raw/authentication.raw", 1, 1, 0, &[]),
    (
        "ocsf_examples/raw/detection_finding.ocsf",
        1,
        0,
        0,
        &[(MISSING_UUID, 1)],
    ),
    ("ocsf_examples/raw/detection_finding.raw", 1, 1, 0, &[]),
    (
        "ocsf_examples/raw/entity_management.ocsf",
        1,
        0,
        0,
        &[(MISSING_UUID, 1)],
    ),
    ("ocsf_examples/raw/entity_management.raw", 1, 1, 0, &[]),
    (
        "ocsf_examples/raw/generic_api_activity.ocsf",
        1,
        0,
        0,
        &[(MISSING_UUID, 1)],
    ),
    ("ocsf_examples/raw/generic_api_activity.raw", 1, 1, 0, &[]),
    (
        "ocsf_examples/raw/group_management.ocsf",
        1,
        0,
        0,
        &[(MISSING_UUID, 1)],
    ),
    ("ocsf_examples/raw/group_management.raw", 1, 1, 0, &[]),
    ("okta-event-types.csv", 1275, 0, 0, &[("not_json", 1275)]),
    ("okta_official/events.jsonl", 11, 10, 1, &[]),
    (
        "okta_official/raw/workflows_batched_event_hook.json",
        2,
        2,
        0,
        &[],
    ),
    (
        "okta_official/raw/workflows_breached_password_sampleJSON.json",
        1,
        1,
        0,
        &[],
    ),
    ("panther/rules_meta.json", 1, 0, 0, &[(MISSING_UUID, 1)]),
    (
        "panther/tests_current.jsonl",
        43,
        15,
        20,
        &[(MISSING_UUID, 8)],
    ),
    (
        "panther/tests_historic.jsonl",
        18,
        5,
        8,
        &[(MISSING_UUID, 5)],
    ),
    ("rapid7/events.jsonl", 4, 1, 3, &[]),
    ("rapid7/raw/expected__get_logs.json.exp", 2, 1, 1, &[]),
    (
        "rapid7/raw/expected__get_logs_empty_resp.json.exp",
        0,
        0,
        0,
        &[],
    ),
    (
        "rapid7/raw/expected__get_logs_filtered.json.exp",
        1,
        1,
        0,
        &[],
    ),
    (
        "rapid7/raw/expected__get_logs_next_empty.json.exp",
        0,
        0,
        0,
        &[],
    ),
    (
        "rapid7/raw/expected__get_logs_next_page.json.exp",
        1,
        1,
        0,
        &[],
    ),
    (
        "rapid7/raw/expected__get_user_groups_by_login_success.json.exp",
        1,
        0,
        0,
        &[(MISSING_UUID, 1)],
    ),
    ("rapid7/raw/responses__get_logs.json.resp", 2, 1, 1, &[]),
    (
        "rapid7/raw/responses__get_logs_empty_response.resp",
        0,
        0,
        0,
        &[],
    ),
    (
        "rapid7/raw/responses__get_logs_next_page.json.resp",
        1,
        1,
        0,
        &[],
    ),
    (
        "rapid7/raw/responses__get_logs_single_event.json.resp",
        1,
        1,
        0,
        &[],
    ),
    (
        "rapid7/raw/responses__get_user_groups_by_login_success.json.resp",
        1,
        0,
        0,
        &[(MISSING_UUID, 1)],
    ),
    ("sekoia/events.jsonl", 10, 9, 1, &[]),
    ("sekoia/events_historic.jsonl", 14, 9, 4, &[("bad_time", 1)]),
    ("sekoia/raw/test_account_lock.json", 1, 1, 0, &[]),
    ("sekoia/raw/test_auth_via_idp.json", 1, 1, 0, &[]),
    ("sekoia/raw/test_auth_via_mfa.json", 1, 1, 0, &[]),
    ("sekoia/raw/test_authentication_sso.json", 1, 1, 0, &[]),
    (
        "sekoia/raw/test_authentication_sso_failure.json",
        1,
        1,
        0,
        &[],
    ),
    (
        "sekoia/raw/test_authentication_sso_with_slashes.json",
        1,
        1,
        0,
        &[],
    ),
    ("sekoia/raw/test_login.json", 1, 1, 0, &[]),
    ("sekoia/raw/test_send_factor.json", 1, 1, 0, &[]),
    ("sekoia/raw/test_target.json", 1, 1, 0, &[]),
    ("sekoia/raw/test_update_account.json", 1, 1, 0, &[]),
];

/// Every file below a folder that is neither provenance nor inventory, by its path in the folder.
fn published(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() && name != "inventory" {
                folders.push(path);
            } else if !path.is_dir() && path.extension().is_none_or(|end| end != "md") {
                found.insert(name);
            }
        }
    }
    found
}

#[test]
fn every_published_file_is_read_as_published() {
    let Some(root) = third_party_samples() else {
        return;
    };
    let known: BTreeSet<String> = CASES.iter().map(|(path, ..)| (*path).to_owned()).collect();
    assert_eq!(
        published(&root),
        known,
        "files that no case speaks of, or that are gone"
    );
    for &(path, read, normalized, duplicate, refused) in CASES {
        let work = tempfile::tempdir().unwrap();
        let file = root.join(path);
        let outcome = normalize(work.path(), file.to_str().unwrap());
        let quarantined = refused.iter().map(|(_, n)| n).sum();
        let expected = (read, normalized, duplicate, quarantined);
        assert_eq!(account(&outcome), expected, "{path}\n{}", outcome.stderr);
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        for row in rows(&work.path().join("store/quarantine")) {
            *reasons
                .entry(row["reason"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
        let refused: BTreeMap<String, u64> = refused
            .iter()
            .map(|(reason, n)| ((*reason).to_owned(), *n))
            .collect();
        assert_eq!(reasons, refused, "{path}");
        let again = normalize(work.path(), file.to_str().unwrap());
        assert_eq!(account(&again), (read, 0, read, 0), "{path} again");
    }
}

#[test]
fn the_wrapped_and_the_bare_events_of_a_folder_are_the_same() {
    let Some(root) = third_party_samples() else {
        return;
    };
    for (bare, wrapped) in [
        (
            "cribl_pack/events.jsonl",
            &["cribl_pack/raw/I4942I.json"][..],
        ),
        (
            "grafana_okta_collector/events.jsonl",
            &["grafana_okta_collector/raw/wrapped.ndjson"],
        ),
        (
            "okta_official/events.jsonl",
            &[
                "okta_official/raw/workflows_batched_event_hook.json",
                "okta_official/raw/workflows_breached_password_sampleJSON.json",
            ],
        ),
    ] {
        let work = tempfile::tempdir().unwrap();
        normalize(work.path(), root.join(bare).to_str().unwrap());
        for path in wrapped {
            let outcome = normalize(work.path(), root.join(path).to_str().unwrap());
            let (read, normalized, duplicate, _) = account(&outcome);
            assert_eq!((normalized, duplicate), (0, read), "{path}");
        }
    }
}

#[test]
fn recorded_directory_answers_import() {
    let Some(root) = third_party_samples() else {
        return;
    };
    for (folder, n) in [("jupiterone", 7), ("okta_sdk_python_cassettes", 80)] {
        let path = root.join("inventory").join(folder).join("users.jsonl");
        let work = tempfile::tempdir().unwrap();
        let outcome = program([
            "users",
            "import",
            path.to_str().unwrap(),
            "--tenant",
            "acme",
            "--store",
            "store",
            "--format",
            "json",
        ])
        .inside(work.path())
        .succeed();
        let account: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let row = if account.is_array() {
            &account[0]
        } else {
            &account
        };
        assert_eq!(row["rows_read"], n, "{folder}: {row}");
        assert_eq!(row["rejected"], 0, "{folder}: {row}\n{}", outcome.stderr);
    }
}
