//! What the server knows without asking its database: keys, instances and the routes of their endpoints. Calls
//! only read here.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use immutable_chunkmap::map::MapS;
use serde_json::{Map, Value};
use syncano_core::normalize;

use crate::accounts::stored_object;
use crate::endpoint::Endpoint;
use crate::keys::{KeyBytes, KeyMaker};
use crate::run::Running;
use crate::store::accounts::AccountRow;
use crate::store::api_keys::ApiKeyRow;
use crate::store::instances::InstanceRow;

/// Who an account key belongs to.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) email: String,
}

/// What an API key opens.
#[derive(Debug)]
pub(crate) struct ApiKey {
    pub(crate) id: i64,
    pub(crate) instance: i64,
    pub(crate) ignores_acl: bool,
}

/// An instance and what runs in it.
pub(crate) struct Instance {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) owner: i64,
    /// What all its scripts see in `CONFIG`. Whoever changes it makes the routes anew.
    pub(crate) config: Arc<ArcSwap<Map<String, Value>>>,
    pub(crate) routes: Arc<ArcSwap<Routes>>,
    /// Runs that have not ended.
    pub(crate) running: Running,
    /// One change of what the instance runs at a time.
    pub(crate) publishing: Arc<tokio::sync::Mutex<()>>,
    /// One check of its scripts at a time.
    pub(crate) checking: Arc<tokio::sync::Mutex<()>>,
}

impl Instance {
    pub(crate) fn new(row: &InstanceRow) -> Instance {
        Instance {
            id: row.id,
            name: row.name.clone(),
            owner: row.owner_id,
            config: Arc::new(ArcSwap::from_pointee(stored_object(&row.config))),
            routes: Arc::default(),
            running: Running::default(),
            publishing: Arc::default(),
            checking: Arc::default(),
        }
    }

    /// The same instance under another name. Who still holds it under the old one sees every change, too.
    pub(crate) fn renamed(&self, name: &str) -> Instance {
        Instance {
            id: self.id,
            name: name.to_owned(),
            owner: self.owner,
            config: self.config.clone(),
            routes: self.routes.clone(),
            running: self.running.clone(),
            publishing: self.publishing.clone(),
            checking: self.checking.clone(),
        }
    }

    /// Replaces the routes of one socket; `None` removes them. Whoever calls this holds `publishing`.
    pub(crate) fn install(&self, socket: &str, routes: Option<SocketRoutes>) {
        let mut changed = Routes::clone(&self.routes.load());
        changed.set(socket, routes);
        self.routes.store(Arc::new(changed));
    }
}

/// The endpoints of one socket, in the order of their normalised names.
pub(crate) struct SocketRoutes(Box<[Arc<Endpoint>]>);

impl SocketRoutes {
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Endpoint>> {
        let found = self.0.binary_search_by(|endpoint| (*endpoint.flat).cmp(name));
        found.ok().map(|index| &self.0[index])
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.0.iter()
    }
}

impl FromIterator<Endpoint> for SocketRoutes {
    fn from_iter<I: IntoIterator<Item = Endpoint>>(endpoints: I) -> SocketRoutes {
        let mut sorted: Vec<Arc<Endpoint>> = endpoints.into_iter().map(Arc::new).collect();
        sorted.sort_by(|one, other| one.flat.cmp(&other.flat));
        SocketRoutes(sorted.into())
    }
}

/// The endpoints of an instance. A copy shares what isn't changed, so that a publish costs the same among many others.
#[derive(Default, Clone)]
pub(crate) struct Routes {
    pub(crate) sockets: MapS<Arc<str>, Arc<SocketRoutes>>,
    /// Those that can be called by their names alone.
    flat: MapS<Arc<str>, Arc<Endpoint>>,
}

