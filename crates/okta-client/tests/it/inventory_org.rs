//! A small org on loopback: lists in pages, and whatever a test does to its answers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use af_model::UtcMillis;
use af_model::feed::FeedStatus;
use af_okta::Step;
use af_okta_client::inventory::{InventoryOptions, InventoryReport, take};
use af_okta_client::{Allow, Client, ClientOptions, Credential, Error, Origin, Silent, Stop};
use af_store::Store;
use af_store::feed::{Feed, FeedName, STATUS, inventory_lines};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use serde_json::{Value, json};

/// When an inventory of a test is taken.
pub(crate) const NOON: UtcMillis = UtcMillis(1_795_348_800_000);

/// The same instant as servers write it.
pub(crate) const NOON_AS_DATE: &str = "Sun, 22 Nov 2026 12:00:00 GMT";

/// What a test wants to be answered instead; none = what the org has.
pub(crate) type Twist = dyn Fn(&Call) -> Option<Reply> + Send + Sync;

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
}

impl Call {
    pub(crate) fn value(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// The address once more, with another cursor.
    fn after(&self, cursor: usize) -> String {
        let mut query = self.query.clone();
        query.insert("after".into(), cursor.to_string());
        let mut url = reqwest::Url::parse("http://org.invalid").unwrap();
        url.set_path(&self.path);
        url.query_pairs_mut().extend_pairs(query);
        format!("{}?{}", url.path(), url.query().unwrap_or_default())
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) delay: Duration,
}

impl Reply {
    pub(crate) fn json(body: &Value) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "application/json".into())],
            body: body.to_string(),
            delay: Duration::ZERO,
        }
    }

    pub(crate) fn refusal(status: u16, code: &str) -> Self {
        let mut reply = Self::json(&json!({"errorCode": code, "errorSummary": "No."}));
        reply.status = status;
        reply
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What an org has: lists and single objects by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) lists: BTreeMap<String, Vec<Value>>,
    pub(crate) objects: BTreeMap<String, Value>,
    /// Objects of a page at the most, whatever was asked for.
    pub(crate) page: usize,
}

impl World {
    /// Adds a list.
    pub(crate) fn list(mut self, path: &str, objects: Value) -> Self {
        let Value::Array(objects) = objects else {
            panic!("a list is wanted");
        };
        self.lists.insert(path.into(), objects);
        self
    }

    /// Adds a single object.
    pub(crate) fn object(mut self, path: &str, object: Value) -> Self {
        self.objects.insert(path.into(), object);
        self
    }

    fn answer(&self, call: &Call, origin: &str) -> Reply {
        if call.path == "/oauth2/v1/token" {
            return Reply::json(&json!({
                "token_type": "Bearer", "access_token": "t0ken", "expires_in": 3600,
                "scope": "okta.logs.read"
            }));
        }
        if let Some(object) = self.objects.get(&call.path) {
            return Reply::json(object);
        }
        let leavers = call.value("search").contains("DEPROVISIONED");
        let key = if leavers {
            "leavers"
        } else {
            call.path.as_str()
        };
        let Some(objects) = self.lists.get(key) else {
            return Reply::refusal(404, "E0000007");
        };
        let from: usize = call.value("after").parse().unwrap_or(0);
        let to = objects.len().min(from + self.page.max(1));
        let next = (to < objects.len()).then(|| call.after(to));
        let page = Value::Array(objects[from..to].to_vec());
        if call.path == "/api/v1/iam/assignees/users" {
            // As Okta does: the way on is in the body, here on purpose with a strange host.
            let href = next.map(|next| json!({"href": format!("https://other.example{next}")}));
            return Reply::json(&json!({"value": page, "_links": {"next": href}}));
        }
        let reply = Reply::json(&page);
        match next {
            Some(next) => reply.header("link", format!("<{origin}{next}>; rel=\"next\"")),
            None => reply,
        }
    }
}

/// A running org. Dropped with the test's runtime.
pub(crate) struct Org {
    pub(crate) url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Org {
    /// An org that has all this and twists nothing.
    pub(crate) async fn start(world: World) -> Self {
        Self::twisted(world, |_| None).await
    }

    /// An org some of whose answers are a test's own.
    pub(crate) async fn twisted(
        world: World,
        twist: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (world, twist): (_, Arc<Twist>) = (Arc::new(world), Arc::new(twist));
        let (origin, heard) = (url.clone(), Arc::clone(&calls));
        let answer = move |request: Request| {
            let (world, twist) = (Arc::clone(&world), Arc::clone(&twist));
            let (origin, heard) = (origin.clone(), Arc::clone(&heard));
            async move {
                let call = heard_call(&request);
                heard.lock().unwrap().push(call.clone());
                let reply = twist(&call).unwrap_or_else(|| world.answer(&call, &origin));
                tokio::time::sleep(reply.delay).await;
                // Or the server would tell the time of this machine.
                let mut response = Response::builder()
                    .status(reply.status)
                    .header("date", NOON_AS_DATE);
                for (name, value) in &reply.headers {
                    response = response.header(*name, value);
                }
                response.body(Body::from(reply.body)).unwrap()
            }
        };
        let router = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, calls }
    }

