//! What an inventory does when the org refuses, breaks down, moves, or is no friend.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use af_model::UtcMillis;
use af_model::feed::{StepState, StepStatus};
use af_okta::Step;
use af_okta_client::inventory::{InventoryOptions, InventoryReport, take};
use af_okta_client::{ErrorKind, Stopper};
use serde_json::json;

use super::inventory_org::{
    Call, NOON, Org, Place, Reply, World, acme, lines, service, take_all, token, user,
};

/// Whether a call belongs to a step.
fn belongs(step: Step, call: &Call) -> bool {
    let path = call.path.as_str();
    let about = |start: &str, end: &str| {
        path.strip_prefix(start)
            .and_then(|rest| rest.strip_suffix(end))
            .is_some_and(|id| !id.is_empty() && !id.contains('/'))
    };
    match step {
        Step::Org => path == "/api/v1/org",
        Step::Support => path == "/api/v1/org/privacy/oktaSupport",
        Step::Users => path == "/api/v1/users",
        Step::Groups => path == "/api/v1/groups",
        Step::GroupMembers => about("/api/v1/groups/", "/users"),
        Step::GroupRules => path == "/api/v1/groups/rules",
        Step::Apps => path == "/api/v1/apps",
        Step::AppUsers => about("/api/v1/apps/", "/users"),
        Step::AppGroups => about("/api/v1/apps/", "/groups"),
        Step::Factors => about("/api/v1/users/", "/factors"),
        Step::UserRoles => about("/api/v1/users/", "/roles") || path.starts_with("/api/v1/iam/"),
        Step::GroupRoles => about("/api/v1/groups/", "/roles"),
        Step::Idps => path == "/api/v1/idps",
        Step::Devices => path == "/api/v1/devices",
    }
}

fn scope_of(step: Step) -> &'static str {
    match step {
        Step::Org | Step::Support => "okta.orgs.read",
        Step::Users | Step::Factors => "okta.users.read",
        Step::Groups | Step::GroupMembers | Step::GroupRules => "okta.groups.read",
        Step::Apps | Step::AppUsers | Step::AppGroups => "okta.apps.read",
        Step::UserRoles | Step::GroupRoles => "okta.roles.read",
        Step::Idps => "okta.idps.read",
        Step::Devices => "okta.devices.read",
    }
}

fn of(report: &InventoryReport, step: Step) -> &StepStatus {
    report
        .steps
        .iter()
        .find(|status| status.step == step.as_str())
        .unwrap()
}

/// The steps that are not done; all others have the same lines as in an undisturbed inventory.
fn missing(report: &InventoryReport, whole: &InventoryReport) -> Vec<Step> {
    Step::ALL
        .into_iter()
        .filter(|step| {
            let status = of(report, *step);
            if status.state == StepState::Done {
                assert_eq!(status, of(whole, *step));
                assert_eq!(lines(report, *step), lines(whole, *step), "{step}");
                return false;
            }
            assert_eq!(status.objects, 0, "{step}");
            assert_eq!(lines(report, *step), Vec::<String>::new(), "{step}");
            true
        })
        .collect()
}

async fn undisturbed() -> (Place, InventoryReport) {
    let org = Org::start(acme()).await;
    let place = Place::new();
    let report = take_all(&org.client(token()), &place, 4).await.unwrap();
    (place, report)
}

/// The step itself and those that cannot do without its list.
fn with_dependents(step: Step) -> Vec<Step> {
    Step::ALL
        .into_iter()
        .filter(|other| *other == step || other.needs() == Some(step))
        .collect()
}

#[tokio::test]
async fn a_refused_step_is_skipped_and_the_rest_is_the_same() {
    let (_kept, whole) = undisturbed().await;
    for step in Step::ALL.into_iter().filter(|step| *step != Step::Users) {
        let (status, code) = match step {
            Step::Devices => (401, "E0000015"),
            Step::GroupRules => (400, "E0000001"),
            Step::Support => (500, "E0000009"),
            Step::Idps => (404, "E0000022"),
            _ => (403, "E0000006"),
        };
        let org = Org::twisted(acme(), move |call| {
            belongs(step, call).then(|| Reply::refusal(status, code))
        })
        .await;
        let place = Place::new();
        let report = take_all(&org.client(service()), &place, 4).await.unwrap();
        assert_eq!(missing(&report, &whole), with_dependents(step), "{step}");
        let refused = of(&report, step);
        assert_eq!(refused.state, StepState::Skipped, "{step}");
        let problem = refused.problem.as_ref().unwrap();
        assert_eq!(problem.code.as_deref(), Some(code), "{step}");
        if status == 403 {
            let scope = scope_of(step);
            assert!(problem.message.contains(scope), "{}", problem.message);
            assert!(problem.hint.as_ref().unwrap().contains(scope));
        }
        for dependent in with_dependents(step)
            .into_iter()
            .filter(|other| *other != step)
        {
            let problem = of(&report, dependent).problem.as_ref().unwrap();
            assert!(
                problem.message.contains(&format!("no list of {step}")),
                "{}",
                problem.message
            );
            assert_eq!(of(&report, dependent).calls, 0);
        }
        assert_eq!(place.status().inventory.steps, report.steps);
    }
}

