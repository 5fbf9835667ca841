//! A server that answers as it is told, down to the bytes, and remembers what it was asked.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use af_model::UtcMillis;
use af_okta_client::{Allow, ClientOptions, Credential, Origin};
use chrono::DateTime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What time it is in the tests, for us; 2023-11-14T22:13:20Z.
pub(crate) const NOW: i64 = 1_700_000_000;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// A field of the form that it carries.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        reqwest::Url::parse(&format!("http://form/?{}", self.body))
            .ok()?
            .query_pairs()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    /// The connection closes after so many bytes of the body.
    CutAfter(usize),
    /// After so many bytes of the body nothing more comes.
    StallAfter(usize),
    /// The connection closes at once.
    Nothing,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    chunked: bool,
    end: End,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.as_bytes().to_vec(),
            chunked: false,
            end: End::Whole,
        }
    }

    /// An empty list.
    pub(crate) fn ok() -> Self {
        Self::json(200, "[]")
    }

    /// An error document of Okta.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        let body = format!("{{\"errorCode\":\"{code}\",\"errorSummary\":\"As it is.\"}}");
        Self::json(status, &body)
    }

    /// An error document of OAuth.
    pub(crate) fn oauth_error(status: u16, error: &str) -> Self {
        let body = format!("{{\"error\":\"{error}\",\"error_description\":\"As it is.\"}}");
        Self::json(status, &body)
    }

    /// An access token.
    pub(crate) fn token(kind: &str, token: &str, expires_in: u64) -> Self {
        let body = format!(
            "{{\"token_type\":\"{kind}\",\"expires_in\":{expires_in},\"access_token\":\"{token}\",\"scope\":\"x\"}}"
        );
        Self::json(200, &body)
    }

    pub(crate) fn html(status: u16) -> Self {
        let mut reply = Self::json(status, "<html>log in</html>");
        reply.headers[0].1 = "text/html; charset=utf-8".into();
        reply
    }

    /// The connection closes without an answer.
    pub(crate) fn nothing() -> Self {
        let mut reply = Self::ok();
        reply.end = End::Nothing;
        reply
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The server's clock, so many seconds after [`NOW`].
    pub(crate) fn date(self, after: i64) -> Self {
        let instant = DateTime::from_timestamp(NOW + after, 0).expect("within the years");
        self.header(
            "date",
            instant.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        )
    }

    /// The headers of a rate limit; the window ends so many seconds after [`NOW`].
    pub(crate) fn limits(self, limit: u64, remaining: u64, reset: i64) -> Self {
        self.header("x-rate-limit-limit", limit.to_string())
            .header("x-rate-limit-remaining", remaining.to_string())
            .header("x-rate-limit-reset", (NOW + reset).to_string())
    }

    pub(crate) fn gzip(mut self) -> Self {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&self.body).expect("memory takes it");
        self.body = packer.finish().expect("memory takes it");
        self.header("content-encoding", "gzip")
    }

    pub(crate) fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        self.end = End::CutAfter(bytes);
        self
    }

    pub(crate) fn stall_after(mut self, bytes: usize) -> Self {
        self.end = End::StallAfter(bytes);
        self
    }

    /// Whether a client sees its headers.
    pub(crate) fn is_answered(&self) -> bool {
        self.end == End::Whole
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Scripted\r\nconnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        if self.chunked {
            head.push_str("transfer-encoding: chunked\r\n\r\n");
        } else {
            head.push_str("content-length: ");
            head.push_str(&self.body.len().to_string());
            head.push_str("\r\n\r\n");
        }
        head
    }

    async fn send(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let bytes = match self.end {
            End::Nothing => return Ok(()),
            End::Whole => self.body.len(),
            End::CutAfter(bytes) | End::StallAfter(bytes) => bytes.min(self.body.len()),
        };
        stream.write_all(self.head().as_bytes()).await?;
        let body = &self.body[..bytes];
        if self.chunked {
            for chunk in body.chunks(7) {
                let size = format!("{:x}\r\n", chunk.len());
                stream.write_all(size.as_bytes()).await?;
                stream.write_all(chunk).await?;
                stream.write_all(b"\r\n").await?;
            }
            if self.end == End::Whole {
                stream.write_all(b"0\r\n\r\n").await?;
            }
        } else {
            stream.write_all(body).await?;
        }
        stream.flush().await?;
        if matches!(self.end, End::StallAfter(_)) {
            // Until the client goes away.
            let mut byte = [0];
            while stream.read(&mut byte).await? > 0 {}
        }
        Ok(())
    }
}

/// A running server. Dropped, it is gone.
pub(crate) struct Scripted {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    /// Answers one after the other; whoever asks more often gets 418 and fails.
    pub(crate) async fn list(replies: impl Into<Vec<Reply>>) -> Self {
        let replies = replies.into();
        Self::answering(move |_, number| {
            replies
                .get(number)
                .cloned()
                .unwrap_or_else(|| Reply::error(418, "E_TOO_MANY_CALLS"))
        })
        .await
    }

    /// Answers every request by its content and its number.
    pub(crate) async fn answering(
        answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared = (
            Arc::clone(&seen),
            Arc::new(answer),
            Arc::new(AtomicUsize::new(0)),
        );
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (seen, answer, count) = shared.clone();
                tokio::spawn(async move {
                    let Some(request) = read(&mut stream).await else {
                        return;
                    };
                    let number = count.fetch_add(1, Ordering::SeqCst);
                    let reply = answer(&request, number);
                    seen.lock().expect("nobody panics with it").push(request);
                    // The client may be gone, which some tests want.
                    let _ = reply.send(&mut stream).await;
                });
            }
        });
        Self {
            url: format!("http://127.0.0.1:{port}"),
            seen,
            task,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("nobody panics with it").clone()
    }

    pub(crate) fn origin(&self) -> Origin {
        let allow = Allow {
            loopback: true,
            ..Allow::default()
        };
        Origin::parse(&self.url, allow).expect("loopback is allowed")
    }

    /// A client's options that wait no longer than a test should; its clock stands at [`NOW`].
    pub(crate) fn options(&self, credential: Credential) -> ClientOptions {
        let clock = Arc::new(|| UtcMillis(NOW * 1000));
        ClientOptions {
            rate_percent: 100,
            repeats: 2,
            longest_backoff: Duration::from_millis(4),
            timeout: Duration::from_secs(20),
            ..ClientOptions::new(self.origin(), credential, clock)
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut seen = Seen {
        method,
        target,
        headers,
        body: String::new(),
    };
    let length: usize = seen
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => body.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
    seen.body = String::from_utf8(body).ok()?;
    Some(seen)
}
