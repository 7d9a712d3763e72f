//! Instances: made, listed, described, deleted.

use serde_json::json;
use syncano_client::{Client, Error, InstanceUpdate};

use crate::World;

#[tokio::test]
async fn instances_are_opened_created_and_deleted() {
    let world = World::new().await;
    assert!(world.instance.exists().await.unwrap());
    let again = world.client.create_or_open_instance("test-instance").await.unwrap();
    let error = world.client.create_instance("test-instance").await.unwrap_err();
    assert!(matches!(&error, Error::Api(api) if api.fields.contains_key("name")), "{error}");
    again.delete().await.unwrap();
    assert!(!world.instance.exists().await.unwrap());
    assert_eq!(world.instance.details().await.unwrap_err().status().map(|status| status.as_u16()), Some(404));
}

#[tokio::test]
async fn an_instance_is_described() {
    let world = World::new().await;
    let details = world.instance.details().await.unwrap();
    assert_eq!((details.name.as_str(), details.description.as_str()), ("test-instance", ""));
    assert_eq!(details.owner.unwrap().id, world.client.account().await.unwrap().id);

    let metadata = json!({"color": "green"}).as_object().unwrap().clone();
    let updated = world.instance.update(InstanceUpdate::new().metadata(metadata.clone())).await.unwrap();
    assert_eq!(updated.metadata, metadata);
    let updated = world.instance.update(InstanceUpdate::new().description("the shop")).await.unwrap();
    assert_eq!((updated.description.as_str(), &updated.metadata), ("the shop", &metadata));
}

#[tokio::test]
async fn a_list_is_read_whole_or_page_by_page() {
    let world = World::new().await;
    for number in 0..4 {
        world.client.create_instance(format!("number-{number}")).await.unwrap();
    }
    let names = |page: Vec<syncano_client::InstanceDetails>| {
        page.into_iter().map(|details| details.name).collect::<Vec<_>>()
    };
    let all = ["test-instance", "number-0", "number-1", "number-2", "number-3"];
    assert_eq!(names(world.client.instances().await.unwrap()), all);
    assert_eq!(names(world.client.instances().page_size(2).await.unwrap()), all);
    let backward = world.client.instances().page_size(1).newest_first().await.unwrap();
    assert!(names(backward).iter().eq(all.iter().rev()));

    let mut pages = world.client.instances().page_size(2);
    let mut sizes = Vec::new();
    while let Some(page) = pages.next_page().await.unwrap() {
        sizes.push(page.len());
    }
    assert_eq!(sizes, [2, 2, 1]);
    assert!(pages.next_page().await.unwrap().is_none());
    // A page that came back full is not always followed by another.
    let mut pages = world.client.instances().page_size(5);
    assert_eq!(pages.next_page().await.unwrap().map(|page| page.len()), Some(5));
    assert!(pages.next_page().await.unwrap().is_none());

    let refused = Client::connect(&world.server.url()).unwrap().instances().await.unwrap_err();
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(403));
}
