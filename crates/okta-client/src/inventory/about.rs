//! What there is about every one of many objects: calls side by side, lines in one order.
//!
//! A few tasks read ahead, each the pages of one object, and stop as soon as two of them wait to be
//! written; the file takes them in the order of the ids. So memory holds a few pages, however long the
//! lists are, and the same answers give the same file, whichever came first.

use std::collections::VecDeque;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::landing::Landing;
use super::pages::{Caller, Page, Pages};
use super::plan::{Form, Plan};
use super::strip;
use crate::error::{Error, ErrorKind};

/// Pages of one object that may wait to be written.
const PAGES_AHEAD: usize = 2;

/// Objects that may refuse us one after the other before we take it for no permission at all.
const REFUSALS: u64 = 5;

/// What became of the objects that were asked about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// There was an answer.
    pub(super) answered: u64,
    /// They are gone meanwhile.
    pub(super) vanished: u64,
    /// The answer about these was refused, though others are not.
    pub(super) refused: u64,
}

/// What a task sends.
enum Piece {
    /// Lines of a page.
    Lines(Vec<Vec<u8>>),
    /// All pages were sent.
    End,
    /// The object is gone.
    Vanished,
    /// It broke off.
    Failed(Error),
}

/// Asks about every one of these objects, so many at a time.
///
/// # Errors
/// None of the objects may be asked about; or a call failed for another reason.
pub(super) async fn each(
    caller: &Caller,
    plan: &'static Plan,
    ids: Vec<Box<str>>,
    parallel: usize,
    landing: &mut Landing<'_>,
) -> Result<Tally, Error> {
    let mut tasks = JoinSet::new();
    let mut ahead = VecDeque::new();
    let mut ids = ids.into_iter();
    let mut tally = Tally::default();
    let mut refusal = None;
    loop {
        while ahead.len() < parallel.max(1) {
            let Some(id) = ids.next() else { break };
            let (sender, receiver) = mpsc::channel(PAGES_AHEAD);
            tasks.spawn(ask(caller.clone(), plan, id, sender));
            ahead.push_back(receiver);
        }
        while tasks.try_join_next().is_some() {}
        let Some(mut pieces) = ahead.pop_front() else {
            break;
        };
        loop {
            match pieces.recv().await {
                Some(Piece::Lines(lines)) => {
                    lines.iter().try_for_each(|line| landing.push_line(line))?;
                    landing.tell();
                }
                Some(Piece::End) => {
                    tally.answered += 1;
                    break;
                }
                Some(Piece::Vanished) => {
                    tally.vanished += 1;
                    break;
                }
                Some(Piece::Failed(error)) => {
                    if error.kind() != ErrorKind::Forbidden {
                        return Err(error);
                    }
                    tally.refused += 1;
                    let first = refusal.get_or_insert(error);
                    if tally.answered == 0 && tally.refused >= REFUSALS {
                        return Err(first.clone());
                    }
                    break;
                }
                // A task that ends without a word must not pass for an empty list.
                None => return Err(broken_off(plan)),
            }
        }
    }
    match refusal {
        Some(error) if tally.answered == 0 => Err(error),
        _ => Ok(tally),
    }
}

fn broken_off(plan: &Plan) -> Error {
    let message = format!("{}: a call ended without an answer", plan.purpose);
    Error::new(ErrorKind::Unavailable, message)
}

async fn ask(caller: Caller, plan: &'static Plan, id: Box<str>, pieces: mpsc::Sender<Piece>) {
    let mut pages = Pages::new(plan, plan.first_about(&id));
    loop {
        let piece = match pages.next(&caller).await {
            Ok(None) => Piece::End,
            Ok(Some(page)) if !page.is_list() => Piece::Vanished,
            Ok(Some(page)) => lines(plan, &id, &page).map_or_else(Piece::Failed, Piece::Lines),
            Err(error) => Piece::Failed(error),
        };
        let goes_on = matches!(piece, Piece::Lines(_));
        if pieces.send(piece).await.is_err() || !goes_on {
            return;
        }
    }
}

/// The lines of a page: what was found, and about which object.
fn lines(plan: &Plan, id: &str, page: &Page) -> Result<Vec<Vec<u8>>, Error> {
    let Form::About { subject, found, .. } = plan.form else {
        return Ok(Vec::new());
    };
    let mut lines = Vec::new();
    for object in page.objects()? {
        let object =
            strip::read(plan.step, object).map_err(|_| page.broken("an object cannot be read"))?;
        let Some(object) = kept(plan, object) else {
            continue;
        };
        let line = Value::Object(serde_json::Map::from_iter([
            (subject.to_owned(), Value::String(id.to_owned())),
            (found.to_owned(), object),
        ]));
        lines.push(line.to_string().into_bytes());
    }
    Ok(lines)
}

/// What is kept of something that was found: of a member of a group only the id, because the person
/// stands among the users and a group of all would hold everybody once more.
fn kept(plan: &Plan, object: Value) -> Option<Value> {
    if plan.step != af_okta::Step::GroupMembers {
        return object.is_object().then_some(object);
    }
    match object {
        Value::Object(mut members) => members.remove("id").filter(Value::is_string),
        _ => None,
    }
}
