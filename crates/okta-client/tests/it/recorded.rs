//! Answers that others recorded from real orgs go through the same client. The recordings stand beside
//! the project; where they do not, these tests say so and pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use af_model::feed::StepState;
use af_okta::Step;
use af_okta::inventory::person;
use af_okta_client::Scope;
use af_okta_client::http::Get;
use serde_json::{Value, json};

use super::inventory_org::{Org, Place, World, lines, objects, take_all, token};

fn samples() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/okta");
    if root.is_dir() {
        return Some(root);
    }
    eprintln!(
        "SKIPPED: third-party samples are not beside the project ({})",
        root.display()
    );
    None
}

/// The recorded objects of one kind, those of lists and of single calls alike.
fn recorded(folder: &Path, kind: &str) -> Vec<Value> {
    let Ok(text) = std::fs::read_to_string(folder.join(format!("{kind}.jsonl"))) else {
        return Vec::new();
    };
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["object"].take())
        .collect()
}

/// An org that has what was recorded; what hangs on a user, a group or an application is given to the
/// first one of them.
fn world(folder: &Path) -> World {
    let kind = |kind| recorded(folder, kind);
    let with_id = |objects: Vec<Value>| {
        let mut seen = BTreeSet::new();
        let mut objects = objects;
        objects.retain(|object| {
            object["id"]
                .as_str()
                .is_some_and(|id| seen.insert(id.to_owned()))
        });
        objects
    };
    let (users, groups, apps) = (
        with_id(kind("users")),
        with_id(kind("groups")),
        with_id(kind("apps")),
    );
    let first = |objects: &[Value], is: &dyn Fn(&Value) -> bool| {
        objects
            .iter()
            .filter(|object| is(object))
            .map(|object| object["id"].as_str().unwrap().to_owned())
            .min()
    };
    let user = first(&users, &|user| user["status"] != "DEPROVISIONED").unwrap();
    let group = first(&groups, &|group| group["type"] == "OKTA_GROUP").unwrap();
    let app = first(&apps, &|_| true).unwrap();
    let (left, here): (Vec<Value>, Vec<Value>) = users
        .into_iter()
        .partition(|user| user["status"] == "DEPROVISIONED");
    let mut world = World {
        page: 20,
        ..World::default()
    }
    .object("/api/v1/org", json!({"id": "00o1"}))
    .object(
        "/api/v1/org/privacy/oktaSupport",
        json!({"support": "DISABLED"}),
    );
    let mut about: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    // Everybody exists; who has nothing recorded has an empty list.
    for here in &here {
        let id = here["id"].as_str().unwrap();
        about.insert(format!("/api/v1/users/{id}/factors"), Vec::new());
    }
    for listed in &groups {
        let id = listed["id"].as_str().unwrap();
        about.insert(format!("/api/v1/groups/{id}/users"), Vec::new());
        about.insert(format!("/api/v1/groups/{id}/roles"), Vec::new());
    }
    for listed in &apps {
        let id = listed["id"].as_str().unwrap();
        about.insert(format!("/api/v1/apps/{id}/users"), Vec::new());
        about.insert(format!("/api/v1/apps/{id}/groups"), Vec::new());
    }
    about.insert(
        format!("/api/v1/users/{user}/factors"),
        kind("user_factors"),
    );
    about.insert(format!("/api/v1/users/{user}/roles"), kind("user_roles"));
    about.insert(format!("/api/v1/groups/{group}/users"), kind("group_users"));
    about.insert(format!("/api/v1/groups/{group}/roles"), kind("group_roles"));
    about.insert(format!("/api/v1/apps/{app}/users"), kind("app_users"));
    about.insert(format!("/api/v1/apps/{app}/groups"), kind("app_groups"));
    about.insert("/api/v1/users".into(), here);
    about.insert("leavers".into(), left);
    about.insert("/api/v1/groups".into(), groups);
    about.insert("/api/v1/groups/rules".into(), kind("group_rules"));
    about.insert("/api/v1/apps".into(), apps);
    about.insert(
        "/api/v1/iam/assignees/users".into(),
        vec![json!({"id": user})],
    );
    about.insert("/api/v1/idps".into(), kind("idps"));
    about.insert("/api/v1/devices".into(), kind("devices"));
    world.lists.extend(about);
    world
}