    /// The calls so far, access tokens aside.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let mut calls = self.calls.lock().unwrap().clone();
        calls.retain(|call| call.path != "/oauth2/v1/token");
        calls
    }

    /// How often a path was asked for.
    pub(crate) fn calls_of(&self, path: &str) -> usize {
        self.calls().iter().filter(|call| call.path == path).count()
    }

    /// A client of the org that is in no mood to wait.
    pub(crate) fn client(&self, credential: Credential) -> Client {
        self.client_that(credential, |_| ())
    }

    pub(crate) fn client_that(
        &self,
        credential: Credential,
        change: impl FnOnce(&mut ClientOptions),
    ) -> Client {
        let allow = Allow {
            loopback: true,
            ..Allow::default()
        };
        let mut options = ClientOptions {
            origin: Origin::parse(&self.url, allow).unwrap(),
            credential,
            rate_percent: 50,
            repeats: 1,
            longest_backoff: Duration::from_millis(5),
            longest_limit_wait: Duration::from_secs(1),
            timeout: Duration::from_secs(20),
            largest_answer: 1 << 24,
            clock: Arc::new(|| NOON),
            progress: Arc::new(Silent),
            stop: Stop::never(),
        };
        change(&mut options);
        Client::new(options).unwrap()
    }
}

fn heard_call(request: &Request) -> Call {
    let url = format!("http://org.invalid{}", request.uri());
    let url = reqwest::Url::parse(&url).unwrap();
    Call {
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers: request.headers().clone(),
    }
}

/// An API token.
pub(crate) fn token() -> Credential {
    Credential::ApiToken("00token".to_owned().into())
}

/// An API service integration.
pub(crate) fn service() -> Credential {
    Credential::ClientSecret {
        client_id: "0oaservice".into(),
        secret: "s3cr3t-of-the-client".to_owned().into(),
    }
}

/// A store of its own with one feed.
pub(crate) struct Place {
    pub(crate) store: Store,
    pub(crate) feed: Feed,
    pub(crate) name: FeedName,
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("store")).unwrap();
        let name = FeedName {
            tenant: "acme".into(),
            integration: "prod".into(),
        };
        Self {
            feed: store.feed(&name).unwrap(),
            store,
            name,
            folder,
        }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn status(&self) -> FeedStatus {
        self.feed.read(STATUS).unwrap().unwrap()
    }
}

/// Takes all steps, so many calls side by side.
pub(crate) async fn take_all(
    client: &Client,
    place: &Place,
    parallel: usize,
) -> Result<InventoryReport, Error> {
    let options = InventoryOptions {
        at: NOON,
        steps: Step::ALL.to_vec(),
        parallel,
    };
    take(client, &place.feed, &options).await
}

