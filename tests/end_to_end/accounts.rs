//! Accounts: register, log in, change, and the keys that come of it.

use secrecy::ExposeSecret as _;
use serde_json::json;
use syncano_client::{AccountUpdate, Client, Error};
use syncano_server::TestServer;

use crate::World;

fn status(error: &Error) -> Option<u16> {
    error.status().map(|status| status.as_u16())
}

async fn registered() -> (TestServer, Client) {
    let open = TestServer::builder().with(|server| server.open_registration(true));
    let server = open.start().await.unwrap();
    let client = Client::connect(&server.url()).unwrap().register("Ada@Example.com", "first").await.unwrap();
    (server, client)
}

#[tokio::test]
async fn an_account_is_made_changed_and_found_again() {
    let (server, client) = registered().await;
    let account = client.account().await.unwrap();
    assert_eq!((account.email.as_str(), account.has_password), ("ada@example.com", true));

    let metadata = json!({"plan": "large"}).as_object().unwrap().clone();
    let update = AccountUpdate::new().first_name("Ada").metadata(metadata.clone());
    let updated = client.update_account(update).await.unwrap();
    assert_eq!((updated.first_name.as_str(), updated.last_name.as_str()), ("Ada", ""));
    let updated = client.update_account(AccountUpdate::new().last_name("Lovelace")).await.unwrap();
    assert_eq!((updated.first_name.as_str(), updated.last_name.as_str()), ("Ada", "Lovelace"));
    assert_eq!(updated.metadata, metadata);

    // A key that is no longer any doesn't keep anybody from logging in.
    let stale = Client::connect(&server.url()).unwrap().account_key("0".repeat(40));
    let again = stale.log_in("ADA@example.com", "first").await.unwrap();
    assert_eq!(again.account().await.unwrap().id, account.id);
    assert_eq!(again.key().unwrap().expose_secret(), client.key().unwrap().expose_secret());
}

#[tokio::test]
async fn passwords_and_keys_are_changed() {
    let (server, client) = registered().await;
    let refused = client.change_password("wrong", "second").await.unwrap_err();
    assert_eq!(status(&refused), Some(400), "{refused}");
    client.change_password("first", "second").await.unwrap();
    let stranger = Client::connect(&server.url()).unwrap();
    let refused = stranger.log_in("ada@example.com", "first").await.unwrap_err();
    assert_eq!(status(&refused), Some(401), "{refused}");
    stranger.log_in("ada@example.com", "second").await.unwrap();

    let renewed = client.reset_key().await.unwrap();
    assert_eq!(status(&client.account().await.unwrap_err()), Some(403));
    renewed.account().await.unwrap();
    assert!(!format!("{renewed:?}").contains(renewed.key().unwrap().expose_secret()));
}

#[tokio::test]
async fn what_the_server_doesn_t_let_is_told() {
    let (server, _) = registered().await;
    let stranger = Client::connect(&server.url()).unwrap();
    let Error::Api(error) = stranger.register("ada@example.com", "x").await.unwrap_err() else { panic!() };
    assert!(error.fields.contains_key("email"), "{error}");
    assert_eq!(status(&stranger.account().await.unwrap_err()), Some(403));

    let closed = World::new().await;
    let refused = closed.client.register("eve@example.com", "x").await.unwrap_err();
    assert_eq!(status(&refused), Some(400), "{refused}");
}