/// What was recorded where, and how much of it there is: distinct users, groups and applications, and
/// all else as it stands in the file (see its PROVENANCE.md).
const CASES: [(&str, [(Step, u64); 12]); 2] = [
    (
        "jupiterone",
        [
            (Step::Users, 7),
            (Step::Groups, 2),
            (Step::GroupMembers, 7),
            (Step::GroupRules, 1),
            (Step::Apps, 3),
            (Step::AppUsers, 5),
            (Step::AppGroups, 1),
            (Step::Factors, 0),
            (Step::UserRoles, 5),
            (Step::GroupRoles, 0),
            (Step::Idps, 0),
            (Step::Devices, 0),
        ],
    ),
    (
        "okta_sdk_python_cassettes",
        [
            (Step::Users, 80),
            (Step::Groups, 25),
            (Step::GroupMembers, 3),
            (Step::GroupRules, 2),
            (Step::Apps, 75),
            (Step::AppUsers, 8),
            (Step::AppGroups, 7),
            (Step::Factors, 7),
            (Step::UserRoles, 3),
            (Step::GroupRoles, 7),
            (Step::Idps, 13),
            (Step::Devices, 8),
        ],
    ),
];

#[tokio::test]
async fn recorded_inventories_are_taken_as_they_were_answered() {
    let Some(samples) = samples() else { return };
    for (folder, counts) in CASES {
        let world = world(&samples.join("inventory").join(folder));
        let served = world.clone();
        let org = Org::start(world).await;
        let place = Place::new();
        let report = take_all(&org.client(token()), &place, 4).await.unwrap();
        for (step, count) in counts {
            let status = report
                .steps
                .iter()
                .find(|status| status.step == step.as_str())
                .unwrap();
            assert_eq!(status.state, StepState::Done, "{folder} {step}: {status:?}");
            assert_eq!(status.objects, count, "{folder} {step}: {status:?}");
        }
        // Every recorded user is a person of the directory, with the same addresses as in the answer.
        let answered = served.lists["/api/v1/users"]
            .iter()
            .chain(&served.lists["leavers"]);
        let kept = lines(&report, Step::Users);
        for (answered, kept) in answered.zip(&kept) {
            let answered = person("acme", answered.to_string().as_bytes(), None, None);
            assert_eq!(person("acme", kept.as_bytes(), None, None), answered);
            assert!(answered.is_ok());
        }
        for step in Step::ALL {
            for line in lines(&report, step) {
                // What the collectors of the recordings blanked out would be a secret of the org.
                for secret in ["client_secret\":\"", "recovery_question", "\"password\":{"] {
                    assert!(!line.contains(secret), "{folder} {step}: {line}");
                }
            }
        }
        // An application keeps what it is.
        for (answered, kept) in served.lists["/api/v1/apps"]
            .iter()
            .zip(objects(&report, Step::Apps))
        {
            for member in ["id", "name", "label", "status", "signOnMode", "features"] {
                assert_eq!(answered.get(member), kept.get(member));
            }
        }
    }
}

#[tokio::test]
async fn recorded_pages_of_the_log_come_through_unchanged() {
    let Some(samples) = samples() else { return };
    let raw = samples.join("rapid7/raw");
    let pages: Vec<Vec<u8>> = [
        "get_logs.json",
        "get_logs_next_page.json",
        "get_logs_empty_response",
    ]
    .iter()
    .map(|page| std::fs::read(raw.join(format!("responses__{page}.resp"))).unwrap())
    .collect();
    let served = pages.clone();
    let url = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let origin = std::sync::Arc::clone(&url);
    let org = Org::twisted(World::default(), move |call| {
        let number: usize = call.value("after").parse().unwrap_or(0);
        let mut reply = super::inventory_org::Reply::json(&json!(null));
        reply.body = String::from_utf8(served[number].clone()).unwrap();
        let next = (number + 1).min(2);
        let link = format!(
            "<{}/api/v1/logs?after={next}>; rel=\"next\"",
            origin.get().unwrap()
        );
        Some(reply.header("link", link))
    })
    .await;
    url.set(org.url.clone()).unwrap();
    let client = org.client(token());
    let mut call = Get::path("/api/v1/logs", Scope::LogsRead).query("limit", "1000");
    for page in pages {
        let answer = client.get(&call).await.unwrap();
        assert_eq!(answer.body, page);
        let events: Vec<Value> = serde_json::from_slice(&answer.body).unwrap();
        assert!(events.iter().all(|event| event["uuid"].is_string()));
        call = Get::link(answer.next.expect("polling never ends"), Scope::LogsRead);
    }
}