#[tokio::test]
async fn a_token_of_a_small_administrator_hears_which_role_is_wanted() {
    let org = Org::twisted(acme(), |call| {
        belongs(Step::UserRoles, call).then(|| Reply::refusal(403, "E0000006"))
    })
    .await;
    let place = Place::new();
    let report = take_all(&org.client(token()), &place, 2).await.unwrap();
    let problem = of(&report, Step::UserRoles).problem.clone().unwrap();
    assert_eq!(
        problem.message,
        "list the admin roles of users: the administrator who made the API token may not do this"
    );
    assert!(problem.hint.unwrap().contains("super administrator"));
}

#[tokio::test]
async fn without_users_there_is_no_inventory_and_the_one_before_stays() {
    let place = Place::new();
    let good = Org::start(acme()).await;
    let before = take_all(&good.client(token()), &place, 2).await.unwrap();
    let counted = place.feed.read::<serde_json::Value>("user_counts").unwrap();

    for (status, leavers) in [(403, false), (403, true), (500, true)] {
        let bad = Org::twisted(acme(), move |call| {
            (belongs(Step::Users, call) && call.value("search").is_empty() != leavers)
                .then(|| Reply::refusal(status, "E0000006"))
        })
        .await;
        let options = InventoryOptions {
            at: UtcMillis(NOON.0 + 1),
            steps: Step::ALL.to_vec(),
            parallel: 2,
        };
        let error = take(&bad.client(service()), &place.feed, &options)
            .await
            .unwrap_err();
        if status == 403 {
            assert_eq!(error.kind(), ErrorKind::Forbidden);
            assert_eq!(
                error.to_string(),
                "list users: the scope okta.users.read is not granted"
            );
            assert!(error.hint().unwrap().contains("okta.users.read"));
        } else {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
        }
        let folders = place.store.inventories(&place.name).unwrap();
        assert_eq!(folders, [before.folder.clone().unwrap()]);
        let status = place.status().inventory;
        assert_eq!(status.taken_at, Some(NOON));
        assert_eq!(status.attempted_at, Some(options.at));
        assert_eq!(status.failing_since, Some(options.at));
        assert_eq!(status.problem, Some(error.problem()));
        assert_eq!(status.steps, before.steps);
        let still = place.feed.read::<serde_json::Value>("user_counts").unwrap();
        assert_eq!(still, counted);
    }

    take_all(&good.client(token()), &place, 2).await.unwrap();
    let status = place.status().inventory;
    assert_eq!((status.failing_since, status.problem), (None, None));
}

#[tokio::test]
async fn an_org_that_breaks_down_over_groups_is_asked_for_fewer() {
    let (_kept, whole) = undisturbed().await;
    for most in [999_usize, 250, 130, 0] {
        let mut world = acme();
        world.page = 2;
        let org = Org::twisted(world, move |call| {
            let limit: usize = call.value("limit").parse().unwrap_or(0);
            (belongs(Step::Groups, call) && call.value("expand") == "stats" && limit > most)
                .then(|| Reply::refusal(500, "E0000009"))
        })
        .await;
        let place = Place::new();
        let report = take_all(&org.client(token()), &place, 2).await.unwrap();
        let groups = of(&report, Step::Groups);
        assert_eq!(groups.state, StepState::Done);
        assert_eq!(lines(&report, Step::Groups), lines(&whole, Step::Groups));
        let limits: Vec<String> = org
            .calls()
            .iter()
            .filter(|call| belongs(Step::Groups, call) && call.value("after").is_empty())
            .map(|call| call.value("limit").to_owned())
            .collect();
        let (expected, note): (&[&str], _) = match most {
            999 => (&["1000", "500"], None),
            250 => (&["1000", "500", "250"], None),
            130 => (&["1000", "500", "250", "125"], None),
            _ => (
                &["1000", "500", "250", "125", "200"],
                Some("the org could not give the sizes of groups"),
            ),
        };
        assert_eq!(limits, expected);
        assert_eq!(groups.note.as_deref(), note);
        // One try for each size, and three pages in the end.
        assert_eq!(groups.calls, expected.len() as u64 - 1 + 3);
    }
}

