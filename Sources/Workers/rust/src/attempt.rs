//! One running of one attempt: its conversation with the engine, and its end by `cancel`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::engine::{CancelReason, Engine, Level};
use crate::message::{cut, is_too_deep, opened, quoted, Message, LEVELS_MAX};
use crate::outbox::{Letter, Outbox};
use crate::StepError;

/// A longer line of the log is cut into several.
const LINE_BYTES_MAX: usize = 1 << 16;

static QUESTIONS: AtomicU64 = AtomicU64::new(1);

/// What the engine accepts, from `welcome`.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub result_bytes_max: usize,
    pub line_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            result_bytes_max: 16 << 20,
            line_bytes_max: 64 << 20,
        }
    }
}

enum Answer {
    Checkpointed(Result<(), String>),
    Fetched(u64, Result<Value, String>),
}

struct State {
    cancellation: Option<CancelReason>,
    is_closed: bool,
    answers: VecDeque<Answer>,
}

/// The engine's side of a `StepContext`; `lease` names it in every message.
pub(crate) struct Attempt {
    pub lease: u64,
    /// The session that it was given out in.
    pub session: u64,
    pub limits: Limits,
    outbox: Arc<Outbox>,
    state: Mutex<State>,
    changed: Condvar,
    /// Checkpoints are answered without a number, so one at a time.
    checkpointing: Mutex<()>,
}

impl Attempt {
    pub fn new(lease: u64, session: u64, limits: Limits, outbox: Arc<Outbox>) -> Attempt {
        Attempt {
            lease,
            session,
            limits,
            outbox,
            state: Mutex::new(State {
                cancellation: None,
                is_closed: false,
                answers: VecDeque::new(),
            }),
            changed: Condvar::new(),
            checkpointing: Mutex::new(()),
        }
    }

    /// Asks the handler to stop.
    pub fn cancel(&self, reason: CancelReason) {
        let mut state = self.lock();
        if state.cancellation.is_none() {
            state.cancellation = Some(reason);
            self.changed.notify_all();
            drop(state);
            self.outbox.wake();
        }
    }

    /// Hands over `fetched` or `checkpointed`.
    pub fn answer(&self, kind: &str, message: &Message<'_>) -> Result<(), String> {
        let refusal = message.get("error").map(|_| message.text("error")).transpose()?;
        let answer = if kind == "checkpointed" {
            Answer::Checkpointed(refusal.map_or(Ok(()), Err))
        } else {
            let result = match refusal {
                Some(words) => Err(words),
                None => {
                    let text = message.raw("result").ok_or("'result' is missing")?.get();
                    serde_json::from_str(text).map_err(|error| error.to_string())
                }
            };
            Answer::Fetched(message.integer("id")?, result)
        };
        self.lock().answers.push_back(answer);
        self.changed.notify_all();
        Ok(())
    }

    /// After this nothing more is said about the attempt.
    pub fn close(&self) {
        self.lock().is_closed = true;
    }

    fn say(&self, text: String) {
        self.outbox.push(Letter {
            session: self.session,
            is_last: false,
            text,
        });
    }

    /// Says what may be left out, when there is room for it.
    fn mention(&self, text: String) {
        let letter = Letter {
            session: self.session,
            is_last: false,
            text,
        };
        self.outbox
            .push_patiently(letter, || self.cancellation().is_some());
    }

    fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Waits for the answer that `wanted` takes.
    fn await_answer<T>(&self, wanted: impl Fn(&Answer) -> Option<T>) -> Result<T, StepError> {
        let mut state = self.lock();
        loop {
            let found = state
                .answers
                .iter()
                .enumerate()
                .find_map(|(place, answer)| Some((place, wanted(answer)?)));
            if let Some((place, value)) = found {
                state.answers.remove(place);
                return Ok(value);
            }
            if state.cancellation.is_some() {
                return Err(StepError::cancelled());
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for Attempt {
    fn cancellation(&self) -> Option<CancelReason> {
        self.lock().cancellation
    }

    fn wait_for_cancellation(&self, limit: Option<Duration>) -> Option<CancelReason> {
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut state = self.lock();
        loop {
            if state.cancellation.is_some() {
                return state.cancellation;
            }
            state = match end {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    self.changed
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }

    fn fetch(&self, step: &str) -> Result<Value, StepError> {
        let number = QUESTIONS.fetch_add(1, Ordering::Relaxed);
        let question = opened("fetch", self.lease);
        self.say(format!("{question},\"id\":{number},\"step\":{}}}", quoted(step)));
        let reply = self.await_answer(|answer| match answer {
            Answer::Fetched(id, result) if *id == number => Some(result.clone()),
            _ => None,
        })?;
        reply.map_err(|words| StepError::retryable(format!("cannot have the result of step {step}: {words}")))
    }

    fn save_checkpoint(&self, data: &Value) -> Result<(), StepError> {
        if is_too_deep(data) {
            let text = format!("the checkpoint is nested deeper than {LEVELS_MAX} levels");
            return Err(StepError::permanent(text));
        }
        let body = data.to_string();
        let limit = self.limits.result_bytes_max;
        if body.len() > limit {
            let text = format!("the checkpoint is {} bytes; the limit is {limit}", body.len());
            return Err(StepError::permanent(text));
        }
        let _turn = self.checkpointing.lock().unwrap_or_else(PoisonError::into_inner);
        self.say(format!("{},\"data\":{body}}}", opened("checkpoint", self.lease)));
        let reply = self.await_answer(|answer| match answer {
            Answer::Checkpointed(reply) => Some(reply.clone()),
            Answer::Fetched(..) => None,
        })?;
        reply.map_err(|words| StepError::retryable(format!("checkpoint refused: {words}")))
    }

    fn heartbeat(&self, progress: Option<&Value>) {
        if self.is_closed() {
            return;
        }
        let mut line = opened("heartbeat", self.lease);
        let body = progress
            .filter(|progress| !is_too_deep(progress))
            .map(Value::to_string)
            .filter(|body| body.len() <= self.limits.result_bytes_max);
        if let Some(body) = body {
            line = format!("{line},\"progress\":{body}");
        }
        self.mention(line + "}");
    }

    fn log(&self, level: Level, text: &str) {
        if self.is_closed() {
            eprintln!("{text}");
            return;
        }
        for mut rest in text.split('\n') {
            loop {
                let line = cut(rest, LINE_BYTES_MAX);
                let message = opened("log", self.lease);
                self.mention(format!(
                    "{message},\"level\":\"{level}\",\"text\":{}}}",
                    quoted(line)
                ));
                rest = &rest[line.len()..];
                if rest.is_empty() {
                    break;
                }
            }
        }
    }
}
