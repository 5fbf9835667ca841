//! Users, groups, applications and the rest.

use std::collections::{BTreeMap, BTreeSet};

use af_okta_sim::{Sim, SimOptions, Time, World};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::client::{DAY, NOW, all, get, get_as, pages};

fn user(number: usize) -> Value {
    let statuses = ["ACTIVE", "DEPROVISIONED", "SUSPENDED", "LOCKED_OUT"];
    let departments = ["Sales", "Legal", "IT"];
    json!({
        "id": format!("00u{number}"),
        "status": statuses[number % 4],
        "profile": {
            "login": format!("User{number}@example.com"),
            "department": departments[number % 3],
        },
    })
}

fn given(count: usize) -> SimOptions {
    let users: Vec<Value> = (0..count).map(user).collect();
    SimOptions::given(Value::from(users).to_string(), "", NOW)
}

#[tokio::test]
async fn the_deprovisioned_are_left_out_until_somebody_searches_for_them() {
    let sim = Sim::start(given(8)).await.unwrap();
    let listed = all(&sim, "/api/v1/users?limit=2", "id").await;
    assert_eq!(listed, ["00u0", "00u2", "00u3", "00u4", "00u6", "00u7"]);
    let search = "/api/v1/users?limit=1&search=status+eq+%22DEPROVISIONED%22";
    assert_eq!(all(&sim, search, "id").await, ["00u1", "00u5"]);
    let filter = "/api/v1/users?filter=status+eq+%22SUSPENDED%22";
    assert_eq!(all(&sim, filter, "id").await, ["00u2", "00u6"]);
    let refused = get(&sim, "/api/v1/users?search=status+is+%22X%22").await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "E0000031"));
}

#[tokio::test]
async fn a_user_is_found_by_id_and_login_and_comes_as_given() {
    let sim = Sim::start(given(8)).await.unwrap();
    for key in ["00u5", "User5@example.com", "user5%40example.com"] {
        let got = get(&sim, &format!("/api/v1/users/{key}")).await;
        assert_eq!((got.status, got.json()), (200, user(5)), "{key}");
    }
    for path in [
        "/api/v1/users/00u99",
        "/api/v1/users/00u99/factors",
        "/api/v1/groups/x/users",
    ] {
        let got = get(&sim, path).await;
        assert_eq!(
            (got.status, got.code().as_str()),
            (404, "E0000007"),
            "{path}"
        );
    }
    let got = get(&sim, "/api/v1/users/00u5/factors").await;
    assert_eq!((got.status, got.code().as_str()), (403, "E0000038"));
    let got = get(&sim, "/api/v1/nothing").await;
    assert_eq!((got.status, got.code().as_str()), (404, "E0000007"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_object_of_every_list_comes_once_whatever_the_page(
        count in 1_usize..40,
        limit in 1_usize..9,
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let sim = Sim::start(given(count)).await.unwrap();
            let mut lists = vec![
                "/api/v1/users".to_owned(),
                "/api/v1/groups".to_owned(),
                "/api/v1/groups/rules".to_owned(),
                "/api/v1/apps".to_owned(),
                "/api/v1/idps".to_owned(),
                "/api/v1/devices".to_owned(),
            ];
            for group in all(&sim, "/api/v1/groups", "id").await {
                lists.push(format!("/api/v1/groups/{group}/users"));
            }
            for app in all(&sim, "/api/v1/apps", "id").await {
                lists.push(format!("/api/v1/apps/{app}/users"));
                lists.push(format!("/api/v1/apps/{app}/groups"));
            }
            for list in lists {
                let whole = get(&sim, &format!("{list}?limit=200")).await;
                assert_eq!(whole.link("next"), None, "{list}");
                let paged = pages(&sim, &format!("{list}?limit={limit}")).await;
                let objects: Vec<Value> = paged
                    .iter()
                    .flat_map(|page| page.json().as_array().unwrap().clone())
                    .collect();
                assert_eq!(Value::from(objects), whole.json(), "{list}");
                let longest = paged.iter().map(|page| page.json().as_array().unwrap().len());
                assert!(longest.max().unwrap() <= limit, "{list}");
            }
        });
    }
}

