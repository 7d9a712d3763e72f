//! What there is, and what it costs: a socket with Python scripts.

use schemars::JsonSchema;
use serde::Deserialize;
use syncano_client::socket;

/// What [`stock::Client::take`] may raise.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub enum StockError {
    /// Less is left than was asked for.
    OutOfStock {
        /// How many.
        left: u32,
    },
    /// Nobody has heard of it.
    Unknown,
}

/// The stock.
#[socket(name = "stock", runtime = "python3")]
pub mod stock {
    use super::StockError;

    /// What is taken away costs so many cents.
    #[endpoint(
        "take",
        POST,
        source = r#"
        STOCK = {"tea": (5, 499), "cup": (2, 1150)}

        def main(item: str, count: int) -> int:
            if item not in STOCK:
                raise AppError("Unknown")
            left, price = STOCK[item]
            if count > left:
                raise AppError("OutOfStock", {"left": left})
            return count * price
    "#,
        error = StockError
    )]
    pub async fn take(item: &str, count: u32) -> u32;
}

#[cfg(test)]
mod tests {
    use syncano_client::CallError;
    use syncano_testing::TestInstance;

    use super::{StockError, stock};

    #[syncano_testing::test(stock)]
    async fn what_is_there_is_sold(instance: TestInstance) -> anyhow::Result<()> {
        let api = stock::Client::new(&instance);
        assert_eq!(api.take("tea", 2).await?, 998);
        assert_eq!(api.take("cup", 2).await?, 2300);
        Ok(())
    }

    #[syncano_testing::test(stock)]
    async fn the_script_s_errors_have_types(instance: TestInstance) {
        // Anybody may buy.
        let api = stock::Client::new(&instance.without_key());
        let error = |error| match error {
            CallError::App(error, ..) => error,
            other => panic!("{other}"),
        };
        let too_many = api.take("cup", 3).await.map_err(error);
        assert_eq!(too_many, Err(StockError::OutOfStock { left: 2 }));
        assert_eq!(api.take("gold", 1).await.map_err(error), Err(StockError::Unknown));
    }
}