/// The lines of a step.
pub(crate) fn lines(report: &InventoryReport, step: Step) -> Vec<String> {
    let folder = report.folder.as_deref().expect("there is an inventory");
    inventory_lines(folder, step.as_str())
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

/// The lines of a step as JSON.
pub(crate) fn objects(report: &InventoryReport, step: Step) -> Vec<Value> {
    let lines = lines(report, step);
    lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A user with its status.
pub(crate) fn user(id: &str, status: &str) -> Value {
    json!({
        "id": id, "status": status,
        "profile": {"login": format!("{id}@example.com"), "email": format!("{id}@example.com")},
        "credentials": {
            "password": {"value": "s3cr3t"},
            "recovery_question": {"question": "s3cr3t?"},
            "emails": [{"value": format!("{id}@example.com"), "status": "VERIFIED", "type": "PRIMARY"}],
            "provider": {"type": "OKTA", "name": "OKTA"}
        }
    })
}

fn group(id: &str, kind: &str, name: &str, users: u64) -> Value {
    json!({"id": id, "type": kind, "profile": {"name": name},
           "_embedded": {"stats": {"usersCount": users}}})
}

/// An org with something of everything, two objects a page.
pub(crate) fn acme() -> World {
    let factor = |id: &str| {
        json!([{"id": id, "factorType": "question",
                "profile": {"question": "color", "answer": "s3cr3t"}}])
    };
    let role = |id: &str| json!([{"id": id, "type": "SUPER_ADMIN", "assignmentType": "USER"}]);
    World {
        page: 2,
        ..World::default()
    }
    .object("/api/v1/org", json!({"id": "00o1", "subdomain": "acme"}))
    .object(
        "/api/v1/org/privacy/oktaSupport",
        json!({"support": "DISABLED", "expiration": null}),
    )
    .object(
        "/.well-known/okta-organization",
        json!({"id": "00o1", "pipeline": "idx"}),
    )
    .list(
        "/api/v1/users",
        json!([
            user("00u3", "ACTIVE"),
            user("00u1", "ACTIVE"),
            user("00u2", "STAGED"),
            user("00u4", "LOCKED_OUT"),
            user("00u5", "ACTIVE")
        ]),
    )
    .list("leavers", json!([user("00u9", "DEPROVISIONED"), user("00u8", "DEPROVISIONED"),
                            user("00u5", "DEPROVISIONED")]))
    .list(
        "/api/v1/groups",
        json!([
            group("00g9", "BUILT_IN", "Everyone", 5),
            group("00g2", "OKTA_GROUP", "Sales", 3),
            group("00g3", "OKTA_GROUP", "Nobody", 0),
            group("00g1", "APP_GROUP", "Mail", 1),
            group("00g4", "OKTA_GROUP", "IT", 1)
        ]),
    )
    .list("/api/v1/groups/00g2/users", json!([user("00u1", "ACTIVE"), user("00u3", "ACTIVE"),
                                              user("00u2", "STAGED")]))
    .list("/api/v1/groups/00g1/users", json!([user("00u4", "LOCKED_OUT")]))
    .list("/api/v1/groups/00g4/users", json!([user("00u1", "ACTIVE")]))
    .list(
        "/api/v1/groups/rules",
        json!([{"id": "0pr1", "type": "group_rule", "name": "Sales people"}]),
    )
    .list(
        "/api/v1/apps",
        json!([
            {"id": "0oa2", "label": "Mail", "credentials": {"signing": {"kid": "s3cr3t"}},
             "settings": {"app": {"apiToken": "s3cr3t", "domain": "example.com"}}},
            {"id": "0oa1", "label": "Files"},
            {"id": "0oa3", "label": "Unused"}
        ]),
    )
    .list(
        "/api/v1/apps/0oa1/users",
        json!([
            {"id": "00u1", "scope": "USER", "credentials": {"userName": "u1", "password": {"value": "s3cr3t"}}},
            {"id": "00u3", "scope": "GROUP"},
            {"id": "00u4", "scope": "GROUP"}
        ]),
    )
    .list("/api/v1/apps/0oa2/users", json!([{"id": "00u2", "scope": "USER"}]))
    .list("/api/v1/apps/0oa3/users", json!([]))
    .list("/api/v1/apps/0oa1/groups", json!([{"id": "00g2", "priority": 0}]))
    .list("/api/v1/apps/0oa2/groups", json!([]))
    .list("/api/v1/apps/0oa3/groups", json!([]))
    .list("/api/v1/users/00u1/factors", factor("ufs1"))
    .list("/api/v1/users/00u2/factors", json!([]))
    .list("/api/v1/users/00u3/factors", factor("ufs3"))
    .list("/api/v1/users/00u4/factors", json!([]))
    .list("/api/v1/users/00u5/factors", factor("ufs5"))
    .list(
        "/api/v1/iam/assignees/users",
        json!([{"id": "00u3", "orn": "x"}, {"id": "00u1", "orn": "x"}, {"id": "00u4", "orn": "x"}]),
    )
    .list("/api/v1/users/00u1/roles", role("ra1"))
    .list("/api/v1/users/00u3/roles", role("ra3"))
    .list("/api/v1/users/00u4/roles", role("ra4"))
    .list("/api/v1/groups/00g2/roles", json!([]))
    .list("/api/v1/groups/00g3/roles", json!([]))
    .list("/api/v1/groups/00g4/roles", role("ra9"))
    .list(
        "/api/v1/idps",
        json!([{"id": "0oaidp", "type": "OIDC",
                "protocol": {"credentials": {"client": {"client_id": "c", "client_secret": "s3cr3t"}}}}]),
    )
    .list(
        "/api/v1/devices",
        json!([{"id": "guo1", "status": "ACTIVE", "_embedded": {"users": []}}]),
    )
    .list(
        "/api/v1/logs",
        json!([{"uuid": "e1", "published": "2026-11-22T11:30:00.000Z"}]),
    )
}
