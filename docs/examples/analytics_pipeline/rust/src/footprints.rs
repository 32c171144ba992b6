//! What the example's tests want to see of a handler: that it began, that it ended, and slowness.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::time::Duration;

use stepwell::{StepContext, StepError, Value, Worker};

type Handler = fn(&StepContext) -> Result<Value, StepError>;

/// Adds a handler that leaves `start STEP ATTEMPT` and `end STEP ATTEMPT` in the file that STEP_COUNTER_FILE names.
/// STEP_DELAY_MS makes every step take that much longer, for demonstrations.
pub fn register(worker: &mut Worker, name: &str, handler: Handler) {
    worker.register(format!("data_pipeline.{name}"), move |context| {
        leave("start", context)?;
        if let Ok(delay) = std::env::var("STEP_DELAY_MS") {
            context.sleep(Duration::from_millis(delay.parse()?))?;
        }
        let result = handler(context)?;
        leave("end", context)?;
        Ok(result)
    });
}

fn leave(what: &str, context: &StepContext) -> io::Result<()> {
    let path = match std::env::var_os("STEP_COUNTER_FILE") {
        Some(path) => path,
        None => return Ok(()),
    };
    let line = format!("{what} {} {}\n", context.step_name(), context.attempt());
    // One write, so that lines of several processes do not mix.
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)?
        .write_all(line.as_bytes())
}
