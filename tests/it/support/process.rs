//! A child process whose output is collected and can be waited for.
//!
//! Nobody sleeps and nobody polls: a thread per stream hands over each line, and the end of a stream is an event too.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Lines kept of each stream; older ones are dropped, so that a chatty child cannot fill the memory.
const MAX_LINES: usize = 5_000;

/// All that a command which has ended wrote, to both streams.
pub fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The lines of one stream, shared between the thread that reads it and the test.
#[derive(Clone, Default)]
pub struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<String>,
    ended: bool,
}

impl Lines {
    fn collect(stream: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let writer = lines.clone();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader
                .read_until(b'\n', &mut line)
                .is_ok_and(|read| read > 0)
            {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                writer.change(|state| {
                    if state.lines.len() == MAX_LINES {
                        state.lines.pop_front();
                    }
                    state.lines.push_back(text);
                });
                line.clear();
            }
            writer.change(|state| state.ended = true);
        });
        lines
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(
            &mut self
                .0
                .state
                .lock()
                .expect("no test panics with the lock held"),
        );
        self.0.changed.notify_all();
    }

    /// The first line, already here or still to come, for which `pick` returns a value. `None` when the stream ends
    /// or the time is over before that.
    pub fn wait_for<T>(&self, limit: Duration, pick: impl Fn(&str) -> Option<T>) -> Option<T> {
        let state = self.0.state.lock().expect("lock");
        let found = |state: &State| state.lines.iter().find_map(|line| pick(line));
        let waiting = |state: &mut State| !state.ended && found(state).is_none();
        let (state, _) = self
            .0
            .changed
            .wait_timeout_while(state, limit, waiting)
            .expect("lock");
        found(&state)
    }

    /// Waits until the lines so far, of which old ones may be gone, are as wanted. `false` when they never are.
    pub fn wait_for_all(&self, limit: Duration, is_so: impl Fn(&VecDeque<String>) -> bool) -> bool {
        let state = self.0.state.lock().expect("lock");
        let waiting = |state: &mut State| !state.ended && !is_so(&state.lines);
        let (state, _) = self
            .0
            .changed
            .wait_timeout_while(state, limit, waiting)
            .expect("lock");
        is_so(&state.lines)
    }

    /// Waits until the child closes the stream. `false` when the time is over before that.
    pub fn wait_for_end(&self, limit: Duration) -> bool {
        let state = self.0.state.lock().expect("lock");
        let (state, _) = self
            .0
            .changed
            .wait_timeout_while(state, limit, |state| !state.ended)
            .expect("lock");
        state.ended
    }

    /// All lines so far.
    pub fn text(&self) -> String {
        let state = self.0.state.lock().expect("lock");
        state.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// A running child. Dropping it kills this child, and nothing else.
pub struct Process {
    name: String,
    child: Child,
    pub stdout: Lines,
    pub stderr: Lines,
}

impl Process {
    /// Starts `command` without standard input.
    pub fn start(mut command: Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{name} does not start: {error} (`make deps` installs what the tests need)")
            });
        let stdout = Lines::collect(child.stdout.take().expect("stdout is piped"));
        let stderr = Lines::collect(child.stderr.take().expect("stderr is piped"));
        Self {
            name,
            child,
            stdout,
            stderr,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop (SIGTERM) and waits. Panics with its output when it is still there after `limit`.
    pub fn stop(&mut self, limit: Duration) -> ExitStatus {
        self.signal("TERM");
        if !self.stdout.wait_for_end(limit) {
            panic!(
                "{} has not stopped {limit:?} after SIGTERM\n{}",
                self.name,
                self.output()
            );
        }
        self.child.wait().expect("a child can be waited for")
    }

    /// Ends it at once (SIGKILL), as a crash or a power cut would.
    pub fn kill(&mut self) -> ExitStatus {
        // The child may have ended by itself; then there is nothing to kill, and `wait` says how it ended.
        let _ended_already = self.child.kill();
        self.child.wait().expect("a child can be waited for")
    }

    /// Sends a signal by its name. The standard library only knows SIGKILL, and this project allows no `unsafe`.
    /// The child has not been waited for, so its id cannot belong to another process.
    pub fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", name, &self.id().to_string()])
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "cannot send {name} to {}",
            self.name
        );
    }

    /// Both streams so far, for the message of a failed test.
    pub fn output(&self) -> String {
        format!(
            "--- stdout of {0}\n{1}--- stderr of {0}\n{2}",
            self.name,
            self.stdout.text(),
            self.stderr.text()
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn lines_are_found_and_the_end_is_noticed() {
    let mut script = Command::new("sh");
    script.args(["-c", "echo one; echo two >&2; echo three"]);
    let process = Process::start(script);
    let limit = Duration::from_secs(20);
    let length_of = |wanted: &'static str| move |line: &str| (line == wanted).then_some(line.len());
    assert_eq!(process.stdout.wait_for(limit, length_of("three")), Some(5));
    assert_eq!(
        process.stdout.wait_for(limit, length_of("one")),
        Some(3),
        "earlier lines are still found"
    );
    assert_eq!(process.stdout.wait_for(limit, length_of("four")), None);
    assert_eq!(process.stderr.wait_for(limit, length_of("two")), Some(3));
    assert!(process.stdout.wait_for_end(limit));
    assert_eq!(process.stdout.text(), "one\nthree\n");
}
