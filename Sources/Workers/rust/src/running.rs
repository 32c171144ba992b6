//! From a handler to a [`StepResult`], whatever the handler does.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{catch_unwind, set_hook, take_hook, AssertUnwindSafe};
use std::sync::Once;

use crate::{StepContext, StepError, StepHandler, StepResult};

static HOOK: Once = Once::new();

thread_local! {
    /// Some while a handler runs in this thread; then where it has panicked.
    static PLACE: RefCell<Option<String>> = RefCell::new(None);
}

/// Runs one attempt. A panic becomes a retryable failure with the place as its backtrace.
pub(crate) fn run(handler: &dyn StepHandler, context: &StepContext) -> StepResult {
    HOOK.call_once(watch_panics);
    let before = PLACE.with(|place| place.replace(Some(String::new())));
    let outcome = catch_unwind(AssertUnwindSafe(|| handler.dispatch(context.method(), context)));
    let place = PLACE.with(|place| place.replace(before)).unwrap_or_default();
    match outcome {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => StepResult::failure(error),
        Err(payload) => {
            let error = StepError::handler(words(&*payload)).with_metadata("exception_type", "panic");
            // A payload may panic once more when it is dropped.
            std::mem::forget(payload);
            StepResult::failure(error.with_backtrace(place))
        }
    }
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panic")
        .to_string()
}

/// Panics of handlers are reported as failures; the usual words on standard error come only with RUST_BACKTRACE.
fn watch_panics() {
    let usual = take_hook();
    let is_loud = std::env::var_os("RUST_BACKTRACE").map_or(false, |value| value != "0");
    set_hook(Box::new(move |info| {
        let place = info
            .location()
            .map(|place| format!("panicked at {place}"))
            .unwrap_or_default();
        let is_handler = PLACE.with(|known| match &mut *known.borrow_mut() {
            Some(known) => {
                *known = place;
                true
            }
            None => false,
        });
        if is_loud || !is_handler {
            usual(info);
        }
    }));
}
