//! Sending requests: [`Http`].

use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::address::Place;
use super::{Address, Response};

/// Why there is no answer.
#[derive(Debug)]
pub struct Error {
    /// What went wrong, with the address.
    pub message: String,
    /// Whether it took too long.
    pub is_timeout: bool,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Sends requests to one server, one after the other, over a connection that is kept.
pub struct Http {
    address: Address,
    headers: String,
    connection: Option<BufReader<Timed>>,
    interrupter: Interrupter,
}

impl Http {
    /// Connects when it is first needed.
    pub fn new(address: Address) -> Http {
        Http {
            address,
            headers: String::new(),
            connection: None,
            interrupter: Interrupter::default(),
        }
    }

    /// One more header for every request. An error when it holds what no header may hold.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Http, String> {
        let is_token = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_token || value.chars().any(char::is_control) {
            return Err(format!(
                "the header {name} holds a character that no header may hold"
            ));
        }
        self.headers += &format!("{name}: {value}\r\n");
        Ok(self)
    }

    /// Where it connects to.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Lets `interrupter` break its requests.
    pub(crate) fn with_interrupter(mut self, interrupter: Interrupter) -> Http {
        self.interrupter = interrupter;
        self
    }

    pub(crate) fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// `GET path`; the path begins with `/`. `limit` is for all of it, from connecting to the answer's last byte.
    pub fn get(&mut self, path: &str, limit: Duration) -> Result<Response, Error> {
        self.request("GET", path, None, limit)
    }

    /// `POST path` with a JSON body.
    pub fn post(&mut self, path: &str, body: &[u8], limit: Duration) -> Result<Response, Error> {
        self.request("POST", path, Some(body), limit)
    }

    /// Any request; the body, if there is one, is JSON.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&[u8]>,
        limit: Duration,
    ) -> Result<Response, Error> {
        self.send(method, path, body.map(|body| (body, "application/json")), limit)
    }

    /// Any request; the body, if there is one, with its content type.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        body: Option<(&[u8], &str)>,
        limit: Duration,
    ) -> Result<Response, Error> {
        let end = Instant::now() + limit;
        let Address { prefix, host, .. } = &self.address;
        let mut bytes = format!(
            "{method} {prefix}{path} HTTP/1.1\r\nHost: {host}\r\n{}",
            self.headers
        )
        .into_bytes();
        if let Some((body, kind)) = body {
            let head = format!("Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
            bytes.extend_from_slice(head.as_bytes());
            bytes.extend_from_slice(body);
        } else {
            bytes.extend_from_slice(b"\r\n");
        }
        let outcome = self.exchange(&bytes, end);
        outcome.map_err(|error| {
            self.connection = None;
            // A time limit of a socket is told as "would block".
            let is_timeout = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
            let words = if is_timeout {
                "it took too long".to_string()
            } else {
                words(&error)
            };
            Error {
                message: format!("{method} {}{path}: {words}", self.address),
                is_timeout,
            }
        })
    }

    fn exchange(&mut self, bytes: &[u8], end: Instant) -> io::Result<Response> {
        let kept = self
            .connection
            .take()
            .filter(|connection| connection.get_ref().is_fresh());
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.connect(end)?,
        };
        connection.get_mut().end = end;
        connection.get_mut().write_all(bytes)?;
        let (response, is_old) = Response::read(&mut connection)?;
        if response.keeps_connection(is_old) && connection.buffer().is_empty() {
            self.connection = Some(connection);
        }
        Ok(response)
    }

    fn connect(&self, end: Instant) -> io::Result<BufReader<Timed>> {
        let stream = match &self.address.place {
            Place::Tcp(host, port) => Stream::Tcp(connect(host, *port, end)?),
            Place::Unix(path) => Stream::Unix(UnixStream::connect(path)?),
        };
        self.interrupter.watch(&stream)?;
        Ok(BufReader::with_capacity(64 << 10, Timed { stream, end }))
    }
}

fn connect(host: &str, port: u16, end: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left(end)?) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The time until then, which is never nothing.
fn left(end: Instant) -> io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(left)
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the connection broke".to_string(),
        _ => error.to_string(),
    }
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn try_clone(&self) -> io::Result<Stream> {
        Ok(match self {
            Stream::Tcp(stream) => Stream::Tcp(stream.try_clone()?),
            Stream::Unix(stream) => Stream::Unix(stream.try_clone()?),
        })
    }

    fn shut_down(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Both),
        }
    }

    fn set_nonblocking(&self, is_on: bool) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_nonblocking(is_on),
            Stream::Unix(stream) => stream.set_nonblocking(is_on),
        }
    }
}

/// A stream whose reads and writes are over at a moment.
struct Timed {
    stream: Stream,
    end: Instant,
}

impl Timed {
    /// Whether a kept connection is still open, with nothing to read on it.
    fn is_fresh(&self) -> bool {
        if self.stream.set_nonblocking(true).is_err() {
            return false;
        }
        let mut byte = [0];
        let read = match &self.stream {
            Stream::Tcp(stream) => (&*stream).read(&mut byte),
            Stream::Unix(stream) => (&*stream).read(&mut byte),
        };
        let is_quiet = matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        self.stream.set_nonblocking(false).is_ok() && is_quiet
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = Some(left(self.end)?);
        match &mut self.stream {
            Stream::Tcp(stream) => stream.set_read_timeout(limit).and_then(|_| stream.read(buffer)),
            Stream::Unix(stream) => stream.set_read_timeout(limit).and_then(|_| stream.read(buffer)),
        }
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let limit = Some(left(self.end)?);
        match &mut self.stream {
            Stream::Tcp(stream) => stream.set_write_timeout(limit).and_then(|_| stream.write(bytes)),
            Stream::Unix(stream) => stream.set_write_timeout(limit).and_then(|_| stream.write(bytes)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Ends a request that another thread waits for, and its connection.
#[derive(Clone, Default)]
pub(crate) struct Interrupter(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    stream: Option<Stream>,
    is_pending: bool,
}

impl Interrupter {
    /// Breaks the connection; when there is none yet, the next one.
    pub fn interrupt(&self) {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match watched.stream.take() {
            // One that is closed already cannot be shut down.
            Some(stream) => drop(stream.shut_down()),
            None => watched.is_pending = true,
        }
    }

    /// Forgets what was to be broken.
    pub fn calm(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Watched::default();
    }

    fn watch(&self, stream: &Stream) -> io::Result<()> {
        let copy = stream.try_clone()?;
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut watched.is_pending) {
            return Err(io::Error::new(io::ErrorKind::Other, "interrupted"));
        }
        watched.stream = Some(copy);
        Ok(())
    }
}