#[tokio::test]
async fn groups_that_break_down_in_the_middle_are_listed_once() {
    let (_kept, whole) = undisturbed().await;
    let org = Org::twisted(acme(), |call| {
        (belongs(Step::Groups, call) && call.value("limit") == "1000" && call.value("after") == "4")
            .then(|| Reply::refusal(500, "E0000009"))
    })
    .await;
    let place = Place::new();
    let report = take_all(&org.client(token()), &place, 2).await.unwrap();
    assert_eq!(lines(&report, Step::Groups), lines(&whole, Step::Groups));
    let groups = of(&report, Step::Groups);
    assert_eq!((groups.note.as_deref(), groups.calls), (None, 3 + 3));
}

#[tokio::test]
async fn what_vanished_between_list_and_question_is_counted() {
    let (_kept, whole) = undisturbed().await;
    let org = Org::twisted(acme(), |call| {
        let gone = [
            "/api/v1/groups/00g2/users",
            "/api/v1/users/00u3/factors",
            "/api/v1/users/00u5/factors",
        ];
        gone.contains(&call.path.as_str())
            .then(|| Reply::refusal(404, "E0000007"))
    })
    .await;
    let place = Place::new();
    let report = take_all(&org.client(token()), &place, 3).await.unwrap();
    for (step, objects, note) in [
        (
            Step::GroupMembers,
            2,
            "Everyone is not asked for: it has all users; 1 were gone meanwhile",
        ),
        (Step::Factors, 1, "2 were gone meanwhile"),
    ] {
        let status = of(&report, step);
        assert_eq!((status.state, status.objects), (StepState::Done, objects));
        assert_eq!(status.note.as_deref(), Some(note));
    }
    for step in [Step::Users, Step::AppUsers, Step::UserRoles] {
        assert_eq!(lines(&report, step), lines(&whole, step));
    }
}

#[tokio::test]
async fn a_step_that_breaks_off_half_way_leaves_nothing_and_harms_no_other() {
    let (_kept, whole) = undisturbed().await;
    let breakdowns: [(Step, &str, Reply); 4] = [
        // The second page of users of an application.
        (
            Step::AppUsers,
            "/api/v1/apps/0oa1/users",
            Reply::refusal(500, "E0000009"),
        ),
        (
            Step::AppGroups,
            "/api/v1/apps/0oa2/groups",
            cut("[{\"id\":\"00g1\""),
        ),
        (Step::Idps, "/api/v1/idps", cut("{\"not\":\"a list\"}")),
        (
            Step::GroupRules,
            "/api/v1/groups/rules",
            cut("<html>hello</html>"),
        ),
    ];
    for (step, path, reply) in breakdowns {
        let org = Org::twisted(acme(), move |call| {
            let late = step != Step::AppUsers || call.value("after") == "2";
            (call.path == path && late).then(|| reply.clone())
        })
        .await;
        let place = Place::new();
        let report = take_all(&org.client(token()), &place, 2).await.unwrap();
        assert_eq!(missing(&report, &whole), [step]);
        let failed = of(&report, step);
        assert_eq!(failed.state, StepState::Failed, "{step}");
        assert!(failed.problem.is_some() && failed.calls > 0);
    }
}

fn cut(body: &str) -> Reply {
    let mut reply = Reply::json(&json!(null));
    reply.body = body.into();
    reply
}

#[tokio::test]
async fn a_list_without_end_is_left() {
    let (_kept, whole) = undisturbed().await;
    // Once the same link for ever, once ever new links with nothing behind them.
    for fresh in [false, true] {
        let counter = Arc::new(AtomicUsize::new(0));
        let org_url = Arc::new(std::sync::OnceLock::<String>::new());
        let url = Arc::clone(&org_url);
        let org = Org::twisted(acme(), move |call| {
            belongs(Step::Idps, call).then(|| {
                let number = counter.fetch_add(1, Ordering::Relaxed);
                let cursor = if fresh { number } else { 0 };
                let link = format!(
                    "<{}/api/v1/idps?after={cursor}>; rel=\"next\"",
                    url.get().unwrap()
                );
                Reply::json(&json!([])).header("link", link)
            })
        })
        .await;
        org_url.set(org.url.clone()).unwrap();
        let place = Place::new();
        let report = take_all(&org.client(token()), &place, 2).await.unwrap();
        assert_eq!(missing(&report, &whole), [Step::Idps]);
        let calls = of(&report, Step::Idps).calls;
        assert_eq!(calls, if fresh { 100 } else { 2 });
    }
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let (_kept, whole) = undisturbed().await;
    let org = Org::twisted(acme(), |call| {
        belongs(Step::Apps, call).then(|| {
            Reply::json(&json!([{"id": "0oa1"}])).header(
                "link",
                "<http://127.0.0.1:1/api/v1/apps?after=1>; rel=\"next\"",
            )
        })
    })
    .await;
    let place = Place::new();
    let report = take_all(&org.client(token()), &place, 2).await.unwrap();
    assert_eq!(missing(&report, &whole), with_dependents(Step::Apps));
    assert_eq!(of(&report, Step::Apps).state, StepState::Failed);
    assert_eq!(of(&report, Step::AppUsers).state, StepState::Skipped);
}

