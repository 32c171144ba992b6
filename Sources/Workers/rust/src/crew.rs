//! The threads that run attempts, and the books on what runs.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::attempt::{Attempt, Limits};
use crate::ending::{ending, stopped};
use crate::engine::CancelReason;
use crate::message::Message;
use crate::outbox::{Letter, Outbox};
use crate::remote::End;
use crate::running::run;
use crate::{StepContext, StepError, StepHandler, StepResult};

/// Handlers by name.
pub(crate) type Handlers = HashMap<String, Arc<dyn StepHandler>>;

struct Job {
    attempt: Arc<Attempt>,
    text: String,
}

#[derive(Default)]
struct Work {
    jobs: VecDeque<Job>,
    idle: usize,
    threads: usize,
}

/// What runs, and whether it is to end.
#[derive(Default)]
pub(crate) struct Books {
    running: HashMap<u64, Arc<Attempt>>,
    limits: Limits,
    /// No further attempts are wanted.
    pub is_draining: bool,
    /// Attempts that still come are not begun.
    is_refusing: bool,
    /// The engine knows that no further attempts are wanted.
    pub is_told: bool,
    /// How the session with a server has ended.
    pub session_end: Option<End>,
}

impl Books {
    /// Whether all is done that is to be done.
    pub fn is_done(&self) -> bool {
        self.is_draining && self.is_told && self.running.is_empty()
    }
}

/// Runs handlers in threads, at most `concurrency` of them, which are started when they are needed.
pub(crate) struct Crew {
    handlers: Handlers,
    pub concurrency: usize,
    pub outbox: Arc<Outbox>,
    books: Mutex<Books>,
    changed: Condvar,
    work: Mutex<Work>,
    available: Condvar,
}

impl Crew {
    pub fn new(handlers: Handlers, concurrency: usize) -> Arc<Crew> {
        Arc::new(Crew {
            handlers,
            concurrency,
            outbox: Arc::new(Outbox::new()),
            books: Mutex::new(Books::default()),
            changed: Condvar::new(),
            work: Mutex::new(Work::default()),
            available: Condvar::new(),
        })
    }

