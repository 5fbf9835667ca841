//! A process that ends anywhere: what landed stays, what did not is asked for again.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use af_model::UtcMillis;
use af_okta_client::log::{PullOptions, Start, pull};
use af_okta_client::{Stop, Stopper};
use af_store::disk::{Step, Verdict, Witness, witnessed};

use super::org::{four_days, is_live_link};
use super::{Landed, Place, name, options};
use crate::scripted::Reply;

fn start() -> PullOptions {
    options(Start::At(UtcMillis::parse("2023-11-12T00:00:00Z").unwrap()))
}

/// Runs a future for so many polls at the most; `None` when it is dropped unfinished.
async fn for_polls<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// What an undisturbed pull leaves.
async fn undisturbed() -> Vec<Landed> {
    let place = Place::new();
    let server = four_days().serve().await;
    place.pull(&server, &start()).await.unwrap();
    place.landed()
}

#[tokio::test]
async fn dropped_at_any_await_it_loses_and_doubles_nothing() {
    let expected = undisturbed().await;
    let mut polls = 0;
    loop {
        let place = Place::new();
        let org = four_days();
        let server = org.serve().await;
        let done = for_polls(place.pull(&server, &start()), polls).await;
        place.pull(&server, &start()).await.unwrap();
        assert_eq!(place.landed(), expected, "dropped after {polls} polls");
        if done.is_some() {
            break;
        }
        polls += 1;
        assert!(polls < 2000);
    }
    assert!(polls > 10, "{polls}");
}

/// Kills the process at one step on disk.
struct Killer(Cell<usize>);

impl Witness for Killer {
    fn step(&self, _: &Step<'_>) -> Verdict {
        match self.0.get().checked_sub(1) {
            Some(left) => {
                self.0.set(left);
                Verdict::Go
            }
            None => Verdict::Fail(io::Error::other("the process is dead")),
        }
    }
}

#[test]
fn killed_at_any_step_on_disk_it_loses_and_doubles_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let expected = runtime.block_on(undisturbed());
    let mut steps = 0;
    loop {
        let place = Place::new();
        let server = runtime.block_on(four_days().serve());
        let killer = Rc::new(Killer(Cell::new(steps)));
        let done = witnessed(killer, || runtime.block_on(place.pull(&server, &start())));
        runtime.block_on(place.pull(&server, &start())).unwrap();
        assert_eq!(place.landed(), expected, "killed at step {steps}");
        if done.is_ok() {
            break;
        }
        // A page and a cursor take ten steps, so every third strikes each kind of them.
        steps += 3;
        assert!(steps < 5000);
    }
    assert!(steps > 50, "{steps}");
}

#[tokio::test]
async fn stopped_in_the_middle_of_a_page_it_goes_on_there() {
    let expected = undisturbed().await;
    let place = Place::new();
    let server = four_days()
        .serve_but(|seen, number| {
            // The second page of the live stream stops half-way, the first time.
            (is_live_link(seen) && number < 12).then(|| Reply::json(200, "[{}]").stall_after(2))
        })
        .await;
    let (stopper, stop) = Stopper::new();
    let client = place.client(&server, stop);
    let feed = place.store.feed(&name()).unwrap();
    let options = start();
    let (report, ()) = tokio::join!(pull(&client, &feed, &options), async {
        while !server.seen().iter().any(is_live_link) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        stopper.stop();
    });
    let report = report.unwrap();
    assert!(!report.caught_up);
    assert!(place.landed().len() < expected.len());
    let log = place.status().log;
    assert_eq!((log.events, log.pages), (report.events, report.pages));
    assert_eq!(log.problem, None);
    drop(feed);
    let whole = four_days().serve().await;
    // The stored links name the port of the server that gave them.
    let cursor = std::fs::read_to_string(place.document("cursor")).unwrap();
    std::fs::write(
        place.document("cursor"),
        cursor.replace(server.url(), whole.url()),
    )
    .unwrap();
    place.pull(&whole, &options).await.unwrap();
    assert_eq!(place.landed(), expected);
}

#[tokio::test]
async fn asked_to_stop_beforehand_it_asks_nobody() {
    let place = Place::new();
    let server = four_days().serve().await;
    let (stopper, stop) = Stopper::new();
    stopper.stop();
    let client = place.client(&server, stop);
    let feed = place.store.feed(&name()).unwrap();
    let report = pull(&client, &feed, &start()).await.unwrap();
    assert_eq!(report, af_okta_client::log::PullReport::default());
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_runs_as_a_task_of_a_runtime_with_several_threads() {
    let place = Place::new();
    let server = four_days().serve().await;
    let client = place.client(&server, Stop::never());
    let feed = place.store.feed(&name()).unwrap();
    let task = tokio::spawn(async move { pull(&client, &feed, &start()).await });
    assert!(task.await.unwrap().unwrap().caught_up);
    assert_eq!(place.landed(), undisturbed().await);
}
