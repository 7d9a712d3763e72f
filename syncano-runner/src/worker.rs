//! A worker: a process that has loaded one script, and the conversation with it.

use std::hash::{BuildHasher, RandomState};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use rustix::net::RecvFlags;
use syncano_core::RunStatus;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{timeout, timeout_at};

use crate::call::Call;
use crate::interpreter::{Interpreter, InterpreterId};
use crate::limits;
use crate::network::{Outward, Proxy};
use crate::outcome::{Answer, Outcome, Traffic};
use crate::output::Output;
use crate::process::Process;
use crate::protocol::{self, RawAnswer, Reply};
use crate::recipe::Recipe;
use crate::response::Response;
use crate::script::{Script, ScriptKey};

/// A process that has loaded one script. It serves one call at a time; dropping it ends the process.
pub(crate) struct Worker {
    /// Since when nobody has called it.
    pub(crate) idle_since: Instant,
    key: ScriptKey,
    recipe: &'static Recipe,
    process: Process,
    channel: UnixStream,
    /// Its way out, where it has a network.
    proxy: Option<Proxy>,
    received: Vec<u8>,
    calls: u64,
    numbers: RandomState,
}

/// A process that has started and waits for the script that it will serve.
pub(crate) struct Spare {
    /// Since when it has been waiting.
    pub(crate) since: Instant,
    interpreter: InterpreterId,
    process: Process,
    channel: StdUnixStream,
}

impl Spare {
    /// A new process, which knows its own program.
    pub(crate) fn new(process: Process, channel: StdUnixStream, interpreter: &Interpreter) -> Spare {
        Spare { since: Instant::now(), interpreter: interpreter.id, process, channel }
    }

    /// Whether it is alive, and silent.
    pub(crate) fn is_silent(&self) -> bool {
        is_silent(&self.channel)
    }

    /// What it is a process of.
    pub(crate) fn interpreter(&self) -> InterpreterId {
        self.interpreter
    }
}

/// Why there is no reply.
enum Broken {
    /// The other end is closed.
    Closed,
    /// What came is no reply.
    Malformed(&'static str),
}

impl Worker {
    /// Tells a new process its script, and waits until it can be called. The error is a sentence for the user.
    pub(crate) async fn start(
        spare: Spare,
        interpreter: &Interpreter,
        script: &Script,
        outward: &Arc<Outward>,
    ) -> Result<Worker, String> {
        let Spare { mut process, channel, .. } = spare;
        let recipe = interpreter.recipe;
        let cannot_start = |problem: &str| format!("{interpreter} can't be started: {problem}");
        let channel = UnixStream::from_std(channel).map_err(|error| cannot_start(&error.to_string()))?;
        // Whose it is is known only now.
        let proxy = process
            .listener
            .take()
            .map(|listener| Proxy::open(listener, outward.clone(), script.network_policy().clone()))
            .transpose()
            .map_err(|error| cannot_start(&error.to_string()))?;
        let mut worker = Worker {
            idle_since: Instant::now(),
            key: script.key(),
            recipe,
            process,
            channel,
            proxy,
            received: Vec::new(),
            calls: 0,
            numbers: RandomState::new(),
        };
        let frame = protocol::script(script);
        let problem = match timeout(limits::START, worker.exchange(&frame, protocol::READY_NUMBER)).await {
            Ok(Ok(Reply { answer: RawAnswer::Ready, .. })) => return Ok(worker),
            Ok(Ok(_)) => "it did not say that it is ready".to_owned(),
            Ok(Err(Broken::Malformed(what))) => what.to_owned(),
            Ok(Err(Broken::Closed)) => match worker.process.end().await {
                Ok(status) => format!("it ended {}", manner(status)),
                Err(error) => error.to_string(),
            },
            Err(_) => format!("it was not ready within {} s", limits::START.as_secs()),
        };
        let _ = worker.process.end().await;
        let stderr = worker.process.outputs.take().unwrap_or_default().stderr;
        Err(cannot_start(&if stderr.is_empty() { problem } else { format!("{problem}\n{stderr}") }))
    }

