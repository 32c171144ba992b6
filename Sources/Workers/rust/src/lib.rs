//! Write the steps of a Stepwell workflow in Rust.
//!
//! - [`Worker`] is the program that runs handlers, [`StepHandler`] what they are, [`StepContext`] what they are given.
//! - [`Client`] submits tasks and follows them.
//! - [`testing`] runs a handler, or a whole template, without an engine.
//!
//! Handlers run in threads. They are told of a cancellation and stop by themselves: see [`StepContext::check`].
//! Standard output belongs to the protocol; what a handler prints goes to standard error, and [`StepContext::log`]
//! writes to the step's log.
#![deny(missing_docs, unsafe_code, warnings)]

mod answers;
mod attempt;
mod backoff;
mod client;
mod context;
mod crew;
mod delivery;
mod ending;
mod engine;
mod error;
mod handler;
pub mod http;
mod message;
mod new_task;
mod options;
mod outbox;
mod problem;
mod remote;
mod result;
mod running;
mod stdio;
mod system;
pub mod testing;
mod worker;

pub use answers::{CreatedTask, Step, Task, TaskList, Template};
pub use client::{
    BulkAction, BulkOptions, BulkOutcome, BulkTask, Client, ClientError, Difference, DrawingFormat,
    EventPage, Explanation, Finding, ForkOptions, Limit, LimitScope, LogFilter, LogLine, LogPage, NewLimit,
    NewWebhook, Plan, PruneOptions, Pruned, Statistics, TaskerClient, Validation, Webhook, WorkerInfo,
};
pub use context::{StepContext, StepLog};
pub use engine::{CancelReason, Level};
pub use error::{StepError, TaskerError};
pub use handler::{no_method, FunctionHandler, Outcome, StepHandler};
pub use new_task::{NewTask, TaskFilter};
pub use problem::Problem;
pub use result::StepResult;
pub use serde_json::{json, Map, Value};
pub use worker::Worker;

/// The README's code is compiled with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
