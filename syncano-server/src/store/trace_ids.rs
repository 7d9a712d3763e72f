//! The numbers of runs. They are taken from the database in blocks, and a block is noted there before the first of
//! its numbers is used: a run's caller may know the number before the trace is stored, and a server that is killed
//! in between must not use it again. Servers that share a database never use the same block.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::DbErr;

use super::{Store, instances};

/// Numbers of one block: what a server that is killed leaves unused at most.
const BLOCK: i64 = 1024;

/// The blocks that this server uses, by instance.
#[derive(Default)]
pub(crate) struct TraceIds(Mutex<HashMap<i64, Arc<tokio::sync::Mutex<Block>>>>);

/// Both are numbers of the past at first.
#[derive(Default)]
struct Block {
    used: i64,
    last: i64,
}

impl TraceIds {
    pub(super) async fn next(&self, store: &Store, instance: i64) -> i64 {
        let block = {
            // An entry is never half there.
            let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            blocks.entry(instance).or_default().clone()
        };
        let mut block = block.lock().await;
        if block.used == block.last {
            let first = take(store, instance, block.used).await.unwrap_or_else(|error| {
                // Runs don't need the database otherwise, and go on without. Numbers could be used twice only if
                // nothing at all can be stored until the server is killed.
                tracing::warn!(%error, instance, "the numbers of the next runs could not be noted");
                block.used
            });
            *block = Block { used: first, last: first + BLOCK };
        }
        block.used += 1;
        block.used
    }

    /// Takes note of what is unused, so that numbers go on there.
    pub(super) async fn give_back(&self, store: &Store) -> Result<(), DbErr> {
        let blocks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if blocks.is_empty() {
            return Ok(());
        }
        let write = store.write().await?;
        for (instance, block) in blocks {
            let block = block.lock().await;
            instances::lower_last_trace(&write.tx, instance, block.last, block.used).await?;
        }
        write.commit().await
    }
}

/// Takes a block of numbers that are higher than `used` and than what any server took before; the answer is the
/// number before the first.
async fn take(store: &Store, instance: i64, used: i64) -> Result<i64, DbErr> {
    let write = store.write().await?;
    let noted = instances::by_id(&write.tx, instance).await?.map_or(0, |row| row.last_trace);
    let before = noted.max(used);
    instances::raise_last_trace(&write.tx, instance, before + BLOCK).await?;
    write.commit().await?;
    Ok(before)
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait as _;

    use super::*;
    use crate::store::accounts::NewAccount;
    use crate::store::instances::NewInstance;
    use crate::store::{Location, accounts};

    async fn instance(store: &Store) -> i64 {
        let owner = accounts::insert(&store.db, NewAccount::default()).await.unwrap();
        let new = NewInstance {
            name: "one".to_owned(),
            owner_id: owner.id,
            description: String::new(),
            metadata: "{}".to_owned(),
        };
        instances::insert(&store.db, new).await.unwrap().id
    }

    #[tokio::test]
    async fn numbers_go_on_without_a_gap_unless_the_end_was_unclean() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join("s.db"));
        let store = Store::open(&location).await.unwrap();
        let instance = instance(&store).await;
        for id in 1..=2 * BLOCK + 5 {
            assert_eq!(store.next_trace(instance).await, id);
        }
        store.close().await.unwrap();

        let store = Store::open(&location).await.unwrap();
        assert_eq!(store.next_trace(instance).await, 2 * BLOCK + 6);
        // Not closed, as if it had been killed.
        let after = Store::open(&location).await.unwrap();
        assert_eq!(after.next_trace(instance).await, 3 * BLOCK + 6);
        // One that goes on nevertheless doesn't meet the other, nor does it take its numbers back.
        assert_eq!(store.next_trace(instance).await, 2 * BLOCK + 7);
        store.close().await.unwrap();
        assert_eq!(after.next_trace(instance).await, 3 * BLOCK + 7);
        after.close().await.unwrap();
        let last = Store::open(&location).await.unwrap();
        assert_eq!(last.next_trace(instance).await, 3 * BLOCK + 8);
    }

    #[tokio::test]
    async fn runs_go_on_when_nothing_can_be_stored() {
        let store = Store::open(&Location::Memory).await.unwrap();
        let instance = instance(&store).await;
        store.db.execute_unprepared("PRAGMA query_only = 1").await.unwrap();
        for id in 1..=BLOCK + 1 {
            assert_eq!(store.next_trace(instance).await, id);
        }
        store.db.execute_unprepared("PRAGMA query_only = 0").await.unwrap();
        for id in BLOCK + 2..=2 * BLOCK + 1 {
            assert_eq!(store.next_trace(instance).await, id);
        }
        assert_eq!(instances::by_id(&store.db, instance).await.unwrap().unwrap().last_trace, 3 * BLOCK);
    }
}
