//! The worker that the tests of the protocol talk with: one handler for each thing that a handler can do.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use stepwell::{json, FunctionHandler, StepContext, StepError, StepResult, Value, Worker};

fn main() -> ExitCode {
    let mut worker = Worker::new();
    worker.register("echo", echo);
    worker.register("fail", fail);
    worker.register("checkpoint", |context| {
        context.save_checkpoint(context.get_config("data").clone())?;
        Ok(json!({ "saved": true }))
    });
    worker.register("progress", |context| {
        context.progress(json!({ "done": 1, "of": 2 }));
        Ok(json!({}))
    });
    worker.register("log", |context| {
        context.log().info("one");
        context.log().warning("two");
        println!("three");
        Ok(json!({}))
    });
    worker.register("fetch", |context| {
        let step = context.get_config("step").as_str().unwrap_or("");
        Ok(json!({ "fetched": *context.get_dependency_result(step)? }))
    });
    worker.register("wait", |context| Err::<Value, _>(context.wait_for_cancellation()));
    let method = FunctionHandler::new("method", |_| Ok(json!({ "method": "call" })));
    worker.add(method.method("other", |_| Ok(json!({ "method": "other" }))));
    let metadata = FunctionHandler::new("metadata", |_| {
        Ok(StepResult::success(json!({ "ok": true })).with_metadata("rows", 3))
    });
    worker.add(metadata.version("2.1.0"));
    worker.register("large", |context| {
        let size = context.get_config("bytes").as_u64().unwrap_or(0);
        Ok(json!({ "text": "x".repeat(size as usize) }))
    });
    worker.register("deep", |context| {
        let levels = context.get_config("levels").as_u64().unwrap_or(0);
        Ok((0..levels).fold(Value::Null, |inner, _| json!([inner])))
    });
    worker.register("unicode", |context| Ok(context.input_data().clone()));
    worker.register("trace", |context| {
        Ok(json!({ "traceparent": context.traceparent() }))
    });
    worker.register("slow", |context| {
        let file = context.get_config("file").as_str().unwrap_or("");
        while !Path::new(file).exists() {
            context.sleep(Duration::from_millis(10))?;
        }
        Ok(json!({}))
    });
    worker.concurrency(4);
    worker.main()
}

fn echo(context: &StepContext) -> Result<Value, StepError> {
    let deadline = context
        .deadline()
        .and_then(|end| end.duration_since(std::time::UNIX_EPOCH).ok());
    Ok(json!({
        "input": context.input_data(),
        "config": context.step_config(),
        "dependencies": context.near_results()?,
        "attempt": context.attempt(),
        "idempotency_key": context.idempotency_key(),
        "checkpoint": *context.checkpoint(),
        "deadline": deadline.map(|time| time.as_millis() as u64),
    }))
}

fn fail(context: &StepContext) -> Result<StepResult, StepError> {
    let text = |name: &str| context.get_config(name).as_str();
    let message = text("message").unwrap_or("failed");
    let kind = text("kind").unwrap_or("retryable");
    let mut error = match kind {
        "crash" => panic!("{}", message),
        "permanent" => StepError::permanent(message),
        "validation" => StepError::validation(message),
        "returned" => StepError::handler(message),
        _ => StepError::retryable(message),
    };
    if let Some(error_type) = text("error_type") {
        error = error.with_type(error_type);
    }
    if let Some(code) = text("error_code") {
        error = error.with_code(code);
    }
    if let Some(is_retryable) = context.get_config("retryable").as_bool() {
        error = error.with_retryable(is_retryable);
    }
    if let Some(wait) = context.get_config("retry_after_ms").as_u64() {
        error = error.with_retry_after(Duration::from_millis(wait));
    }
    if kind == "returned" {
        Ok(StepResult::failure(error))
    } else {
        Err(error)
    }
}
