//! The carrier for a worker elsewhere: HTTP long poll.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use crate::backoff::Backoff;
use crate::crew::Crew;
use crate::delivery::Deliverer;
use crate::http::{Address, Http, Interrupter, Response};
use crate::message::Message;
use crate::outbox::Letter;
use crate::problem::Problem;
use crate::system::Signals;

/// The worker speaks another version than the server.
const STATUS_PROTOCOL: u8 = 76;
/// The worker is not let in.
const STATUS_NOT_ALLOWED: u8 = 77;
const REGISTER_LIMIT: Duration = Duration::from_secs(20);
/// What a request may take beyond the wait that it asks for.
const PATIENCE: Duration = Duration::from_secs(10);
/// A session that was shorter is followed by the next one only after a wait.
const SHORT_SESSION: Duration = Duration::from_secs(1);

/// What the last words of a worker that leaves may take. A server that is gone may not come back.
const FAREWELL: Duration = Duration::from_secs(5);

/// How to reach the server.
pub(crate) struct Server {
    pub address: Address,
    pub token: Option<String>,
}

impl Server {
    pub fn connect(&self) -> Result<Http, String> {
        let http = Http::new(self.address.clone());
        match &self.token {
            Some(token) => http.with_header("Authorization", &format!("Bearer {token}")),
            None => Ok(http),
        }
    }
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All was done and told.
    Drained,
    /// The server does not know the session any more.
    Lost,
    /// The worker must end with this status.
    Fatal(u8),
}

/// One registration.
pub(crate) struct Session {
    pub crew: Arc<Crew>,
    /// Counts this worker's registrations, from 1.
    pub number: u64,
    pub id: String,
    pub poll_max: Duration,
    is_over: AtomicBool,
}

impl Session {
    /// Ends the session; the first end counts.
    pub fn end(&self, end: End) {
        if !self.is_over.swap(true, Ordering::SeqCst) {
            self.crew.note(|books| books.session_end = Some(end));
        }
    }

    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// How long a request may take.
    pub fn limit(&self) -> Duration {
        self.poll_max + PATIENCE
    }

    /// Waits before the next try, but no longer than the session lasts.
    pub fn pause(&self, wait: Duration) {
        self.crew.wait_for(wait, |_| self.is_over().then(|| ()));
    }

    /// What an answer other than 200 means: the wait before another try, or the end of the session.
    pub fn judge(&self, problem: &Problem, backoff: &mut Backoff) {
        match problem.status {
            404 => self.end(End::Lost),
            400 => {
                eprintln!("stepwell: the server ends the session: {problem}");
                self.end(End::Lost);
            }
            _ => match fatal(problem) {
                Some(status) => {
                    eprintln!("stepwell: {problem}");
                    self.end(End::Fatal(status));
                }
                None => self.pause(backoff.next(problem.retry_after)),
            },
        }
    }
}

/// The status to end with after an answer that no repetition makes better.
fn fatal(problem: &Problem) -> Option<u8> {
    match problem.status {
        401 | 403 => Some(STATUS_NOT_ALLOWED),
        409 => Some(STATUS_PROTOCOL),
        429 | 500..=599 => None,
        _ => Some(1),
    }
}

/// Works until the worker is drained; returns the status to exit with.
pub(crate) fn serve(crew: &Arc<Crew>, server: &Server, hello: &str) -> Result<u8, String> {
    let polling = Interrupter::default();
    watch_signals(crew.clone(), polling.clone())?;
    let mut http = server.connect()?;
    let mut backoff = Backoff::default();
    let mut number = 0;
    loop {
        let welcome = match register(crew, &mut http, hello, &mut backoff) {
            Ok(welcome) => welcome,
            Err(status) => return Ok(status),
        };
        number += 1;
        let began = Instant::now();
        let session = Arc::new(open(crew, &welcome, number)?);
        match work(&session, server, &polling)? {
            End::Drained => return Ok(0),
            End::Fatal(status) => return Ok(status),
            End::Lost => {
                crew.lose_all();
                if crew.is_draining() {
                    return Ok(0); // what was held runs elsewhere
                }
                if began.elapsed() < SHORT_SESSION {
                    crew.wait_for(backoff.next(None), |books| books.is_draining.then(|| ()));
                } else {
                    backoff.reset();
                }
            }
        }
    }
}

/// The first signal drains the worker, the second one ends it.
fn watch_signals(crew: Arc<Crew>, polling: Interrupter) -> Result<(), String> {
    let mut signals = Signals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    let watch = move || {
        while signals.next().is_ok() {
            if crew.is_draining() {
                std::process::exit(1);
            }
            crew.note(|books| books.is_draining = true);
            polling.interrupt();
        }
    };
    start("stepwell-signals", watch).map(drop)
}

fn start<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<thread::JoinHandle<T>, String> {
    let started = thread::Builder::new().name(name.to_string()).spawn(body);
    started.map_err(|error| format!("cannot start a thread: {error}"))
}

