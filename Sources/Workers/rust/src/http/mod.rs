//! A small HTTP/1.1 client over TCP and Unix sockets, with one connection that is kept.
//!
//! It knows what the worker and the client need: `Content-Length` and chunked bodies, time limits, and connections that
//! are used again. It does not know TLS, proxies, redirects or compression.

mod address;
mod connection;
mod response;

pub use address::Address;
pub(crate) use connection::Interrupter;
pub use connection::{Error, Http};
pub use response::Response;
