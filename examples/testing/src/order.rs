//! What the shop does beside calling scripts.

use syncano_client::CallError;

use crate::stock::{StockError, stock};

/// Orders, and says what came of it. A busy server is asked once more.
pub async fn order(stock: &stock::Client, item: &str, count: u32) -> Result<String, CallError<StockError>> {
    let mut taken = stock.take(item, count).await;
    if matches!(&taken, Err(error) if error.is_retryable()) {
        taken = stock.take(item, count).await;
    }
    match taken {
        Ok(cents) => Ok(format!("{}.{:02} €", cents / 100, cents % 100)),
        Err(CallError::App(StockError::OutOfStock { left }, ..)) => Ok(format!("only {left} left")),
        Err(CallError::App(StockError::Unknown, ..)) => Ok("we don't have that".to_owned()),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use syncano_client::{CallError, RunStatus};
    use syncano_testing::Fake;

    use super::order;
    use crate::stock::{StockError, stock};

    #[tokio::test]
    async fn amounts_have_two_decimals() {
        let fake = Fake::new();
        let api = stock::Client::new(&fake);
        fake.when(api.take("tea", 2)).answers(905);
        assert_eq!(order(&api, "tea", 2).await.unwrap(), "9.05 €");
    }

    #[tokio::test]
    async fn errors_of_the_script_are_told() {
        let fake = Fake::new();
        let api = stock::Client::new(&fake);
        fake.when_any(api.take("", 0)).raises(StockError::OutOfStock { left: 2 });
        fake.when(api.take("gold", 1)).raises(StockError::Unknown);
        assert_eq!(order(&api, "tea", 3).await.unwrap(), "only 2 left");
        assert_eq!(order(&api, "gold", 1).await.unwrap(), "we don't have that");
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_once_more() {
        let fake = Fake::new();
        let api = stock::Client::new(&fake);
        let busy = AtomicBool::new(true);
        fake.when(api.take("tea", 1)).does(move |call| match busy.swap(false, Ordering::Relaxed) {
            true => Err(call.failed(RunStatus::Blocked, "")),
            false => Ok(100),
        });
        assert_eq!(order(&api, "tea", 1).await.unwrap(), "1.00 €");
        assert_eq!(fake.count(api.take("tea", 1)), 2);
    }

    #[tokio::test]
    async fn a_script_that_fails_is_not_asked_again() {
        let fake = Fake::new();
        let api = stock::Client::new(&fake);
        fake.when(api.take("tea", 1)).fails(RunStatus::Failure, "ZeroDivisionError: division by zero");
        assert!(matches!(order(&api, "tea", 1).await, Err(CallError::Script(_))));
        assert_eq!(fake.calls().len(), 1);
    }
}
