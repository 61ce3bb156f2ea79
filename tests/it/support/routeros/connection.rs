//! One connection of the API: login, commands that run beside each other, and what faults make of it.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, WriteHalf, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::commands::{Command, Replies, run};
use super::faults::ApiFault;
use super::login::{Login, login};
use super::state::RECORD_MAX;
use super::table::Trap;
use super::tls::hex;
use super::wire::{self, AFTER_LOGIN, BEFORE_LOGIN};
use super::{Shared, state::State};

/// Sentences that wait for a slow reader before commands have to wait.
const OUT_MAX: usize = 256;
/// Commands of one connection at a time.
const COMMANDS_MAX: usize = 256;
/// `/ip/service` max-sessions, from 7.16.
const SESSIONS_MAX: u64 = 20;
const HUGE_WORD_OCTETS: u32 = 64 << 20;
/// Rest before a closed port is opened again, should it be taken.
const OPEN_AGAIN: Duration = Duration::from_millis(20);

/// What the writer is given.
pub enum Out {
    Sentence(Vec<u8>),
    /// As it is, faults or not.
    Raw(Vec<u8>),
    Flood,
    /// Ends the router's side of the connection.
    Close,
}

/// Takes connections for as long as the stand-in lives.
pub async fn serve(shared: Arc<Shared>, listener: TcpListener, tls: bool) {
    let address = listener.local_addr().expect("a listening socket");
    let mut open = Some(listener);
    loop {
        let Some(listener) = &open else {
            shared.faults.api(|fault| fault != ApiFault::Refuse).await;
            match TcpListener::bind(address).await {
                Ok(listener) => open = Some(listener),
                Err(_) => tokio::time::sleep(OPEN_AGAIN).await,
            }
            continue;
        };
        tokio::select! {
            () = shared.faults.api(|fault| fault == ApiFault::Refuse) => open = None,
            Ok((stream, _)) = listener.accept() => {
                tokio::spawn(take(Arc::clone(&shared), stream, tls));
            }
        }
    }
}

/// Counts a connection for as long as it is open.
struct Counted(Arc<Shared>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.change(|state| state.totals.open_connections -= 1);
    }
}

async fn take(shared: Arc<Shared>, stream: TcpStream, tls: bool) {
    let full = shared.change(|state| {
        state.totals.connections += 1;
        state.totals.open_connections += 1;
        state.version >= (7, 16) && state.totals.open_connections > SESSIONS_MAX
    });
    let _counted = Counted(Arc::clone(&shared));
    if full {
        return;
    }
    // Answers are short and awaited one by one.
    let _slower = stream.set_nodelay(true);
    let mut dropped = shared.dropped.subscribe();
    tokio::select! {
        // A connection ends with an error when the client breaks off; tests see that on their side.
        _ended = begin(&shared, stream, tls) => {}
        _changed = dropped.changed() => {}
    }
}

async fn begin(shared: &Arc<Shared>, stream: TcpStream, tls: bool) -> io::Result<()> {
    if shared.faults.now().api == ApiFault::Silent {
        shared.faults.api(|fault| fault != ApiFault::Silent).await;
    }
    if tls {
        let acceptor = shared.certificate().acceptor;
        return speak(shared, acceptor.accept(stream).await?).await;
    }
    speak(shared, stream).await
}

async fn speak<S>(shared: &Arc<Shared>, stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut reader, writer) = split(stream);
    let (out, waiting) = mpsc::channel(OUT_MAX);
    let writer = write(Arc::clone(shared), writer, waiting);
    let mut connection = Connection {
        shared: Arc::clone(shared),
        out,
        policies: None,
        challenge: None,
        running: Running::default(),
        tasks: JoinSet::new(),
    };
    let read = async move {
        loop {
            let limits = if connection.policies.is_some() {
                AFTER_LOGIN
            } else {
                BEFORE_LOGIN
            };
            let words = wire::read_sentence(&mut reader, limits).await?;
            let Some(words) = words else {
                return Ok(());
            };
            if !connection.hear(&words).await {
                // What has been said is still written before the connection closes.
                return io::Result::Ok(());
            }
        }
    };
    // The reader's end drops the channel, which lets the writer finish.
    let (read, written) = tokio::join!(read, writer);
    read.and(written)
}

async fn write<S>(
    shared: Arc<Shared>,
    mut stream: WriteHalf<S>,
    mut waiting: mpsc::Receiver<Out>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut batch = Vec::new();
    while let Some(out) = waiting.recv().await {
        match out {
            Out::Sentence(octets) => match shared.faults.now().api {
                ApiFault::Silent => continue,
                ApiFault::Slow(delay) => {
                    tokio::time::sleep(delay).await;
                    stream.write_all(&octets).await?;
                }
                _ => batch.extend(octets),
            },
            Out::Raw(octets) => batch.extend(octets),
            Out::Flood => {
                stream.write_all(&wire::length(HUGE_WORD_OCTETS)).await?;
                let piece = vec![b'x'; 1 << 16];
                for _ in 0..HUGE_WORD_OCTETS >> 16 {
                    stream.write_all(&piece).await?;
                }
                batch.push(0);
            }
            Out::Close => {
                stream.write_all(&batch).await?;
                return stream.shutdown().await;
            }
        }
        if waiting.is_empty() || batch.len() > 1 << 16 {
            stream.write_all(&batch).await?;
            stream.flush().await?;
            batch.clear();
        }
    }
    stream.shutdown().await
}

/// The commands under way, by a number of their own: tags may be absent or used twice.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<Commands>>);

type Commands = HashMap<u64, (Option<String>, AbortHandle)>;

impl Running {
    fn lock(&self) -> MutexGuard<'_, Commands> {
        self.0.lock().expect("no holder panics")
    }
}