    /// Takes messages of the engine. An error says what is wrong with one of them; all others were taken.
    pub fn take<'a>(
        self: &Arc<Self>,
        texts: impl Iterator<Item = &'a str>,
        session: u64,
    ) -> Result<(), String> {
        let mut jobs = Vec::new();
        let mut fault = None;
        for text in texts {
            match self.take_one(text, session) {
                Ok(job) => jobs.extend(job),
                Err(error) => fault = Some(error),
            }
        }
        self.begin(jobs);
        fault.map_or(Ok(()), Err)
    }

    fn take_one(&self, text: &str, session: u64) -> Result<Option<Job>, String> {
        let message = Message::read(text)?;
        match message.text("type")?.as_str() {
            "attempt" => {
                let lease = message.integer("lease")?;
                let mut books = self.books();
                if books.is_refusing {
                    return Ok(None);
                }
                let attempt = Arc::new(Attempt::new(lease, session, books.limits, self.outbox.clone()));
                books.running.insert(lease, attempt.clone());
                return Ok(Some(Job {
                    attempt,
                    text: text.to_string(),
                }));
            }
            "cancel" => {
                let reason = message.text("reason").unwrap_or_default();
                if let Some(attempt) = self.attempt(&message)? {
                    attempt.cancel(CancelReason::named(&reason));
                }
            }
            kind @ ("fetched" | "checkpointed") => {
                // Without one it has ended meanwhile.
                if let Some(attempt) = self.attempt(&message)? {
                    attempt.answer(kind, &message)?;
                }
            }
            "welcome" => {
                let size = |name| {
                    message
                        .integer(name)
                        .map(|size| usize::try_from(size).unwrap_or(usize::MAX))
                };
                let limits = Limits {
                    result_bytes_max: size("result_bytes_max")?,
                    line_bytes_max: size("line_bytes_max")?,
                };
                self.books().limits = limits;
            }
            "drain" => self.note(|books| {
                books.is_draining = true;
                books.is_told = true;
            }),
            _ => {}
        }
        Ok(None)
    }

    fn attempt(&self, message: &Message<'_>) -> Result<Option<Arc<Attempt>>, String> {
        Ok(self.books().running.get(&message.integer("lease")?).cloned())
    }

    /// Changes the books and lets everybody know who waits for a change.
    pub fn note(&self, change: impl FnOnce(&mut Books)) {
        change(&mut self.books());
        self.changed.notify_all();
    }

    /// Finishes what runs and begins nothing more.
    pub fn refuse(&self) {
        self.note(|books| {
            books.is_draining = true;
            books.is_told = true;
            books.is_refusing = true;
        });
    }

    /// Whether no further attempts are wanted.
    pub fn is_draining(&self) -> bool {
        self.books().is_draining
    }

    /// Whether the engine knows it.
    pub fn is_told(&self) -> bool {
        self.books().is_told
    }

    /// Tells all handlers to stop: their attempts run elsewhere.
    pub fn lose_all(&self) {
        let running: Vec<Arc<Attempt>> = self.books().running.values().cloned().collect();
        for attempt in running {
            attempt.cancel(CancelReason::Lost);
        }
    }

    /// Waits until `wanted` finds something in the books.
    pub fn wait<T>(&self, mut wanted: impl FnMut(&mut Books) -> Option<T>) -> T {
        loop {
            if let Some(found) = self.wait_until(None, &mut wanted) {
                return found;
            }
        }
    }

    /// Waits for at most so long.
    pub fn wait_for<T>(&self, limit: Duration, mut wanted: impl FnMut(&mut Books) -> Option<T>) -> Option<T> {
        self.wait_until(Instant::now().checked_add(limit), &mut wanted)
    }

    fn wait_until<T>(
        &self,
        end: Option<Instant>,
        wanted: &mut dyn FnMut(&mut Books) -> Option<T>,
    ) -> Option<T> {
        let mut books = self.books();
        loop {
            if let Some(found) = wanted(&mut books) {
                return Some(found);
            }
            books = match end {
                None => self.changed.wait(books).unwrap_or_else(PoisonError::into_inner),
                Some(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    self.changed
                        .wait_timeout(books, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.jobs.extend(jobs);
        self.wake_one(&mut work);
    }

    /// One thread is woken or started for what waits; it does the same for the next one if more waits.
    fn wake_one(self: &Arc<Self>, work: &mut Work) {
        if work.idle > 0 {
            self.available.notify_one();
        } else if work.threads < self.concurrency {
            let crew = self.clone();
            let name = format!("stepwell-{}", work.threads + 1);
            let started = std::thread::Builder::new().name(name).spawn(move || crew.serve());
            match started {
                Ok(_) => work.threads += 1,
                Err(error) if work.threads == 0 => {
                    eprintln!("stepwell: cannot start a thread: {error}");
                    std::process::exit(1);
                }
                // Those that are there do the work.
                Err(_) => {}
            }
        }
    }

    fn serve(self: Arc<Self>) {
        loop {
            let job = self.next();
            let text = self.perform(&job);
            let attempt = job.attempt;
            attempt.close();
            self.outbox.push(Letter {
                session: attempt.session,
                is_last: true,
                text,
            });
            let mut books = self.books();
            books.running.remove(&attempt.lease);
            if books.is_draining {
                drop(books);
                self.changed.notify_all();
            }
        }
    }

    fn next(self: &Arc<Self>) -> Job {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = work.jobs.pop_front() {
                if !work.jobs.is_empty() {
                    self.wake_one(&mut work);
                }
                return job;
            }
            work.idle += 1;
            work = self.available.wait(work).unwrap_or_else(PoisonError::into_inner);
            work.idle -= 1;
        }
    }

    /// The message that ends the attempt.
    fn perform(&self, job: &Job) -> String {
        let attempt = &job.attempt;
        let context =
            match Message::read(&job.text).and_then(|message| StepContext::read(&message, attempt.clone())) {
                Ok(context) => context,
                Err(fault) => {
                    let error = StepError::permanent(format!("cannot read the attempt: {fault}"));
                    return ending(attempt.lease, StepResult::failure(error), attempt.limits);
                }
            };
        let result = match self.handlers.get(context.handler_name()) {
            Some(handler) => run(&**handler, &context),
            None => StepResult::failure(StepError::permanent(format!(
                "this worker has no handler {}",
                context.handler_name()
            ))),
        };
        let is_cancelled = crate::engine::Engine::cancellation(&**attempt).is_some();
        match result.error() {
            Some(error) if error.is_cancelled() && is_cancelled => stopped(attempt.lease),
            _ => ending(attempt.lease, result, attempt.limits),
        }
    }
}
