//! Which script endpoint a socket means by each name in its calls, and the scripts behind them.
//!
//! A script that a socket brings along becomes a script with a script endpoint of the dependency's name, both owned by
//! the socket. One that is there already and equal is shared instead; if the name is taken by something else, the
//! socket's own gets a similar one.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr};
use serde_json::Value;
use syncano_core::{Dependency, NameKind, Runtime, ScriptDependency, ScriptSource, Socket, normalize};

use crate::store::script_endpoints::{self, Bound, NewScriptEndpoint, ScriptEndpointRow, UsageRow};
use crate::store::scripts::{self, NewScript, ScriptRow};

/// Makes the socket use what its definition names. Tells which script endpoints now run something else.
pub(crate) async fn bind(
    db: &impl ConnectionTrait,
    instance: i64,
    socket_id: i64,
    socket: &Socket,
) -> Result<BTreeSet<i64>, DbErr> {
    let before = script_endpoints::used_by(db, socket_id).await?;
    let mut binding = Binding { db, instance, socket: socket_id, used: Vec::new(), changed: BTreeSet::new() };
    for dependency in &socket.dependencies {
        let Dependency::Script(script) = dependency else { continue };
        let name = normalize(&script.name);
        let before = before.get(&name).map(|used| used.1.script_endpoint_id);
        let endpoint = binding.dependency(&name, script, before).await?;
        let pinned = matches!(script.script, ScriptSource::New { .. });
        binding.uses(name, endpoint, pinned);
    }
    for call in socket.endpoints.values().flat_map(|endpoint| &endpoint.calls) {
        let name = normalize(&call.name);
        if binding.used.iter().all(|used| used.name != name)
            && let Some(found) = script_endpoints::by_name(db, instance, &name).await?
        {
            binding.uses(name, found.id, false);
        }
    }
    script_endpoints::use_only(db, socket_id, binding.used).await?;
    Ok(binding.changed)
}

struct Binding<'a, C> {
    db: &'a C,
    instance: i64,
    socket: i64,
    used: Vec<UsageRow>,
    /// Script endpoints that run something else than before.
    changed: BTreeSet<i64>,
}

impl<C: ConnectionTrait> Binding<'_, C> {
    fn uses(&mut self, name: String, script_endpoint_id: i64, pinned: bool) {
        self.used.push(UsageRow { socket_id: self.socket, name, script_endpoint_id, pinned });
    }

    /// The script endpoint for a dependency. `before` is the one that the socket had for it.
    async fn dependency(
        &mut self,
        name: &str,
        script: &ScriptDependency,
        before: Option<i64>,
    ) -> Result<i64, DbErr> {
        // As they are now: another dependency may have changed them.
        let before = match before {
            Some(id) => script_endpoints::by_id(self.db, self.instance, id).await?,
            None => None,
        };
        let before = script_endpoints::bind(self.db, before.into_iter().collect()).await?;
        let named = script_endpoints::by_name(self.db, self.instance, name).await?;
        let named = script_endpoints::bind(self.db, named.into_iter().collect()).await?.pop();
        // A dependency may have a name that only the URLs of script endpoints give another meaning.
        let name_is_free = named.is_none() && NameKind::ScriptEndpoint.check(name).is_ok();
        for bound in before.into_iter().chain(named) {
            if is_wanted(script, &bound.script) {
                return Ok(bound.endpoint.id);
            }
            if self.may_change(&bound).await? {
                let id = bound.endpoint.id;
                self.change(name, script, bound).await?;
                return Ok(id);
            }
        }
        let script_id = match &script.script {
            ScriptSource::Existing { script } => *script,
            ScriptSource::New { runtime_name, source } => {
                self.insert(name, *runtime_name, source, script).await?
            }
        };
        let name = match name_is_free {
            true => name.to_owned(),
            false => script_endpoints::another_name(self.db, self.instance, name).await?,
        };
        let new = NewScriptEndpoint {
            instance_id: self.instance,
            socket_id: Some(self.socket),
            name,
            description: String::new(),
            script_id,
            public: false,
        };
        Ok(script_endpoints::insert(self.db, new).await?.id)
    }

    /// Whether it is the socket's own, and no one else relies on what it runs now.
    async fn may_change(&self, bound: &Bound) -> Result<bool, DbErr> {
        if bound.endpoint.socket_id != Some(self.socket) || self.in_use(bound.endpoint.id) {
            return Ok(false);
        }
        let endpoints = script_endpoints::of_script(self.db, bound.script.id).await?;
        let users = script_endpoints::users(self.db, endpoints.iter().map(|endpoint| endpoint.id)).await?;
        Ok(!users.iter().any(|user| user.socket_id != self.socket && user.pinned))
    }

    /// Whether another dependency means this script endpoint.
    fn in_use(&self, endpoint: i64) -> bool {
        self.used.iter().any(|used| used.script_endpoint_id == endpoint)
    }

    /// Makes the script endpoint run what the dependency wants.
    async fn change(&mut self, name: &str, script: &ScriptDependency, bound: Bound) -> Result<(), DbErr> {
        let endpoints = script_endpoints::of_script(self.db, bound.script.id).await?;
        let for_itself = bound.script.socket_id == Some(self.socket)
            && !endpoints.iter().any(|endpoint| self.in_use(endpoint.id));
        let script_id = match &script.script {
            ScriptSource::Existing { script } => *script,
            ScriptSource::New { runtime_name, source } if for_itself => {
                // Every script endpoint of the script runs something else now.
                self.changed.extend(endpoints.into_iter().map(|endpoint| endpoint.id));
                let row = ScriptRow {
                    runtime: runtime_name.to_string(),
                    source: source.clone(),
                    config: config(script).unwrap_or(bound.script.config),
                    ..bound.script
                };
                scripts::update(self.db, row).await?.id
            }
            ScriptSource::New { runtime_name, source } => {
                self.insert(name, *runtime_name, source, script).await?
            }
        };
        self.changed.insert(bound.endpoint.id);
        if script_id != bound.endpoint.script_id {
            script_endpoints::update(self.db, ScriptEndpointRow { script_id, ..bound.endpoint }).await?;
        }
        Ok(())
    }

    async fn insert(
        &self,
        name: &str,
        runtime: Runtime,
        source: &str,
        script: &ScriptDependency,
    ) -> Result<i64, DbErr> {
        let new = NewScript {
            instance_id: self.instance,
            socket_id: Some(self.socket),
            label: name.to_owned(),
            description: String::new(),
            runtime: runtime.to_string(),
            source: source.to_owned(),
            config: config(script).unwrap_or_else(|| "{}".to_owned()),
        };
        Ok(scripts::insert(self.db, new).await?.id)
    }
}

/// Whether this is the script that the dependency means.
fn is_wanted(wanted: &ScriptDependency, found: &ScriptRow) -> bool {
    match &wanted.script {
        ScriptSource::Existing { script } => found.id == *script,
        ScriptSource::New { runtime_name, source } => {
            let runtime = found.runtime.parse::<Runtime>().map(Runtime::canonical);
            let same_config = wanted.config.as_ref().is_none_or(|wanted| {
                serde_json::from_str::<Value>(&found.config)
                    .is_ok_and(|found| found.as_object() == Some(wanted))
            });
            runtime == Ok(runtime_name.canonical()) && found.source == *source && same_config
        }
    }
}

fn config(script: &ScriptDependency) -> Option<String> {
    script.config.as_ref().map(|config| Value::Object(config.clone()).to_string())
}