/// The text of `welcome`, or the status to exit with.
fn register(crew: &Crew, http: &mut Http, hello: &str, backoff: &mut Backoff) -> Result<Response, u8> {
    loop {
        if crew.is_draining() {
            return Err(0);
        }
        let wait = match http.post("/v1/workers", hello.as_bytes(), REGISTER_LIMIT) {
            Ok(response) if response.status == 201 || response.status == 200 => return Ok(response),
            Ok(response) => {
                let problem = Problem::read(&response);
                eprintln!("stepwell: the server does not take this worker: {problem}");
                if let Some(status) = fatal(&problem) {
                    return Err(status);
                }
                backoff.next(problem.retry_after)
            }
            Err(error) => {
                eprintln!("stepwell: {error}; trying again");
                backoff.next(None)
            }
        };
        crew.wait_for(wait, |books| books.is_draining.then(|| ()));
    }
}

fn open(crew: &Arc<Crew>, welcome: &Response, number: u64) -> Result<Session, String> {
    let text = welcome.text()?;
    crew.take(std::iter::once(text), number)?;
    let message = Message::read(text)?;
    crew.note(|books| books.session_end = None);
    Ok(Session {
        crew: crew.clone(),
        number,
        id: message.text("worker_id")?,
        poll_max: Duration::from_millis(message.integer("poll_ms_max")?),
        is_over: AtomicBool::new(false),
    })
}

/// Polls and delivers until the session ends.
fn work(session: &Arc<Session>, server: &Server, polling: &Interrupter) -> Result<End, String> {
    let crew = &session.crew;
    crew.outbox.open();
    let poll_http = server.connect()?.with_interrupter(polling.clone());
    let poller = {
        let session = session.clone();
        start("stepwell-poll", move || poll(&session, poll_http))?
    };
    let deliver_http = server.connect()?;
    let delivering = deliver_http.interrupter();
    let deliverer = {
        let session = session.clone();
        start("stepwell-deliver", move || {
            Deliverer::new(&session, deliver_http).run()
        })?
    };
    let end = crew.wait(|books| {
        books
            .session_end
            .take()
            .map(Some)
            .or_else(|| books.is_done().then(|| None))
    });
    let end = end.unwrap_or_else(|| {
        crew.outbox.push(Letter {
            session: 0,
            is_last: true,
            text: r#"{"type":"drained"}"#.into(),
        });
        crew.wait_for(FAREWELL, |books| books.session_end.take())
            .unwrap_or(End::Drained)
    });
    if end == End::Lost {
        crew.outbox.stop();
        polling.interrupt();
        delivering.interrupt();
        // Both end soon, since the session is over.
        let _ = (poller.join(), deliverer.join());
        polling.calm();
    }
    Ok(end)
}

/// Asks for attempts and news until the session is over.
fn poll(session: &Session, mut http: Http) {
    let crew = &session.crew;
    let path = format!("/v1/workers/{}/poll", session.id);
    let mut after = 0;
    let mut backoff = Backoff::default();
    while !session.is_over() {
        let is_draining = crew.is_draining();
        let is_told = crew.is_told();
        // The server counts what the worker holds, so a full one waits for a free place and for news with the same poll.
        let attempts_max = if is_draining { 0 } else { crew.concurrency };
        let wait = if is_draining && !is_told {
            0
        } else {
            session.poll_max.as_millis()
        };
        let body = format!(r#"{{"after":{after},"wait_ms":{wait},"attempts_max":{attempts_max}}}"#);
        match http.post(&path, body.as_bytes(), session.limit()) {
            Ok(response) if response.status == 200 => {
                backoff.reset();
                match read(&response) {
                    Ok((number, messages)) => {
                        after = number;
                        let texts = messages.iter().map(|raw| raw.get());
                        if let Err(fault) = crew.take(texts, session.number) {
                            eprintln!("stepwell: cannot read the server's message: {fault}");
                        }
                        if is_draining && !is_told {
                            crew.note(|books| books.is_told = true);
                        }
                    }
                    Err(fault) => {
                        eprintln!("stepwell: cannot read the server's answer: {fault}");
                        session.pause(backoff.next(None));
                    }
                }
            }
            Ok(response) => session.judge(&Problem::read(&response), &mut backoff),
            Err(_) if session.is_over() || (crew.is_draining() && !is_draining) => {}
            Err(_) => {
                if is_draining && !is_told {
                    // Without an answer no attempts come.
                    crew.note(|books| books.is_told = true);
                }
                session.pause(backoff.next(None));
            }
        }
    }
}

/// The number of an answer and its messages.
pub(crate) fn read(response: &Response) -> Result<(u64, Vec<&RawValue>), String> {
    let message = Message::read(response.text()?)?;
    let messages = message.required("messages", serde_json::from_str)?;
    Ok((
        message
            .get("number")
            .map_or(Ok(0), |_| message.integer("number"))?,
        messages,
    ))
}
