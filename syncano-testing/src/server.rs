//! The server of one test, on a thread of its own: it goes on while the test blocks its thread, works with any runtime, and
//! dropping it can wait until everything is gone.

use std::thread::{self, JoinHandle};

use secrecy::SecretString;
use syncano_server::{StartError, TestServerBuilder};
use tokio::sync::oneshot;

#[derive(Debug)]
pub(crate) struct ServerThread {
    pub(crate) url: String,
    pub(crate) account_key: SecretString,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ServerThread {
    pub(crate) async fn start(server: TestServerBuilder) -> Result<ServerThread, StartError> {
        let (ready, started) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = async move {
            // Whoever doesn't listen any more has dropped the other end of `stopped` too.
            match server.start().await {
                Ok(server) => {
                    let _ = ready.send(Ok((server.url(), server.account_key().clone())));
                    let _ = stopped.await;
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        };
        let thread = thread::Builder::new()
            .name("syncano-test-server".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime for the test server").block_on(serve);
            })
            .expect("a thread for the test server");
        let (url, account_key) = started.await.expect("the test server's thread says how it started")?;
        Ok(ServerThread { url, account_key, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for ServerThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !thread::panicking()
        {
            panic!("the test server has panicked");
        }
    }
}