#[tokio::test]
async fn groups_applications_and_members_belong_together() {
    let sim = Sim::start(given(24)).await.unwrap();
    let groups = get(&sim, "/api/v1/groups?expand=stats").await.json();
    let mut sizes = BTreeMap::new();
    for group in groups.as_array().unwrap() {
        let id = group["id"].as_str().unwrap();
        let members = all(&sim, &format!("/api/v1/groups/{id}/users"), "id").await;
        assert_eq!(group["_embedded"]["stats"]["usersCount"], members.len());
        sizes.insert(
            group["profile"]["name"].as_str().unwrap().to_owned(),
            members.len(),
        );
        assert!(id.starts_with("00g") && id.len() == 20);
    }
    // Of 24 users 6 are deprovisioned; every third of the others is in each department.
    assert_eq!(sizes["Everyone"], 18);
    assert_eq!((sizes["Sales"], sizes["Legal"], sizes["IT"]), (6, 6, 6));
    assert!(get(&sim, "/api/v1/groups").await.json()[0]["_embedded"].is_null());

    let rules = get(&sim, "/api/v1/groups/rules").await.json();
    assert_eq!(rules.as_array().unwrap().len(), 3);
    let apps = get(&sim, "/api/v1/apps").await.json();
    let mut scopes = BTreeSet::new();
    let mut repeated = false;
    for app in apps.as_array().unwrap() {
        let id = app["id"].as_str().unwrap();
        assert!(id.starts_with("0oa") && id.len() == 20, "{id}");
        for user in get(&sim, &format!("/api/v1/apps/{id}/users"))
            .await
            .json()
            .as_array()
            .unwrap()
        {
            scopes.insert(user["scope"].as_str().unwrap().to_owned());
        }
        let assigned = all(&sim, &format!("/api/v1/apps/{id}/groups"), "id").await;
        let once: BTreeSet<&String> = assigned.iter().collect();
        repeated |= once.len() < assigned.len();
    }
    assert!(scopes.contains("GROUP") && repeated);
}

#[tokio::test]
async fn somebody_is_an_administrator_and_the_short_list_names_them() {
    let sim = Sim::start(given(5)).await.unwrap();
    let got = get(&sim, "/api/v1/iam/assignees/users").await.json();
    assert_eq!(got["value"].as_array().unwrap().len(), 1);
    assert_eq!(got["value"][0]["id"], "00u0");
    let roles = get(&sim, "/api/v1/users/00u0/roles").await.json();
    assert_eq!(
        (&roles[0]["type"], &roles[0]["assignmentType"]),
        (&json!("SUPER_ADMIN"), &json!("USER"))
    );
    assert_eq!(get(&sim, "/api/v1/users/00u2/roles").await.text, "[]");
    let mut of_groups = 0;
    for group in all(&sim, "/api/v1/groups", "id").await {
        let roles = get(&sim, &format!("/api/v1/groups/{group}/roles"))
            .await
            .json();
        for role in roles.as_array().unwrap() {
            assert_eq!(role["assignmentType"], "GROUP");
            of_groups += 1;
        }
    }
    assert_eq!(of_groups, 1);
}

#[tokio::test]
async fn devices_factors_and_the_org_are_there() {
    let sim = Sim::start(given(24)).await.unwrap();
    let devices = get(&sim, "/api/v1/devices?expand=user").await.json();
    let devices = devices.as_array().unwrap();
    assert!(devices.len() > 6 && devices.len() < 18, "{}", devices.len());
    assert!(devices.iter().all(|device| {
        device["_embedded"]["users"][0]["user"]["id"]
            .as_str()
            .unwrap()
            .starts_with("00u")
    }));
    let mut factors = 0;
    for user in all(&sim, "/api/v1/users", "id").await {
        let got = get(&sim, &format!("/api/v1/users/{user}/factors"))
            .await
            .json();
        factors += got.as_array().unwrap().len();
    }
    assert!(factors > 18, "{factors}");
    assert_eq!(
        get(&sim, "/api/v1/org").await.json()["subdomain"],
        "simulated"
    );
    let support = get(&sim, "/api/v1/org/privacy/oktaSupport").await.json();
    assert_eq!(support["support"], "DISABLED");
    // Everybody may look at these.
    let known = get_as(&sim, "/.well-known/okta-organization", None, &[]).await;
    assert!(known.status == 200 && known.json()["id"].as_str().unwrap().starts_with("00o"));
    let server = get_as(&sim, "/.well-known/oauth-authorization-server", None, &[]).await;
    assert_eq!(
        server.json()["token_endpoint"],
        format!("{}/oauth2/v1/token", sim.url())
    );
}

#[tokio::test]
async fn people_of_the_simulated_organization_come_and_go_with_the_clock() {
    let options = SimOptions {
        world: World::Organization {
            people: 400,
            days: 9,
            seed: 3,
        },
        time: Time::Stands(NOW),
        ..SimOptions::default()
    };
    let sim = Sim::start(options).await.unwrap();
    let gone = "/api/v1/users?search=status+eq+%22DEPROVISIONED%22";
    let before = (
        all(&sim, "/api/v1/users", "id").await,
        all(&sim, gone, "id").await,
    );
    assert!(before.0.len() >= 390, "{}", before.0.len());
    sim.set_clock(NOW + 55 * DAY);
    let after = (
        all(&sim, "/api/v1/users", "id").await,
        all(&sim, gone, "id").await,
    );
    assert!(after.1.len() > before.1.len(), "nobody left in 55 days");
    assert!(
        after.0.iter().any(|id| !before.0.contains(id)),
        "nobody came in 55 days"
    );
    let listed: BTreeSet<&String> = after.0.iter().chain(&after.1).collect();
    assert_eq!(listed.len(), after.0.len() + after.1.len());
    assert!(
        before
            .0
            .iter()
            .chain(&before.1)
            .all(|id| listed.contains(id))
    );
}
