//! A worker: a process that has loaded one script, and the conversation with it.

use std::io;
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

use crate::backlog::{Backlog, Calls};
use crate::call::Call;
use crate::interpreter::{Interpreter, InterpreterId};
use crate::lifespan::{Age, Lifespan};
use crate::limits;
use crate::network::{Outward, Proxy};
use crate::outcome::{Answer, Outcome, Traffic};
use crate::output::Output;
use crate::process::{Newborn, Process};
use crate::protocol::{self, RawAnswer, Reply};
use crate::recipe::Recipe;
use crate::response::Response;
use crate::script::{Script, ScriptKey};

/// So many quick calls make a worker one that others may wait for.
const TRUSTED: i32 = 8;

/// And so many are remembered: a pause now and then, for collecting garbage or for another process, changes nothing.
const REMEMBERED: i32 = 64;

/// A process that has loaded one script. It serves one call at a time; dropping it ends the process.
pub(crate) struct Worker {
    /// Since when nobody has called it.
    pub(crate) idle_since: Instant,
    /// The calls that it has been sent.
    pub(crate) backlog: Arc<Backlog>,
    /// Its way out, where it has a network.
    pub(crate) proxy: Option<Proxy>,
    recipe: &'static Recipe,
    /// Memory that its interpreter maps for machine code.
    code: u64,
    process: Process,
    channel: UnixStream,
    received: Vec<u8>,
    age: Age,
    /// It takes the next call over the channel.
    is_paused: bool,
    /// It has ended, and left what it was sent over the channel.
    is_unread: bool,
    /// How much its calls so far promise that the next one will be quick and leave nothing to be seen to: each that was so counts
    /// as one, up to [`REMEMBERED`], and each other one takes away as many as it took milliseconds.
    trust: i32,
    /// It has answered these, for nobody.
    forgotten: Vec<u64>,
}

/// Why a worker has not been sent a call.
pub(crate) enum Unsent {
    /// The arguments have so many bytes, which is too much for any.
    TooLarge(usize),
    /// The script has closed or filled what it shares with the server.
    Unreachable,
}

/// What a worker does after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It takes the next call that it has been sent, if there is one.
    GoesOn,
    /// It waits for what comes over the channel.
    Pauses,
    /// It has ended, or has to.
    Ends,
    /// It has ended, and had not begun the call.
    EndedBefore,
}

/// When a call began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start(SystemTime, Instant);

impl Start {
    /// It begins now.
    pub(crate) fn now() -> Start {
        Start(SystemTime::now(), Instant::now())
    }
}

/// A process that has started and waits for the script that it will serve.
pub(crate) struct Spare {
    /// Since when it has been waiting.
    pub(crate) since: Instant,
    interpreter: InterpreterId,
    process: Process,
    channel: StdUnixStream,
    calls: Calls,
}

impl Spare {
    /// A new process, which knows its own program.
    pub(crate) fn new((process, channel, calls): Newborn, interpreter: &Interpreter) -> Spare {
        Spare { since: Instant::now(), interpreter: interpreter.id, process, channel, calls }
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
        let Spare { mut process, channel, calls, .. } = spare;
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
            backlog: Arc::new(Backlog::new(script.key(), calls)),
            proxy,
            recipe,
            code: interpreter.code,
            process,
            channel,
            received: Vec::new(),
            age: Age::default(),
            is_paused: false,
            is_unread: false,
            trust: 0,
            forgotten: Vec::new(),
        };
        let frame = protocol::script(script);
        let problem =
            match timeout(limits::START, worker.exchange(Some(&frame), protocol::READY_NUMBER)).await {
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
        self.backlog.key()
    }

    /// The number of its seat.
    pub(crate) fn seat(&self) -> Option<u32> {
        self.process.seat()
    }

    /// Whether it is as it was left: alive, and silent.
    pub(crate) fn is_silent(&self) -> bool {
        self.received.is_empty() && is_silent(&self.channel)
    }

    /// It has served one more call, which took `work`. True: the last one.
    pub(crate) fn ages(&mut self, lifespan: Lifespan, work: Duration) -> bool {
        self.age.count(lifespan, work, || self.process.memory(self.code))
    }

    /// Whether calls may be sent to it while it is on one: it is likely to take no time, and to leave nothing to be seen to.
    pub(crate) fn is_quick(&self) -> bool {
        self.trust >= TRUSTED
    }

    /// The last call was none of those for which others can wait.
    pub(crate) fn distrust(&mut self) {
        self.trust = self.trust.min(0);
    }

    /// Nobody wants to know what it answered to that call.
    pub(crate) fn forget(&mut self, number: u64) {
        self.forgotten.push(number);
    }

    /// Sends it a call, while it is on none: the call's number, and what is to be sent over the channel.
    pub(crate) fn begin(&mut self, call: &Call) -> Result<(u64, Option<Vec<u8>>), Unsent> {
        let number = self.backlog.number();
        let frame = protocol::call(number, call).map_err(Unsent::TooLarge)?;
        let is_long = frame.len() > protocol::MESSAGE;
        let is_sent = match (self.is_paused, is_long) {
            (true, _) => true,
            (false, true) => self.backlog.point_to_channel(),
            (false, false) => self.backlog.send(&frame),
        };
        if !is_sent {
            return Err(Unsent::Unreachable);
        }
        if let Some(proxy) = &self.proxy {
            proxy.begin();
        }
        let rest = self.is_paused || is_long;
        self.is_paused = false;
        Ok((number, rest.then_some(frame)))
    }