#[tokio::test]
async fn a_few_refusals_are_noted_and_many_end_the_step() {
    let users = |count: usize| (1..=count).map(|n| user(&format!("00u{n:03}"), "ACTIVE"));
    let world = |count| {
        let mut world = World {
            page: 200,
            ..World::default()
        }
        .list("leavers", json!([]));
        world
            .lists
            .insert("/api/v1/users".into(), users(count).collect());
        for n in 1..=count {
            let path = format!("/api/v1/users/00u{n:03}/factors");
            world
                .lists
                .insert(path, vec![json!({"id": format!("ufs{n}")})]);
        }
        world
    };
    let options = InventoryOptions {
        at: NOON,
        steps: vec![Step::Factors],
        parallel: 4,
    };
    // An administrator of some people only.
    let org = Org::twisted(world(20), |call| {
        let refused = ["00u001", "00u002", "00u010"];
        refused
            .iter()
            .any(|id| call.path.contains(&format!("{id}/")))
            .then(|| Reply::refusal(403, "E0000006"))
    })
    .await;
    let place = Place::new();
    let report = take(&org.client(token()), &place.feed, &options)
        .await
        .unwrap();
    let factors = of(&report, Step::Factors);
    assert_eq!((factors.state, factors.objects), (StepState::Done, 17));
    assert_eq!(factors.note.as_deref(), Some("3 may not be asked about"));

    // Nobody may be asked about: five refusals say it, and those that were on their way.
    let org = Org::twisted(world(200), |call| {
        call.path
            .ends_with("/factors")
            .then(|| Reply::refusal(403, "E0000006"))
    })
    .await;
    let place = Place::new();
    let report = take(&org.client(token()), &place.feed, &options)
        .await
        .unwrap();
    assert_eq!(of(&report, Step::Factors).state, StepState::Skipped);
    let asked = org
        .calls()
        .iter()
        .filter(|call| call.path.ends_with("/factors"))
        .count();
    assert!((5..=8).contains(&asked), "{asked} calls");
}

#[tokio::test]
async fn being_asked_to_stop_ends_it_without_a_trace() {
    let (stopper, stop) = Stopper::new();
    let stopper = Arc::new(stopper);
    let asked = Arc::clone(&stopper);
    let org = Org::twisted(acme(), move |call| {
        if call.path == "/api/v1/apps" {
            asked.stop();
        }
        None
    })
    .await;
    let place = Place::new();
    let client = org.client_that(token(), |options| options.stop = stop);
    let error = take_all(&client, &place, 2).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Stopped);
    assert_eq!(place.store.inventories(&place.name).unwrap().len(), 0);
    let status = place.status().inventory;
    assert_eq!(status.attempted_at, Some(NOON));
    assert_eq!((status.failing_since, status.problem), (None, None));
}

#[tokio::test]
async fn hostile_objects_neither_panic_nor_lead_elsewhere() {
    let mut world = acme();
    let hostile = json!([
        {"id": "../../oauth2", "status": "ACTIVE"}, {"id": "..", "status": "ACTIVE"},
        {"id": 7}, {"id": null}, {}, null, 7, "text", [], {"id": "00u1", "status": ["ACTIVE"], "credentials": []},
        {"id": "00u1", "status": "ACTIVE"}
    ]);
    let world_users = hostile.as_array().unwrap().clone();
    for path in [
        "/api/v1/users",
        "/api/v1/groups",
        "/api/v1/apps",
        "/api/v1/groups/00g2/users",
        "/api/v1/apps/0oa1/users",
        "/api/v1/devices",
    ] {
        world.lists.insert(path.into(), world_users.clone());
    }
    let org = Org::start(world).await;
    let place = Place::new();
    let report = take_all(&org.client(token()), &place, 3).await.unwrap();
    let users = of(&report, Step::Users);
    // Two with paths for ids, three without an id, one user, and the leavers.
    assert_eq!(users.objects, 6 + 3);
    assert_eq!(
        users.note.as_deref(),
        Some("1 came twice; 4 were no objects")
    );
    let odd: Vec<String> = org
        .calls()
        .into_iter()
        .map(|call| call.path)
        .filter(|path| path.contains("..") || path.contains("oauth2"))
        .collect();
    assert_eq!(odd, Vec::<String>::new());
}
