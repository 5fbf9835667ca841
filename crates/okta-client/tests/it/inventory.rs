//! An inventory as it should be: what is asked, what is kept, what is written down about it.

use std::time::Duration;

use af_model::feed::StepState;
use af_okta::Step;
use af_okta_client::inventory::{
    DayCount, InventoryOptions, Summary, USER_COUNTS, UserCounts, take,
};
use serde_json::{Value, json};

use super::inventory_org::{
    NOON, Org, Place, Reply, acme, lines, objects, service, take_all, token, user,
};

fn ids(objects: &[Value], pointer: &str) -> Vec<String> {
    objects
        .iter()
        .map(|object| {
            object
                .pointer(pointer)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

#[tokio::test]
async fn everything_is_taken_in_its_shape() {
    let org = Org::start(acme()).await;
    let place = Place::new();
    let report = take_all(&org.client(token()), &place, 4).await.unwrap();

    let told: Vec<(&str, u64, u64)> = report
        .steps
        .iter()
        .map(|step| (step.step.as_str(), step.objects, step.calls))
        .collect();
    // Two objects a page: 5 users in 3 pages and 3 leavers in 2; 5 groups in 3; 3 members in 2 pages,
    // 1 and 1 in one each; 3 applications in 2; 3 of their users in 2 pages, 1 and 0 in one each;
    // 3 applications asked for groups; 5 users for factors; 3 administrators in 2 pages, then 3 calls;
    // 3 groups of Okta.
    assert_eq!(
        told,
        [
            ("org", 1, 1),
            ("support", 1, 1),
            ("users", 7, 5),
            ("groups", 5, 3),
            ("group_members", 5, 4),
            ("group_rules", 1, 1),
            ("apps", 3, 2),
            ("app_users", 4, 4),
            ("app_groups", 1, 3),
            ("factors", 3, 5),
            ("user_roles", 3, 5),
            ("group_roles", 1, 3),
            ("idps", 1, 1),
            ("devices", 1, 1),
        ]
    );
    assert!(
        report
            .steps
            .iter()
            .all(|step| step.state == StepState::Done)
    );
    let notes: Vec<(&str, &str)> = report
        .steps
        .iter()
        .filter_map(|step| Some((step.step.as_str(), step.note.as_deref()?)))
        .collect();
    assert_eq!(
        notes,
        [
            ("users", "1 came twice"),
            (
                "group_members",
                "Everyone is not asked for: it has all users"
            )
        ]
    );

    // Lists keep Okta's order; who left while we looked keeps the first answer.
    assert_eq!(
        ids(&objects(&report, Step::Users), "/id"),
        ["00u3", "00u1", "00u2", "00u4", "00u5", "00u9", "00u8"]
    );
    assert_eq!(
        objects(&report, Step::GroupMembers),
        [
            json!({"group": "00g1", "user": "00u4"}),
            json!({"group": "00g2", "user": "00u1"}),
            json!({"group": "00g2", "user": "00u3"}),
            json!({"group": "00g2", "user": "00u2"}),
            json!({"group": "00g4", "user": "00u1"}),
        ]
    );
    let app_users = objects(&report, Step::AppUsers);
    assert_eq!(ids(&app_users, "/app"), ["0oa1", "0oa1", "0oa1", "0oa2"]);
    assert_eq!(
        app_users[0],
        json!({"app": "0oa1", "user": {"id": "00u1", "scope": "USER", "credentials": {"userName": "u1"}}})
    );
    assert_eq!(
        objects(&report, Step::AppGroups),
        [json!({"app": "0oa1", "group": {"id": "00g2", "priority": 0}})]
    );
    assert_eq!(
        objects(&report, Step::Factors)[0],
        json!({"user": "00u1", "factor": {"id": "ufs1", "factorType": "question",
                                          "profile": {"question": "color"}}})
    );
    assert_eq!(
        ids(&objects(&report, Step::UserRoles), "/user"),
        ["00u1", "00u3", "00u4"]
    );
    assert_eq!(ids(&objects(&report, Step::GroupRoles), "/group"), ["00g4"]);
    assert_eq!(
        objects(&report, Step::Support),
        [json!({"support": "DISABLED", "expiration": null})]
    );
    // One line an object, so whoever reads lines needs no parser to split them.
    assert!(
        lines(&report, Step::Users)
            .iter()
            .all(|line| !line.contains('\n'))
    );
}

#[tokio::test]
async fn nobody_is_asked_about_in_vain() {
    let org = Org::start(acme()).await;
    let place = Place::new();
    take_all(&org.client(token()), &place, 4).await.unwrap();
    for path in [
        // The built-in group of all, an empty group, somebody who left, a group that holds no roles,
        // a user without a role.
        "/api/v1/groups/00g9/users",
        "/api/v1/groups/00g3/users",
        "/api/v1/users/00u9/factors",
        "/api/v1/groups/00g1/roles",
        "/api/v1/users/00u2/roles",
    ] {
        assert_eq!(org.calls_of(path), 0, "{path}");
    }
    for call in org.calls() {
        let kind = call
            .headers
            .get("content-type")
            .map(|kind| kind.to_str().unwrap());
        if call.path == "/api/v1/users" {
            // Verified addresses are wanted, so credentials are not left out.
            let kind = kind.unwrap();
            assert!(
                kind.contains("okta-response=omitCredentialsLinks"),
                "{kind}"
            );
            assert!(!kind.contains("omitCredentials,"), "{kind}");
            assert_eq!(call.value("limit"), "200");
        } else {
            assert_eq!(kind, None, "{}", call.path);
        }
        assert!(call.value("limit").parse::<u32>().unwrap_or(0) <= 1_000);
    }
    let groups: Vec<_> = org.calls();
    let groups = groups.iter().find(|call| call.path == "/api/v1/groups");
    let groups = groups.unwrap();
    assert_eq!(
        (groups.value("limit"), groups.value("expand")),
        ("1000", "stats")
    );
    let devices: Vec<_> = org.calls();
    let devices = devices.iter().find(|call| call.path == "/api/v1/devices");
    assert_eq!(devices.unwrap().value("expand"), "user");
}

#[tokio::test]
async fn what_is_written_down_agrees_with_the_report() {
    let org = Org::start(acme()).await;
    let place = Place::new();
    let client = org.client(token());
    let report = take_all(&client, &place, 4).await.unwrap();
    let folder = report.folder.clone().unwrap();
    assert_eq!(
        place.store.inventories(&place.name).unwrap(),
        std::slice::from_ref(&folder)
    );

    let summary = std::fs::read(folder.join("summary.json")).unwrap();
    let summary: Summary = serde_json::from_slice(&summary).unwrap();
    let expected = Summary {
        origin: org.url.clone(),
        taken_at: NOON,
        steps: report.steps.clone(),
    };
    assert_eq!(summary, expected);

    let status = place.status();
    assert_eq!(status.origin, org.url);
    assert_eq!(status.inventory.taken_at, Some(NOON));
    assert_eq!(status.inventory.attempted_at, Some(NOON));
    assert_eq!(status.inventory.steps, report.steps);
    assert_eq!(
        status.inventory.folder.as_deref(),
        Some("2026-11-22T120000.000Z")
    );
    let calls: u64 = report.steps.iter().map(|step| step.calls).sum();
    assert_eq!(status.inventory.cost.calls, calls);
    assert!(status.inventory.cost.bytes > 0);
    assert_eq!(status.inventory.problem, None);
}

#[tokio::test]
async fn the_log_part_of_the_status_is_left_alone() {
    let org = Org::start(acme()).await;
    let place = Place::new();
    let mut before = af_model::feed::FeedStatus::default();
    before.log.events = 7;
    place.feed.write(af_store::feed::STATUS, &before).unwrap();
    take_all(&org.client(token()), &place, 1).await.unwrap();
    assert_eq!(place.status().log, before.log);
}

#[tokio::test]
async fn a_day_has_one_user_count_and_the_last_one_holds() {
    let place = Place::new();
    let mut world = acme();
    let org = Org::start(world.clone()).await;
    take_all(&org.client(token()), &place, 4).await.unwrap();
    let counts = || place.feed.read::<UserCounts>(USER_COUNTS).unwrap().unwrap();
    let by_status = |counts: &[(&str, u64)]| {
        counts
            .iter()
            .map(|(status, users)| ((*status).to_owned(), *users))
            .collect()
    };
    let first = DayCount {
        counted_at: NOON,
        total: 7,
        by_status: by_status(&[
            ("ACTIVE", 3),
            ("DEPROVISIONED", 2),
            ("LOCKED_OUT", 1),
            ("STAGED", 1),
        ]),
    };
    assert_eq!(
        counts().0.into_iter().collect::<Vec<_>>(),
        [("2026-11-22".to_owned(), first)]
    );

    world
        .lists
        .insert("/api/v1/users".into(), vec![user("00u1", "ACTIVE")]);
    world.lists.insert("leavers".into(), Vec::new());
    let org = Org::start(world).await;
    for hours in [6, 18] {
        let options = InventoryOptions {
            at: af_model::UtcMillis(NOON.0 + hours * 3_600_000),
            steps: vec![Step::Users],
            parallel: 1,
        };
        take(&org.client(token()), &place.feed, &options)
            .await
            .unwrap();
    }
    let days: Vec<(String, u64)> = counts()
        .0
        .into_iter()
        .map(|(day, count)| (day, count.total))
        .collect();
    assert_eq!(
        days,
        [("2026-11-22".to_owned(), 1), ("2026-11-23".to_owned(), 1)]
    );
}

#[tokio::test]
async fn a_step_brings_what_it_needs_and_nothing_else() {
    let org = Org::start(acme()).await;
    let place = Place::new();
    let options = InventoryOptions {
        at: NOON,
        steps: vec![Step::GroupRoles, Step::Org],
        parallel: 2,
    };
    let report = take(&org.client(token()), &place.feed, &options)
        .await
        .unwrap();
    let steps: Vec<&str> = report.steps.iter().map(|step| step.step.as_str()).collect();
    assert_eq!(steps, ["org", "groups", "group_roles"]);
    assert!(org.calls().iter().all(|call| !call.path.contains("users")));
    // Nobody was counted, which is not the same as nobody being there.
    assert_eq!(place.feed.read::<UserCounts>(USER_COUNTS).unwrap(), None);

    let nothing = InventoryOptions {
        steps: Vec::new(),
        ..options
    };
    let report = take(&org.client(token()), &place.feed, &nothing)
        .await
        .unwrap();
    assert_eq!((report.steps.len(), report.folder), (0, None));
    assert_eq!(place.status().inventory.steps.len(), 3);
}

/// Every file of an inventory, unpacked, and its summary without the address.
fn bytes(report: &af_okta_client::inventory::InventoryReport) -> Vec<(String, Vec<String>)> {
    let mut files: Vec<_> = Step::ALL
        .into_iter()
        .map(|step| (step.to_string(), lines(report, step)))
        .collect();
    files.push(("steps".into(), vec![format!("{:?}", report.steps)]));
    files
}

#[tokio::test]
async fn the_same_answers_give_the_same_files_whichever_comes_first() {
    let calm = Org::start(acme()).await;
    let place = Place::new();
    let expected = bytes(&take_all(&calm.client(token()), &place, 1).await.unwrap());
    for seed in 1..=4_u64 {
        // Every call is held up for 0 to 12 ms, in another way for every seed.
        let world = acme();
        let org = Org::twisted(world, move |call| {
            let mut hash = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            for byte in call.path.bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
            }
            std::thread::sleep(Duration::from_millis((hash >> 32) % 13));
            None
        })
        .await;
        let place = Place::new();
        let parallel = usize::try_from(seed).unwrap() * 3;
        let report = take_all(&org.client(token()), &place, parallel)
            .await
            .unwrap();
        assert_eq!(bytes(&report), expected, "seed {seed}");
    }
}

#[tokio::test]
async fn no_secret_reaches_the_store() {
    let org = Org::start(acme()).await;
    let place = Place::new();
    let report = take_all(&org.client(service()), &place, 4).await.unwrap();
    let mut texts = vec![format!("{report:?}")];
    texts.extend(bytes(&report).into_iter().flat_map(|(_, lines)| lines));
    let mut folders = vec![place.root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                texts.push(String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
            }
        }
    }
    // The org does send secrets, or this test would prove nothing.
    assert!(Reply::json(&user("00u1", "ACTIVE")).body.contains("s3cr3t"));
    for text in &texts {
        for secret in ["s3cr3t", "t0ken"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[tokio::test]
async fn long_lists_wait_in_the_service_and_not_in_memory() {
    // The users of the first application are held back; those of the second are a thousand pages.
    let mut world = acme();
    world.page = 1;
    let many = (0..1_000).map(|n| json!({"id": format!("00u{n}"), "scope": "GROUP"}));
    world
        .lists
        .insert("/api/v1/apps/0oa2/users".into(), many.collect());
    let org = Org::twisted(world, |call| {
        (call.path == "/api/v1/apps/0oa1/users").then(|| {
            let mut reply = Reply::json(&json!([{"id": "00u1"}]));
            reply.delay = Duration::from_millis(400);
            reply
        })
    })
    .await;
    let place = Place::new();
    let client = org.client(token());
    let options = InventoryOptions {
        at: NOON,
        steps: vec![Step::AppUsers],
        parallel: 2,
    };
    let taking = take(&client, &place.feed, &options);
    tokio::pin!(taking);
    let first = "/api/v1/apps/0oa1/users";
    let second = "/api/v1/apps/0oa2/users";
    let watch = async {
        while org.calls_of(first) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        org.calls_of(second)
    };
    let ahead = tokio::select! {
        ahead = watch => ahead,
        _ = &mut taking => panic!("it ended while it was held back"),
    };
    // Two pages wait, a third is in the hand of the task.
    assert!((1..=3).contains(&ahead), "{ahead} pages were read ahead");
    let report = taking.await.unwrap();
    assert_eq!(report.steps.last().unwrap().objects, 1 + 1_000);
}
