use syncano_client::{Instance, Socket, socket};

#[socket(runtime = "python3")]
pub mod shop {
    #[endpoint("items", get, source = "1")]
    pub async fn list(limit: Option<u32>) -> Vec<String>;

    #[endpoint("items", POST, source = "def")]
    pub async fn add(name: String) -> String;

    #[endpoint("other", GET, source = "1")]
    pub async fn other() -> u32;
}

fn main() {}

/// Nothing here is an error: every name is there, with the types as written.
pub async fn application(instance: &Instance) -> Vec<String> {
    let definition: Socket = shop::definition();
    assert_eq!(definition.name, shop::NAME);
    let _ = shop::publish(instance).await.unwrap();
    let api = shop::Client::new(instance).clone();
    let mut items: Vec<String> = api.list(Some(10)).await.unwrap();
    items.push(api.add("x".to_owned()).await.unwrap());
    let count: u32 = api.other().await.unwrap();
    items.push(count.to_string());
    items
}
