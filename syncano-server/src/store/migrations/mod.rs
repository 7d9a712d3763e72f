//! The schema's history. A migration that was released is never edited: a change is a new file.

use sea_orm_migration::{MigrationTrait, MigratorTrait};

mod m0001_first;
mod m0002_api_keys_and_config;
mod m0003_script_endpoints;
mod m0004_isolation;

pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_first::Migration),
            Box::new(m0002_api_keys_and_config::Migration),
            Box::new(m0003_script_endpoints::Migration),
            Box::new(m0004_isolation::Migration),
        ]
    }
}
