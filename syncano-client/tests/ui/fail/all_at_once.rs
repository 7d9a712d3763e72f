use syncano_client::socket;

#[socket(nam = "shop", runtime = "python3")]
pub mod shop {
    #[endpoint("items", get, file = "scripts/good.py")]
    pub async fn list(limit: Option<u32>) -> Vec<String>;

    #[endpoint("items", POST, source = r#"
        def main(name)
            return name
    "#)]
    pub async fn add(name: String) -> String;

    #[endpoint("items", DELETE, file = "scripts/bad.py")]
    pub async fn remove(self, id: u32);

    #[endpoint("items", PUT, source = "1")]
    pub async fn replace(#[body] item: String) -> String;
}

fn main() {}