    /// The script that it has loaded.
    pub(crate) fn key(&self) -> ScriptKey {
        self.key
    }

    /// Whether it is as it was left: alive, and silent.
    pub(crate) fn is_silent(&self) -> bool {
        is_silent(&self.channel)
    }

    /// How many calls it has served.
    pub(crate) fn calls(&self) -> u64 {
        self.calls
    }

    /// Runs one call. The worker comes back if it can take another one.
    pub(crate) async fn call(mut self, call: &Call) -> (Outcome, Option<Worker>) {
        self.calls += 1;
        // Not to be guessed: an answer that a script has left behind for the next call doesn't fit it.
        let number = self.numbers.hash_one(self.calls) | 1;
        let frame = match protocol::call(number, call) {
            Ok(frame) => frame,
            Err(size) => {
                let limit = limits::REQUEST;
                let text = format!("the arguments have {size} bytes; at most {limit} are allowed");
                return (Outcome::never_ran(RunStatus::Failure, text), Some(self));
            }
        };
        if let Some(proxy) = &self.proxy {
            proxy.begin();
        }
        let started_at = SystemTime::now();
        let start = Instant::now();
        let deadline = tokio::time::Instant::from_std(start) + call.timeout;
        let end = match timeout_at(deadline, self.exchange(&frame, number)).await {
            Ok(Ok(reply)) => End::Reply(reply),
            Ok(Err(Broken::Malformed(what))) => {
                let _ = self.process.end().await;
                End::Ended(format!("the runner ended the script's process: {what}"))
            }
            // It is the process that ends, sooner or later, and how it ends is what counts.
            Ok(Err(Broken::Closed)) => match timeout_at(deadline, self.process.ended()).await {
                Ok(()) => match self.process.end().await {
                    Ok(status) if status.code() == Some(0) => End::Exit(0),
                    Ok(status) if status.code() == Some(124) => End::Exit(124),
                    Ok(status) => End::Ended(format!("the script's process ended {}", manner(status))),
                    Err(error) => End::Ended(format!("the script's process was lost: {error}")),
                },
                Err(_) => End::OutOfTime,
            },
            Err(_) => {
                self.process.interrupt();
                // The stack that it prints is all that is wanted of it now.
                let _ = timeout(limits::GRACE, self.reply(number)).await;
                End::OutOfTime
            }
        };
        let duration = start.elapsed();
        if matches!(end, End::OutOfTime) {
            let _ = self.process.end().await;
        }
        let traffic = match &self.proxy {
            Some(proxy) => proxy.end().await,
            None => Traffic::default(),
        };
        let (mut outcome, reusable) = self.outcome(end, started_at, duration, call.timeout);
        outcome.traffic = traffic;
        (outcome, reusable.then_some(self))
    }

    fn outcome(
        &mut self,
        end: End,
        started_at: SystemTime,
        duration: Duration,
        limit: Duration,
    ) -> (Outcome, bool) {
        let (Output { stdout, stderr, is_cut }, readable) = match self.process.outputs.take() {
            Ok(output) => (output, true),
            Err(error) => {
                let stderr = format!("the output of the script can't be read: {error}");
                (Output { stderr, ..Output::default() }, false)
            }
        };
        let mut outcome = Outcome {
            status: RunStatus::Failure,
            stdout,
            stderr,
            started_at,
            duration,
            answer: None,
            traffic: Traffic::default(),
        };
        match end {
            End::Reply(reply) => {
                let reusable = !reply.recycle && readable;
                outcome.status = status_of(reply.exit);
                match (reply.answer, outcome.status) {
                    (RawAnswer::Value(json), RunStatus::Success) => {
                        outcome.answer = Some(Answer::Value(json))
                    }
                    (RawAnswer::AppError(json), RunStatus::Failure) => {
                        outcome.answer = Some(Answer::AppError(json));
                    }
                    (RawAnswer::Response(head, content), RunStatus::Success) => {
                        respond(&mut outcome, &head, content)
                    }
                    // What was printed is the answer.
                    (RawAnswer::Nothing, RunStatus::Success) if is_cut => refuse_cut(&mut outcome),
                    (RawAnswer::Nothing, RunStatus::Failure) if outcome.stderr.is_empty() => {
                        outcome.remark(&format!("the script ended with exit code {}", reply.exit));
                    }
                    _ => {}
                }
                (outcome, reusable)
            }
            End::Exit(code) => {
                outcome.status = status_of(code);
                if is_cut && outcome.status == RunStatus::Success {
                    refuse_cut(&mut outcome);
                }
                (outcome, false)
            }
            End::Ended(sentence) => {
                let out_of_memory = (self.recipe.last_words)(&mut outcome.stderr);
                outcome.remark(if out_of_memory { OUT_OF_MEMORY } else { &sentence });
                (outcome, false)
            }
            End::OutOfTime => {
                outcome.status = RunStatus::Timeout;
                (self.recipe.last_words)(&mut outcome.stderr);
                outcome
                    .remark(&format!("the script was ended after its timeout of {} s", limit.as_secs_f64()));
                (outcome, false)
            }
        }
    }

