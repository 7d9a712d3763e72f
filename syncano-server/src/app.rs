//! What every request shares.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use secrecy::SecretString;
use syncano_core::normalize;
use syncano_runner::Runner;
use tokio::runtime::Handle;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use crate::auth::{Caller, Manager, other_instance};
use crate::cache::Answers;
use crate::catalog::{Catalog, Instance};
use crate::errors::{ApiError, quoted};
use crate::fetch::Fetcher;
use crate::install::Installs;
use crate::keys::{self, KeyMaker};
use crate::passwords::Passwords;
use crate::schemas::Schemas;
use crate::seen::Seen;
use crate::store::Store;
use crate::text_plain::LargeBodies;
use crate::throttle::{Rates, Throttle};
use crate::traces::TraceQueue;

/// What becomes of an endpoint whose name another socket has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FlatNames {
    /// The socket isn't installed, and its status says why.
    #[default]
    Strict,
    /// The first socket keeps the short URL; the other's endpoint is reached by `socket/endpoint` only.
    Alias,
}

/// What the operator decided.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// For scripts that don't say how long they may take.
    pub(crate) script_timeout: Duration,
    /// Anyone may make an account.
    pub(crate) open_registration: bool,
    pub(crate) flat_names: FlatNames,
    /// Runs need a key, private or not.
    pub(crate) require_key: bool,
    pub(crate) rates: Rates,
}

/// The server's state.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) keys: KeyMaker,
    pub(crate) passwords: Passwords,
    pub(crate) runner: Runner,
    pub(crate) fetcher: Fetcher,
    pub(crate) traces: TraceQueue,
    pub(crate) answers: Answers,
    pub(crate) schemas: Schemas,
    pub(crate) settings: Settings,
    pub(crate) gate: Gate,
    pub(crate) large_bodies: LargeBodies,
    pub(crate) throttle: Throttle,
    pub(crate) installs: Installs,
    pub(crate) seen: Seen,
}

impl App {
    /// The instance of that name, for who manages it. Someone else's looks like none to an account; a token opens only
    /// its own.
    pub(crate) fn instance(&self, manager: &Manager, name: &str) -> Result<Arc<Instance>, ApiError> {
        let found = self.catalog.instance(name);
        match manager {
            Manager::Account(account) => {
                found.filter(|instance| instance.owner == account.id).ok_or_else(|| no_instance(name))
            }
            Manager::Token(id) => found.filter(|instance| instance.id == *id).ok_or_else(other_instance),
        }
    }

    /// The instance of that name, for who may see it: its API keys, too.
    pub(crate) fn visible_instance(&self, caller: &Caller, name: &str) -> Result<Arc<Instance>, ApiError> {
        match caller {
            Caller::Manager(manager) => self.instance(manager, name),
            Caller::ApiKey(api_key) => self
                .catalog
                .instance(name)
                .filter(|instance| instance.id == api_key.instance)
                .ok_or_else(other_instance),
        }
    }

    /// The key that an account has now.
    pub(crate) fn key_of(&self, account: i64, generation: i64) -> SecretString {
        keys::written(self.keys.account(account, generation))
    }

    /// Does work that neither a caller who goes away nor a shutdown stops half-way: not even if what this returns is never waited for.
    pub(crate) fn to_the_end<T: Send + 'static, W>(
        &self,
        work: W,
    ) -> impl Future<Output = Result<T, ApiError>> + Send + use<T, W>
    where
        W: Future<Output = Result<T, ApiError>> + Send + 'static,
    {
        // Not later: whatever holds the future would have to hold the work as well, and be moved along with it.
        let lasting = self.gate.enter().map(|pass| Lasting(Some((Box::pin(work), pass))));
        async { lasting?.await }
    }
}

/// Work that becomes a task of its own when whoever waits for it goes away. A task from the start would cost every call two
/// turns of the scheduler.
struct Lasting<W: Future<Output: Send> + Send + 'static>(Option<(Pin<Box<W>>, Pass)>);

impl<T: Send, W: Future<Output = Result<T, ApiError>> + Send> Future for Lasting<W> {
    type Output = Result<T, ApiError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (work, _) = self.0.as_mut().expect("it isn't polled after its end");
        // What panics is not polled again, and other requests of the connection don't pay for it.
        let done = match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(done)) => done,
            Err(_) => Err(ApiError::internal("it panicked")),
        };
        self.0 = None;
        Poll::Ready(done)
    }
}

impl<W: Future<Output: Send> + Send + 'static> Drop for Lasting<W> {
    fn drop(&mut self) {
        // Without a runtime nothing can go on.
        if let Some((work, pass)) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move {
                // Nobody waits for what comes of it.
                let _ = work.await;
                drop(pass);
            });
        }
    }
}

/// 404 for an instance.
pub(crate) fn no_instance(name: &str) -> ApiError {
    ApiError::not_found(format!("there is no instance named `{}`", quoted(&normalize(name))))
}

/// Lets work in until the server shuts down, and then waits for what is inside.
#[derive(Default)]
pub(crate) struct Gate {
    closed: AtomicBool,
    inside: Arc<RwLock<()>>,
}

/// Held by work that a shutdown waits for.
pub(crate) type Pass = OwnedRwLockReadGuard<()>;

impl Gate {
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Lets work in, or answers 503.
    pub(crate) fn enter(&self) -> Result<Pass, ApiError> {
        match self.inside.clone().try_read_owned() {
            Ok(pass) if !self.is_closed() => Ok(pass),
            _ => Err(ApiError::shutting_down()),
        }
    }

    /// How much work is inside.
    pub(crate) fn inside(&self) -> usize {
        // Every pass holds the lock by a reference of its own.
        Arc::strong_count(&self.inside) - 1
    }

    /// Lets nothing more in, and waits until everything is out.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        drop(self.inside.write().await);
    }
}
