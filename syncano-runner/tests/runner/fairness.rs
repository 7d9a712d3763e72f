//! Many calls, few workers: who is served.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use syncano_core::{RunStatus, Runtime};
use syncano_runner::{Outcome, Runner, Script};
use tokio::task::JoinHandle;

use crate::support::*;

fn of(instance: &str, source: &str) -> Script {
    Script::new(instance, "test", Runtime::Python3, source, "{}")
}

/// Lets a call begin beside the test, up to where it waits: the test's runtime has one thread.
async fn begin(runner: &Runner, script: Script) -> JoinHandle<Outcome> {
    let runner = runner.clone();
    let task = tokio::spawn(async move { runner.run(&script, call("{}")).await });
    tokio::task::yield_now().await;
    task
}

const SLEEP: &str = "import time\ntime.sleep(1000)";

#[tokio::test]
async fn a_hundred_sleeping_calls_of_one_instance_leave_workers_for_others() {
    for workers in [2, 4, 8] {
        let runner = runner_or_skip!(|builder| builder.max_workers(workers));
        let mut sleeping = Vec::new();
        for _ in 0..100 {
            sleeping.push(begin(&runner, of("sleepy", SLEEP)).await);
        }
        for instance in ["a", "b"] {
            let outcome = runner.run(&of(instance, "print(1)"), call("{}")).await;
            assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Success, "1"), "{workers}");
        }
        sleeping.iter().for_each(JoinHandle::abort);
    }
}

#[tokio::test]
async fn a_hundred_sleeping_calls_in_javascript_leave_workers_for_others() {
    let runner = node_or_skip!(|builder| builder.max_workers(8));
    let of = |instance: &str, source: &str| Script::new(instance, "test", Runtime::NodeJs, source, "{}");
    let mut sleeping = Vec::new();
    for _ in 0..100 {
        sleeping.push(begin(&runner, of("sleepy", "setTimeout(() => {}, 1e6)")).await);
    }
    for instance in ["a", "b"] {
        let outcome = runner.run(&of(instance, "console.log(1)"), call("{}")).await;
        assert_eq!((outcome.status, &*outcome.stdout), (RunStatus::Success, "1"));
    }
    sleeping.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn waiting_instances_are_served_in_turn() {
    let runner = runner_or_skip!(|builder| builder.max_workers(1));
    let holder = begin(&runner, of("holder", SLEEP)).await;
    let order = Arc::new(Mutex::new(String::new()));
    let mut calls = Vec::new();
    for instance in ["a"; 40].into_iter().chain(["b"; 2]) {
        let (runner, order) = (runner.clone(), Arc::clone(&order));
        calls.push(tokio::spawn(async move {
            let outcome = runner.run(&of(instance, "print(1)"), call("{}")).await;
            order.lock().unwrap().push_str(instance);
            outcome.status
        }));
        tokio::task::yield_now().await;
    }
    holder.abort();
    for call in calls {
        assert_eq!(call.await.unwrap(), RunStatus::Success);
    }
    // Some calls pass those that need another process, and no more than some.
    let order = order.lock().unwrap().clone();
    let (first, last) = (order.find('b').unwrap(), order.rfind('b').unwrap());
    assert!(first <= 10 && last <= 20, "{order}");
}

#[tokio::test]
async fn a_full_queue_makes_room_for_who_has_less_in_it() {
    let runner = runner_or_skip!(|builder| builder.max_workers(1).max_waiting(4));
    let holder = begin(&runner, of("a", SLEEP)).await;
    let mut flood = Vec::new();
    for _ in 0..6 {
        flood.push(begin(&runner, of("a", "print(1)")).await);
    }
    let other = begin(&runner, of("b", "print(1)")).await;
    tokio::task::yield_now().await;
    holder.abort();
    let mut statuses = Vec::new();
    for call in flood {
        statuses.push(call.await.unwrap().status);
    }
    let (done, no) = (RunStatus::Success, RunStatus::Blocked);
    assert_eq!(statuses, [done, done, done, no, no, no]);
    assert_eq!(other.await.unwrap().status, done);
}

#[tokio::test]
async fn an_instance_has_its_share_and_no_more() {
    let runner = runner_or_skip!(|builder| builder.max_workers(4).max_workers_per_instance(2));
    let sleeping = [begin(&runner, of("a", SLEEP)).await, begin(&runner, of("a", SLEEP)).await];
    let script = of("a", "print(1)");
    let mut late = call("{}");
    late.timeout = Duration::from_millis(50);
    assert_eq!(runner.run(&script, late).await.status, RunStatus::QueueTimeout);
    sleeping[0].abort();
    assert_eq!(runner.run(&script, call("{}")).await.status, RunStatus::Success);
    sleeping[1].abort();
}
