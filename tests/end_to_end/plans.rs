//! What publishing would change, told before, and refused where it would break callers.

use syncano_client::{Change, Error, Instance, Method, Runtime, Socket, SocketStatus, socket, sockets};

use crate::World;

mod first {
    use super::socket;

    #[socket(name = "stock", runtime = "python3")]
    pub(super) mod stock {
        #[endpoint("items", GET, source = "def main(limit=1): return []")]
        pub async fn items(limit: Option<u32>) -> Vec<String>;
    }
}

/// The limit is needed, and items may be absent.
mod breaking {
    use super::{socket, sockets};

    #[socket(name = "stock", runtime = "python3")]
    pub(super) mod stock {
        #[endpoint("items", GET, source = "def main(limit): return []")]
        pub async fn items(limit: u32) -> Vec<Option<String>>;
    }

    #[socket(runtime = "python3")]
    pub(super) mod other {
        #[endpoint("other", GET, source = "def main(): return 1")]
        pub async fn other() -> u32;
    }

    pub(super) mod all {
        use super::{other, sockets, stock};

        sockets![other, stock];
    }
}

fn socket_of(endpoint: &str, source: &str) -> Socket {
    Socket::builder("one")
        .script("script", Runtime::Python3, source)
        .call(endpoint, "script", [Method::Get])
        .build()
        .unwrap()
}

async fn revision(instance: &Instance, name: &str) -> u64 {
    instance.socket(name).await.unwrap().unwrap().revision()
}

#[tokio::test]
async fn publishing_refuses_what_breaks_callers_unless_told() {
    let world = World::new().await;
    let plan = first::stock::plan(&world.instance).await.unwrap();
    assert!(!plan.is_breaking() && !plan.is_empty() && plan.revision().is_none());
    assert!(world.instance.socket("stock").await.unwrap().is_none(), "a plan writes nothing");
    first::stock::publish(&world.instance).await.unwrap();
    assert!(first::stock::plan(&world.instance).await.unwrap().is_empty());

    let before = revision(&world.instance, "stock").await;
    let error = breaking::stock::publish(&world.instance).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "publishing the socket `stock` would break those who call it today:\n  \
         endpoint `items`: GET: the arguments change, and what callers send today is refused: \
         at /limit: may be `null`, and must be a whole number\n  \
         endpoint `items`: GET: the results change, and callers don't expect what may come: \
         at /*: may be `null`, and must be a text\n\
         nothing was written: keep what they rely on (a new endpoint beside the old one, an `Option` for a new argument), \
         or publish all the same with `.allow_breaking(true)`"
    );
    let Error::Breaking { plans } = error else { panic!("{error}") };
    assert_eq!(plans[0].breaking().count(), 2);
    assert_eq!(revision(&world.instance, "stock").await, before);

    let published = breaking::stock::publish(&world.instance).allow_breaking(true).await.unwrap();
    assert_eq!(published.change(), Change::Updated);
    // The way back is breaking in neither.
    let back = first::stock::publish(&world.instance).await.unwrap();
    assert_eq!(back.change(), Change::Updated);
}

#[tokio::test]
async fn of_several_sockets_none_is_published_if_one_would_break() {
    let world = World::new().await;
    first::stock::publish(&world.instance).await.unwrap();
    let plans = breaking::all::plan(&world.instance).await.unwrap();
    assert_eq!(plans.iter().map(|plan| plan.is_breaking()).collect::<Vec<_>>(), [false, true]);
    let refused = breaking::all::publish(&world.instance).await;
    assert!(matches!(&refused, Err(Error::Breaking { plans }) if plans.len() == 2), "{refused:?}");
    assert!(world.instance.socket("other").await.unwrap().is_none());
    assert_eq!(breaking::all::publish(&world.instance).allow_breaking(true).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_plan_is_not_applied_to_another_state() {
    let world = World::new().await;
    let new = world.instance.plan(&socket_of("e", "print(1)")).await.unwrap();
    let same = new.clone();
    let other = world.instance.plan(&socket_of("e", "print(2)")).await.unwrap();
    new.apply().await.unwrap();
    // It meant a socket that wasn't there; the very same is there now.
    assert_eq!(same.apply().await.unwrap().change(), Change::Unchanged);
    assert!(matches!(other.apply().await, Err(Error::Conflict { .. })));

    let plan = world.instance.plan(&socket_of("e", "print(3)")).await.unwrap();
    assert_eq!(plan.revision(), Some(revision(&world.instance, "one").await));
    world.instance.publish(&socket_of("e", "print(4)")).await.unwrap();
    let error = plan.apply().await.unwrap_err();
    assert!(matches!(&error, Error::Conflict { socket } if socket == "one"), "{error}");
    let found = world.instance.socket("one").await.unwrap().unwrap();
    let source = serde_json::to_value(found.definition()).unwrap()["dependencies"][0]["source"].clone();
    assert_eq!(source, "print(4)");
}

/// Nobody could call what was never installed.
#[tokio::test]
async fn what_was_never_installed_can_change_freely() {
    let world = World::new().await;
    let taken = Socket::builder("first")
        .script("script", Runtime::Python3, "print(1)")
        .call("hello", "script", [Method::Get])
        .build()
        .unwrap();
    world.instance.publish(&taken).await.unwrap();
    let refused = world.instance.publish(&socket_of("hello", "print(1)")).await;
    assert!(matches!(refused, Err(Error::NotInstalled { .. })), "{refused:?}");
    let published = world.instance.publish(&socket_of("other", "print(1)")).await.unwrap();
    assert_eq!(published.status(), SocketStatus::Ok);

    // What runs still does, whatever could not be installed after it.
    let refused = world.instance.publish(&socket_of("hello", "print(1)")).allow_breaking(true).await;
    assert!(matches!(refused, Err(Error::NotInstalled { .. })), "{refused:?}");
    let plan = world.instance.plan(&socket_of("third", "print(1)")).await.unwrap();
    let lines: Vec<String> = plan.breaking().map(ToString::to_string).collect();
    assert_eq!(lines, ["endpoint `other` (GET) is removed"]);
}

#[tokio::test]
async fn in_an_instance_that_is_not_there_nothing_is_planned() {
    let world = World::new().await;
    let error =
        world.client.instance("no-such-instance").plan(&socket_of("e", "print(1)")).await.unwrap_err();
    assert!(error.to_string().contains("no-such-instance"), "{error}");
}