    /// Ends the call `number`, which it has been sent but for `rest`. That of one that waited behind others started when the one
    /// before it was heard of.
    pub(crate) async fn finish(
        &mut self,
        number: u64,
        Start(started_at, start): Start,
        rest: Option<Vec<u8>>,
        call: &Call,
    ) -> (Outcome, Then) {
        let channel_bytes = rest.as_ref().map(Vec::len);
        let deadline = tokio::time::Instant::from_std(start) + call.timeout;
        let end = match timeout_at(deadline, self.exchange(rest.as_deref(), number)).await {
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
            Err(_) => self.out_of_time(number).await,
        };
        let duration = start.elapsed();
        if matches!(end, End::OutOfTime) {
            let _ = self.process.end().await;
        }
        self.trust = match &end {
            End::Reply(Reply { quick: true, recycle: false, pauses: false, .. }) => {
                REMEMBERED.min(self.trust + 1)
            }
            _ => self.trust.saturating_sub(1 + duration.as_millis().min(1_000_000) as i32),
        };
        let is_left = match (&end, channel_bytes) {
            (End::Reply(_) | End::OutOfTime, _) => false,
            (_, None) => self.backlog.has_left(number),
            // One that is no longer than a message is read at once.
            (_, Some(bytes)) => self.is_unread && bytes <= protocol::MESSAGE,
        };
        let (outcome, then) = self.outcome(end, started_at, duration, call.timeout);
        (outcome, if is_left { Then::EndedBefore } else { then })
    }

    /// Ends the call `number` when its time is over.
    async fn out_of_time(&mut self, number: u64) -> End {
        // If it is on another call already it has answered this one.
        if self.backlog.take_back()
            && let Ok(Ok(reply)) = timeout(limits::GRACE, self.reply(number)).await
        {
            return End::Reply(reply);
        }
        self.process.interrupt();
        // The stack that it prints is all that is wanted of it now.
        let _ = timeout(limits::GRACE, self.reply(number)).await;
        End::OutOfTime
    }

    fn outcome(
        &mut self,
        end: End,
        started_at: SystemTime,
        duration: Duration,
        limit: Duration,
    ) -> (Outcome, Then) {
        let goes_on = matches!(end, End::Reply(Reply { recycle: false, pauses: false, .. }));
        let output = if goes_on && self.backlog.is_open() {
            // It may be printing for the next call already, or be about to. If it can print what it doesn't see itself, that is found here and
            // taken with a later call; no more are sent to it meanwhile.
            if self.process.outputs.are_written() {
                self.distrust();
            }
            Ok(Output::default())
        } else {
            self.process.outputs.take()
        };
        let (Output { stdout, stderr, is_cut }, readable) = match output {
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
                let then = match reply {
                    Reply { recycle: true, .. } => Then::Ends,
                    _ if !readable => Then::Ends,
                    Reply { pauses: true, .. } => Then::Pauses,
                    _ => Then::GoesOn,
                };
                self.is_paused = then == Then::Pauses;
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
                (outcome, then)
            }
            End::Exit(code) => {
                outcome.status = status_of(code);
                if is_cut && outcome.status == RunStatus::Success {
                    refuse_cut(&mut outcome);
                }
                (outcome, Then::Ends)
            }
            End::Ended(sentence) => {
                let out_of_memory = (self.recipe.last_words)(&mut outcome.stderr);
                outcome.remark(if out_of_memory { OUT_OF_MEMORY } else { &sentence });
                (outcome, Then::Ends)
            }
            End::OutOfTime => {
                outcome.status = RunStatus::Timeout;
                (self.recipe.last_words)(&mut outcome.stderr);
                outcome
                    .remark(&format!("the script was ended after its timeout of {} s", limit.as_secs_f64()));
                (outcome, Then::Ends)
            }
        }
    }

    async fn exchange(&mut self, frame: Option<&[u8]>, number: u64) -> Result<Reply, Broken> {
        if let Some(frame) = frame
            && self.channel.write_all(frame).await.is_err()
        {
            self.is_unread = true;
            return Err(Broken::Closed);
        }
        self.reply(number).await
    }

    /// Reads the reply to call `number`. Nothing is lost when the future is dropped.
    async fn reply(&mut self, number: u64) -> Result<Reply, Broken> {
        loop {
            let next = self.forgotten.first().copied();
            let reply = protocol::take_reply(&mut self.received, next.unwrap_or(number))
                .map_err(Broken::Malformed)?;
            match (reply, next) {
                (Some(_), Some(_)) => {
                    self.forgotten.remove(0);
                    continue;
                }
                (Some(reply), None) if self.received.is_empty() || !self.backlog.is_empty() => {
                    if self.received.is_empty() && self.received.capacity() > 64 * 1024 {
                        self.received = Vec::new();
                    }
                    return Ok(reply);
                }
                (Some(_), None) => return Err(Broken::Malformed("it answered more than once")),
                (None, _) => {}
            }
            if self.received.capacity() - self.received.len() < 1024 {
                self.received.reserve(16 * 1024);
            }
            match self.channel.read_buf(&mut self.received).await {
                Ok(0) => return Err(Broken::Closed),
                Err(error) => {
                    // The kernel's word for the other end's having been closed with something in it.
                    self.is_unread = error.kind() == io::ErrorKind::ConnectionReset;
                    return Err(Broken::Closed);
                }
                Ok(_) => {}
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.backlog.end();
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