struct Connection {
    shared: Arc<Shared>,
    out: mpsc::Sender<Out>,
    policies: Option<Vec<String>>,
    challenge: Option<[u8; 16]>,
    running: Running,
    tasks: JoinSet<()>,
}

impl Connection {
    /// Deals with one sentence; `false` when the connection is to be closed.
    async fn hear(&mut self, words: &[String]) -> bool {
        self.shared.change(|state| note(state, words));
        match self.shared.faults.now().api {
            ApiFault::Silent => return true,
            ApiFault::Garbage(octets) => {
                return self.send(Out::Raw(octets.to_vec())).await;
            }
            ApiFault::CloseMidSentence => {
                let row = wire::sentence(["!re", "=.id=*1", "=name=half a"]);
                let half = row[..row.len() - 4].to_vec();
                self.send(Out::Raw(half)).await;
                return false;
            }
            ApiFault::HugeWord => return self.send(Out::Flood).await,
            ApiFault::HalfClosed => {
                self.send(Out::Close).await;
                return true;
            }
            ApiFault::None | ApiFault::Refuse | ApiFault::Slow(_) => {}
        }
        let Some(command) = Command::parse(words) else {
            return self.fatal("malformed sentence").await;
        };
        let replies = Replies {
            out: self.out.clone(),
            tag: command.tag.clone(),
        };
        match (command.menu.as_str(), command.verb.as_str()) {
            ("", "login") => {
                self.login(&command, &replies).await;
                return true;
            }
            ("", "quit") => return self.fatal("session terminated on request").await,
            _ => {}
        }
        let Some(policies) = self.policies.clone() else {
            return self.fatal("not logged in").await;
        };
        if (command.menu.as_str(), command.verb.as_str()) == ("", "cancel") {
            self.cancel(&command, &replies).await;
            return true;
        }
        while self.tasks.try_join_next().is_some() {}
        if self.tasks.len() == COMMANDS_MAX {
            return self.fatal("too many commands").await;
        }
        self.start(command, replies, policies);
        true
    }

    async fn send(&self, out: Out) -> bool {
        self.out.send(out).await.is_ok()
    }

    /// Plain text instead of attributes, and the end.
    async fn fatal(&self, text: &str) -> bool {
        let octets = wire::sentence(["!fatal", text]);
        self.send(Out::Sentence(octets)).await;
        false
    }

    async fn login(&mut self, command: &Command, replies: &Replies) {
        let refuse = self.shared.faults.now().refuse_login;
        let outcome = self.shared.change(|state| {
            let outcome = login(state, refuse, &command.attributes, self.challenge);
            match &outcome {
                Login::In(_) => state.totals.logins += 1,
                Login::Refused(_) => state.totals.refused_logins += 1,
                Login::Challenge(_) => {}
            }
            outcome
        });
        // A challenge is good for one answer.
        self.challenge = None;
        match outcome {
            Login::In(policies) => {
                self.policies = Some(policies);
                replies.done(None).await;
            }
            Login::Challenge(challenge) => {
                self.challenge = Some(challenge);
                replies.done(Some(hex(&challenge))).await;
            }
            Login::Refused(text) => {
                replies.trap(&Trap::failure(text)).await;
                replies.done(None).await;
            }
        }
    }

    /// Lets a command run beside the others. Commands begin in the order in which they came, since the runtime has one
    /// thread and a queue.
    fn start(&mut self, command: Command, replies: Replies, policies: Vec<String>) {
        let (shared, running) = (Arc::clone(&self.shared), self.running.clone());
        let number = self.shared.change(|state| {
            state.totals.commands += 1;
            state.totals.commands
        });
        let tag = command.tag.clone();
        let mut table = self.running.lock();
        let handle = self.tasks.spawn(async move {
            let outcome = run(&shared, &policies, &command, &replies).await;
            // Who takes the entry out says the last word: this task, or `/cancel`.
            if running.lock().remove(&number).is_none() {
                return;
            }
            match outcome {
                Ok(ret) => replies.done(ret).await,
                Err(trap) => {
                    replies.trap(&trap).await;
                    replies.done(None).await;
                }
            }
        });
        table.insert(number, (tag, handle));
    }

    /// Ends the command with that tag, or all.
    async fn cancel(&self, command: &Command, replies: &Replies) {
        let wanted = command.get("tag");
        let ended: Vec<Option<String>> = {
            let mut table = self.running.lock();
            let fits = |tag: &Option<String>| wanted.is_none() || tag.as_deref() == wanted;
            let numbers: Vec<u64> = table
                .iter()
                .filter(|(_, (tag, _))| fits(tag))
                .map(|(number, _)| *number)
                .collect();
            let taken = numbers.iter().filter_map(|number| table.remove(number));
            taken
                .map(|(tag, handle)| {
                    handle.abort();
                    tag
                })
                .collect()
        };
        for tag in ended {
            let of_command = Replies {
                out: self.out.clone(),
                tag,
            };
            of_command.trap(&Trap::interrupted()).await;
            of_command.done(None).await;
        }
        replies.done(None).await;
    }
}

/// Writes a sentence down, but no password.
fn note(state: &mut State, words: &[String]) {
    if state.commands.len() == RECORD_MAX {
        state.commands.pop_front();
    }
    let secret =
        |word: &&String| !word.starts_with("=password=") && !word.starts_with("=response=");
    state
        .commands
        .push_back(words.iter().filter(secret).cloned().collect());
}

/// Hands a listener of the standard library to the runtime.
pub fn adopt(listener: std::net::TcpListener) -> TcpListener {
    listener
        .set_nonblocking(true)
        .expect("a socket to be polled");
    TcpListener::from_std(listener).expect("inside the runtime")
}