impl Routes {
    /// Replaces the routes of one socket; `None` removes them.
    pub(crate) fn set(&mut self, socket: &str, routes: Option<SocketRoutes>) {
        let socket: Arc<str> = socket.into();
        let short = |endpoints: &SocketRoutes| {
            let endpoints = endpoints.all().filter(|endpoint| endpoint.has_short_url);
            endpoints.map(|endpoint| (endpoint.flat.clone(), endpoint.clone())).collect::<Vec<_>>()
        };
        let new = routes.map(Arc::new);
        let old = match &new {
            Some(routes) => self.sockets.insert_cow(socket, routes.clone()),
            None => self.sockets.remove_cow(&socket),
        };
        for (name, endpoint) in old.iter().flat_map(|old| short(old)) {
            // Another socket may have got the name already.
            if self.flat.get(&name).is_some_and(|current| Arc::ptr_eq(current, &endpoint)) {
                self.flat.remove_cow(&name);
            }
        }
        for (name, endpoint) in new.iter().flat_map(|new| short(new)) {
            self.flat.insert_cow(name, endpoint);
        }
    }

    /// By `socket/endpoint`, in any letter case.
    pub(crate) fn full(&self, socket: &str, endpoint: &str) -> Option<Arc<Endpoint>> {
        self.sockets.get(normalize(socket).as_str())?.get(normalize(endpoint).as_str()).cloned()
    }

    /// By the endpoint's name alone, in any letter case.
    pub(crate) fn flat(&self, endpoint: &str) -> Option<Arc<Endpoint>> {
        self.flat.get(normalize(endpoint).as_str()).cloned()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.sockets.into_iter().flat_map(|(_, endpoints)| endpoints.all())
    }
}

/// Every account, API key and instance.
#[derive(Default)]
pub(crate) struct Catalog {
    accounts: ArcSwap<Holders<Account>>,
    api_keys: ArcSwap<Holders<ApiKey>>,
    instances: ArcSwap<HashMap<String, Arc<Instance>>>,
    /// Held while one of the maps is replaced.
    changing: Mutex<()>,
}

/// Who has which key.
struct Holders<T> {
    by_key: HashMap<KeyBytes, Arc<T>>,
    by_id: HashMap<i64, (KeyBytes, Arc<T>)>,
}

impl<T> Default for Holders<T> {
    fn default() -> Self {
        Holders { by_key: HashMap::new(), by_id: HashMap::new() }
    }
}

impl<T> Clone for Holders<T> {
    fn clone(&self) -> Self {
        Holders { by_key: self.by_key.clone(), by_id: self.by_id.clone() }
    }
}

impl<T> Holders<T> {
    /// The holder's older key stops working.
    fn put(&mut self, id: i64, key: KeyBytes, holder: T) {
        self.remove(id);
        let holder = Arc::new(holder);
        self.by_key.insert(key, holder.clone());
        self.by_id.insert(id, (key, holder));
    }

    fn remove(&mut self, id: i64) {
        if let Some((key, _)) = self.by_id.remove(&id) {
            self.by_key.remove(&key);
        }
    }
}

impl Holders<Account> {
    fn put_row(&mut self, row: &AccountRow, keys: &KeyMaker) {
        let account = Account { id: row.id, email: row.email.clone() };
        match row.active {
            true => self.put(row.id, keys.account(row.id, row.key_generation), account),
            false => self.remove(row.id),
        }
    }
}

impl Holders<ApiKey> {
    fn put_row(&mut self, row: &ApiKeyRow, keys: &KeyMaker) {
        let api_key = ApiKey { id: row.id, instance: row.instance_id, ignores_acl: row.ignore_acl };
        self.put(row.id, keys.api_key(row.id, row.key_generation), api_key);
    }
}

impl Catalog {
    fn change(&self) -> MutexGuard<'_, ()> {
        // Nothing is half done after a panic: the maps are replaced as a whole.
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a copy, and puts it in place.
    fn replace<T: Clone>(&self, map: &ArcSwap<T>, edit: impl FnOnce(&mut T)) {
        let _alone = self.change();
        let mut copy = T::clone(&map.load());
        edit(&mut copy);
        map.store(Arc::new(copy));
    }

    pub(crate) fn account_of(&self, key: &KeyBytes) -> Option<Arc<Account>> {
        self.accounts.load().by_key.get(key).cloned()
    }

    pub(crate) fn account(&self, id: i64) -> Option<Arc<Account>> {
        self.accounts.load().by_id.get(&id).map(|(_, account)| account.clone())
    }

    pub(crate) fn api_key_of(&self, key: &KeyBytes) -> Option<Arc<ApiKey>> {
        self.api_keys.load().by_key.get(key).cloned()
    }

