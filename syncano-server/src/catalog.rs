//! What the server knows without asking its database: keys, instances and the routes of their endpoints. Calls
//! only read here.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use syncano_core::normalize;

use crate::endpoint::Endpoint;
use crate::keys::{KeyBytes, KeyMaker};
use crate::run::Running;
use crate::store::accounts::AccountRow;
use crate::store::instances::InstanceRow;

/// Who a key belongs to.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) email: String,
    key: KeyBytes,
}

/// An instance and what runs in it.
pub(crate) struct Instance {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) owner: i64,
    pub(crate) routes: ArcSwap<Routes>,
    /// Runs that have not ended.
    pub(crate) running: Running,
    /// One change of what the instance runs at a time.
    pub(crate) publishing: tokio::sync::Mutex<()>,
}

impl Instance {
    pub(crate) fn new(row: &InstanceRow) -> Instance {
        Instance {
            id: row.id,
            name: row.name.clone(),
            owner: row.owner_id,
            routes: ArcSwap::default(),
            running: Running::default(),
            publishing: tokio::sync::Mutex::default(),
        }
    }

    /// Replaces the routes of one socket; `None` removes them. Whoever calls this holds `publishing`.
    pub(crate) fn install(&self, socket: &str, routes: Option<SocketRoutes>) {
        let mut sockets = self.routes.load().sockets.clone();
        match routes {
            Some(routes) => sockets.insert(socket.to_owned(), Arc::new(routes)),
            None => sockets.remove(socket),
        };
        self.routes.store(Arc::new(Routes::new(sockets)));
    }
}

/// The endpoints of one socket by their normalised names.
pub(crate) type SocketRoutes = BTreeMap<String, Arc<Endpoint>>;

/// The endpoints of an instance.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) sockets: BTreeMap<String, Arc<SocketRoutes>>,
    flat: HashMap<String, Arc<Endpoint>>,
}

impl Routes {
    pub(crate) fn new(sockets: BTreeMap<String, Arc<SocketRoutes>>) -> Routes {
        let flat = sockets
            .values()
            .flat_map(|endpoints| endpoints.iter())
            .filter(|(_, endpoint)| endpoint.has_short_url)
            .map(|(name, endpoint)| (name.clone(), endpoint.clone()))
            .collect();
        Routes { sockets, flat }
    }

    /// By `socket/endpoint`, in any letter case.
    pub(crate) fn full(&self, socket: &str, endpoint: &str) -> Option<Arc<Endpoint>> {
        self.sockets.get(&normalize(socket))?.get(&normalize(endpoint)).cloned()
    }

    /// By the endpoint's name alone, in any letter case.
    pub(crate) fn flat(&self, endpoint: &str) -> Option<Arc<Endpoint>> {
        self.flat.get(&normalize(endpoint)).cloned()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.sockets.values().flat_map(|endpoints| endpoints.values())
    }
}

/// Every account and instance.
#[derive(Default)]
pub(crate) struct Catalog {
    accounts: ArcSwap<Accounts>,
    instances: ArcSwap<HashMap<String, Arc<Instance>>>,
    /// Held while one of the maps is replaced.
    changing: Mutex<()>,
}

#[derive(Default, Clone)]
struct Accounts {
    by_key: HashMap<KeyBytes, Arc<Account>>,
    by_id: HashMap<i64, Arc<Account>>,
}

impl Accounts {
    fn put(&mut self, row: &AccountRow, keys: &KeyMaker) {
        let key = keys.account(row.id, row.key_generation);
        let account = Arc::new(Account { id: row.id, email: row.email.clone(), key });
        if let Some(before) = self.by_id.remove(&row.id) {
            self.by_key.remove(&before.key);
        }
        if row.active {
            self.by_key.insert(key, account.clone());
            self.by_id.insert(row.id, account);
        }
    }
}

impl Catalog {
    fn change(&self) -> MutexGuard<'_, ()> {
        // Nothing is half done after a panic: the maps are replaced as a whole.
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn account_of(&self, key: &KeyBytes) -> Option<Arc<Account>> {
        self.accounts.load().by_key.get(key).cloned()
    }

    /// Adds an account, or replaces what was known of it; an older key stops working.
    pub(crate) fn put_account(&self, row: &AccountRow, keys: &KeyMaker) {
        let _alone = self.change();
        let mut accounts = Accounts::clone(&self.accounts.load());
        accounts.put(row, keys);
        self.accounts.store(Arc::new(accounts));
    }

    /// Replaces all accounts.
    pub(crate) fn set_accounts(&self, rows: &[AccountRow], keys: &KeyMaker) {
        let _alone = self.change();
        let mut accounts = Accounts::default();
        for row in rows {
            accounts.put(row, keys);
        }
        self.accounts.store(Arc::new(accounts));
    }

    /// By name, in any letter case.
    pub(crate) fn instance(&self, name: &str) -> Option<Arc<Instance>> {
        self.instances.load().get(&normalize(name)).cloned()
    }

    pub(crate) fn instances(&self) -> Arc<HashMap<String, Arc<Instance>>> {
        self.instances.load_full()
    }

    pub(crate) fn put_instance(&self, instance: Arc<Instance>) {
        let _alone = self.change();
        let mut instances = HashMap::clone(&self.instances.load());
        instances.insert(instance.name.clone(), instance);
        self.instances.store(Arc::new(instances));
    }

    /// Removes exactly this instance, not a later one of the same name.
    pub(crate) fn remove_instance(&self, instance: &Instance) {
        let _alone = self.change();
        let mut instances = HashMap::clone(&self.instances.load());
        if instances.get(&instance.name).is_some_and(|found| found.id == instance.id) {
            instances.remove(&instance.name);
        }
        self.instances.store(Arc::new(instances));
    }
}