    async fn exchange(&mut self, frame: &[u8], number: u64) -> Result<Reply, Broken> {
        self.channel.write_all(frame).await.map_err(|_| Broken::Closed)?;
        self.reply(number).await
    }

    /// Reads the reply to call `number`. Nothing is lost when the future is dropped.
    async fn reply(&mut self, number: u64) -> Result<Reply, Broken> {
        loop {
            if let Some(reply) =
                protocol::take_reply(&mut self.received, number).map_err(Broken::Malformed)?
            {
                return Ok(reply);
            }
            if self.received.capacity() - self.received.len() < 1024 {
                self.received.reserve(16 * 1024);
            }
            match self.channel.read_buf(&mut self.received).await {
                Ok(0) | Err(_) => return Err(Broken::Closed),
                Ok(_) => {}
            }
        }
    }
}

fn is_silent(channel: impl AsFd) -> bool {
    let mut byte = [0; 1];
    let peeked = rustix::net::recv(channel, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT);
    matches!(peeked, Err(rustix::io::Errno::AGAIN))
}

const OUT_OF_MEMORY: &str = "the script's process ended because it ran out of memory";

/// How a call ended.
enum End {
    Reply(Reply),
    /// The process ended by itself with a code that says how the script fared.
    Exit(u16),
    /// The process ended otherwise; the sentence says how.
    Ended(String),
    OutOfTime,
}

/// What was printed is the answer, and there was more than is kept.
fn refuse_cut(outcome: &mut Outcome) {
    outcome.status = RunStatus::Failure;
    outcome.remark(&format!(
        "the script printed more than the {} KiB that an answer by printing may have: return the value from a function, \
         or set a response",
        limits::OUTPUT / 1024
    ));
}

fn respond(outcome: &mut Outcome, head: &[u8], content: Bytes) {
    match Response::from_parts(head, content) {
        Ok(response) => outcome.answer = Some(Answer::Response(response)),
        Err(problem) => {
            outcome.status = RunStatus::Failure;
            outcome.remark(&format!("the script's response can't be sent: {problem}"));
        }
    }
}

/// What an exit code means: 124 is what `timeout(1)` says.
fn status_of(exit: u16) -> RunStatus {
    match exit {
        0 => RunStatus::Success,
        124 => RunStatus::Timeout,
        _ => RunStatus::Failure,
    }
}

/// "with exit code 3", "by signal SIGSEGV (11)".
fn manner(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("with exit code {code} before it answered"),
        (None, Some(signal)) => format!("by signal {} ({signal})", signal_name(signal)),
        (None, None) => format!("in an unknown way ({status})"),
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGABRT => "SIGABRT",
        libc::SIGALRM => "SIGALRM",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGHUP => "SIGHUP",
        libc::SIGILL => "SIGILL",
        libc::SIGINT => "SIGINT",
        libc::SIGKILL => "SIGKILL",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGSYS => "SIGSYS",
        libc::SIGTERM => "SIGTERM",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGUSR2 => "SIGUSR2",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        _ => "number",
    }
}