    /// Adds an account, or replaces what was known of it; an older key stops working.
    pub(crate) fn put_account(&self, row: &AccountRow, keys: &KeyMaker) {
        self.replace(&self.accounts, |accounts| accounts.put_row(row, keys));
    }

    /// Replaces all accounts.
    pub(crate) fn set_accounts(&self, rows: &[AccountRow], keys: &KeyMaker) {
        self.replace(&self.accounts, |accounts| {
            *accounts = Holders::default();
            rows.iter().for_each(|row| accounts.put_row(row, keys));
        });
    }

    /// Adds an API key, or replaces what was known of it; an older key stops working.
    pub(crate) fn put_api_key(&self, row: &ApiKeyRow, keys: &KeyMaker) {
        self.replace(&self.api_keys, |api_keys| api_keys.put_row(row, keys));
    }

    pub(crate) fn remove_api_key(&self, id: i64) {
        self.replace(&self.api_keys, |api_keys| api_keys.remove(id));
    }

    /// Replaces all API keys.
    pub(crate) fn set_api_keys(&self, rows: &[ApiKeyRow], keys: &KeyMaker) {
        self.replace(&self.api_keys, |api_keys| {
            *api_keys = Holders::default();
            rows.iter().for_each(|row| api_keys.put_row(row, keys));
        });
    }

    /// By name, in any letter case.
    pub(crate) fn instance(&self, name: &str) -> Option<Arc<Instance>> {
        self.instances.load().get(&normalize(name)).cloned()
    }

    pub(crate) fn instances(&self) -> Arc<HashMap<String, Arc<Instance>>> {
        self.instances.load_full()
    }

    /// Adds instances, or puts them in the place of the same ones under older names.
    pub(crate) fn put_instances(&self, new: impl IntoIterator<Item = Arc<Instance>>) {
        let new: HashMap<i64, Arc<Instance>> =
            new.into_iter().map(|instance| (instance.id, instance)).collect();
        self.replace(&self.instances, |instances| {
            // One that somebody has made meanwhile stays: others may hold it, and publish into it.
            let is_new = |known: &Instance| new.get(&known.id).is_some_and(|new| new.name != known.name);
            instances.retain(|_, known| !is_new(known));
            let there: HashSet<i64> = instances.values().map(|known| known.id).collect();
            let new = new.into_values().filter(|instance| !there.contains(&instance.id));
            instances.extend(new.map(|instance| (instance.name.clone(), instance)));
        });
    }

    /// Removes exactly this instance, not a later one of the same name, and its keys.
    pub(crate) fn remove_instance(&self, id: i64) {
        self.replace(&self.instances, |instances| instances.retain(|_, known| known.id != id));
        self.replace(&self.api_keys, |api_keys| {
            api_keys.by_id.retain(|_, (_, api_key)| api_key.instance != id);
            api_keys.by_key.retain(|_, api_key| api_key.instance != id);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(socket: &str, short: bool) -> SocketRoutes {
        let mut endpoint = Endpoint::sample();
        endpoint.socket = socket.into();
        endpoint.has_short_url = short;
        [endpoint].into_iter().collect()
    }

    fn owner(routes: &Routes, name: &str) -> Option<Arc<str>> {
        routes.flat(name).map(|endpoint| endpoint.socket.clone())
    }

    #[test]
    fn a_short_name_follows_its_owner_in_any_order_of_changes() {
        let mut now = Routes::default();
        now.set("first", Some(routes("first", true)));
        now.set("second", Some(routes("second", false)));
        let before = now.clone();
        // The second gets the name before the first is gone.
        now.set("second", Some(routes("second", true)));
        now.set("first", None);
        assert_eq!(owner(&now, "E").as_deref(), Some("second"));
        assert!(now.full("first", "e").is_none());
        now.set("second", Some(routes("second", false)));
        assert_eq!(owner(&now, "e"), None);
        assert!(now.full("Second", "E").is_some());
        // Whoever holds the routes of before sees them as they were.
        assert_eq!(owner(&before, "e").as_deref(), Some("first"));
        assert_eq!(before.all().count(), 2);
    }
}
