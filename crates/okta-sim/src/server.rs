//! The wire: axum in front of the org.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::{StreamExt as _, stream};

use crate::answer::{Answer, Delivery};
use crate::org::Org;
use crate::request::Call;

/// The largest body that is read: events to append.
const LARGEST_BODY: usize = 256 << 20;

/// Pieces of a slow body.
const PIECES: usize = 10;

/// Answers one request.
pub(crate) async fn serve(org: Arc<Org>, request: Request) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let call = Call::new(
        parts.method,
        parts.uri.path(),
        parts.uri.query(),
        parts.headers,
        body.into(),
    );
    // Pages are cut from files and compressed: nothing for the threads that drive the network.
    let answer = tokio::task::spawn_blocking(move || org.answer(&call)).await;
    Ok(answer.map_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR), response))
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn response(answer: Answer) -> Response {
    let body = Bytes::from(answer.body);
    let broken = || io::Error::from(io::ErrorKind::ConnectionAborted);
    let body = match answer.delivery {
        Delivery::Whole => Body::from(body),
        Delivery::Dropped => {
            Body::from_stream(stream::once(async move { Err::<Bytes, _>(broken()) }))
        }
        Delivery::Cut => {
            let half = body.slice(..body.len() / 2);
            let end = stream::once(async move {
                // What was written before a connection breaks is on its way by then.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(broken())
            });
            Body::from_stream(stream::once(async move { Ok(half) }).chain(end))
        }
        Delivery::Slow(millis) => slow(body, Duration::from_millis(millis)),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            let headers = response.headers_mut();
            headers.append(HeaderName::from_static(name), value);
        }
    }
    response
}

fn slow(body: Bytes, takes: Duration) -> Body {
    let piece = body.len().div_ceil(PIECES).max(1);
    let pause = takes / u32::try_from(PIECES).expect("a few pieces");
    Body::from_stream(stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let next = rest.split_to(piece.min(rest.len()));
        Some((Ok::<_, io::Error>(next), rest))
    }))
}
