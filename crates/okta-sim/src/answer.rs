//! What is answered, before it is put on the wire.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// How the body travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// As it should.
    #[default]
    Whole,
    /// In small pieces that take so many milliseconds altogether.
    Slow(u64),
    /// Ends in the middle; the connection breaks.
    Cut,
    /// Nothing at all; the connection breaks.
    Dropped,
}

/// Status, headers and body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) delivery: Delivery,
    /// Events in it, for the statistics.
    pub(crate) events: usize,
}

impl Answer {
    /// JSON that is written already.
    pub(crate) fn of(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body,
            delivery: Delivery::Whole,
            events: 0,
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::of(status, body.to_string().into_bytes())
    }

    pub(crate) fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }

    /// Texts of JSON objects as an array.
    pub(crate) fn list<T: AsRef<[u8]>>(items: impl IntoIterator<Item = T>) -> Self {
        let mut body = b"[".to_vec();
        for (number, item) in items.into_iter().enumerate() {
            if number > 0 {
                body.push(b',');
            }
            body.extend_from_slice(item.as_ref());
        }
        body.push(b']');
        Self::of(200, body)
    }

    /// Okta's refusal.
    pub(crate) fn refused(refusal: &Refusal) -> Self {
        let causes: Vec<Value> = refusal
            .cause
            .iter()
            .map(|cause| json!({ "errorSummary": cause }))
            .collect();
        Self::json(
            refusal.status,
            &json!({
                "errorCode": refusal.code,
                "errorSummary": refusal.summary,
                "errorLink": refusal.code,
                "errorId": refusal.id(),
                "errorCauses": causes,
            }),
        )
    }

    /// A refusal of the token endpoint.
    pub(crate) fn oauth(status: u16, error: &str, description: &str) -> Self {
        Self::json(
            status,
            &json!({ "error": error, "error_description": description }),
        )
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Replaces every header of a name.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
    }

    /// Compresses the body, as most servers do when they may.
    pub(crate) fn compress(&mut self) {
        if self.body.len() < 256 {
            return;
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder
            .write_all(&self.body)
            .expect("writing into memory never fails");
        self.body = encoder.finish().expect("writing into memory never fails");
        self.set("content-encoding", "gzip");
        self.set("vary", "Accept-Encoding");
    }
}

/// One of Okta's error bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) summary: String,
    pub(crate) cause: Option<String>,
}

impl Refusal {
    fn new(status: u16, code: &'static str, summary: impl Into<String>) -> Self {
        Self {
            status,
            code,
            summary: summary.into(),
            cause: None,
        }
    }

    /// The id in the error's body: the same for the same refusal.
    fn id(&self) -> String {
        crate::random::Random::of(u64::from(self.status), &self.summary).okta_id("oae")
    }

    pub(crate) fn validation(field: &str, cause: &str) -> Self {
        Self {
            cause: Some(cause.to_owned()),
            ..Self::new(400, "E0000001", format!("Api validation failed: {field}"))
        }
    }

    pub(crate) fn search(cause: &str) -> Self {
        Self::new(400, "E0000031", format!("Invalid search criteria. {cause}"))
    }

    pub(crate) fn filter(cause: &str) -> Self {
        Self::new(400, "E0000053", format!("Invalid parameter: {cause}"))
    }

    pub(crate) fn no_session() -> Self {
        Self::new(401, "E0000005", "Invalid session")
    }

    pub(crate) fn token() -> Self {
        Self::new(401, "E0000011", "Invalid token provided")
    }

    pub(crate) fn feature() -> Self {
        Self::new(
            401,
            "E0000015",
            "You do not have permission to access the feature you are requesting",
        )
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(
            403,
            "E0000006",
            "You do not have permission to perform the requested action",
        )
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            404,
            "E0000007",
            format!("Not found: Resource not found: {what}"),
        )
    }

    pub(crate) fn wrong_status() -> Self {
        Self::new(
            403,
            "E0000038",
            "This operation is not allowed in the user's current status.",
        )
    }

    pub(crate) fn no_such_endpoint() -> Self {
        Self::new(
            404,
            "E0000022",
            "The endpoint does not support the provided HTTP method",
        )
    }

    pub(crate) fn method() -> Self {
        Self::new(
            405,
            "E0000022",
            "The endpoint does not support the provided HTTP method",
        )
    }

    pub(crate) fn rate_limit() -> Self {
        Self::new(
            429,
            "E0000047",
            "API call exceeded rate limit due to too many requests.",
        )
    }

    pub(crate) fn server(status: u16) -> Self {
        match status {
            503 => Self::new(503, "E0000010", "Service is in read only mode"),
            501 => Self::new(501, "E0000060", "Unsupported operation."),
            other => Self::new(other, "E0000009", "Internal Server Error"),
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::refused(&refusal)
    }
}
