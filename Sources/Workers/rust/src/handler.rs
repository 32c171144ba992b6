//! What can be run: the trait [`StepHandler`], and closures by [`FunctionHandler`].

use std::collections::HashMap;

use crate::{StepContext, StepError, StepResult};

/// What a handler comes to.
pub type Outcome = Result<StepResult, StepError>;

/// The trait form of a handler. One object runs all attempts, several at the same time.
///
/// ```
/// use serde_json::json;
/// use stepwell::{StepContext, StepError, StepHandler, StepResult};
///
/// struct AddUp;
///
/// impl StepHandler for AddUp {
///     fn name(&self) -> &str {
///         "shop.add_up"
///     }
///
///     fn call(&self, context: &StepContext) -> Result<StepResult, StepError> {
///         let fetched = context.get_dependency_result("fetch")?;
///         let prices = fetched["prices"].as_array().ok_or_else(|| StepError::validation("no prices"))?;
///         let sum: i64 = prices.iter().filter_map(|price| price.as_i64()).sum();
///         Ok(StepResult::success(json!({ "sum": sum })))
///     }
/// }
/// ```
pub trait StepHandler: Send + Sync {
    /// The name that templates know it by: `handler.callable`.
    fn name(&self) -> &str;

    /// Its version, for the log.
    fn version(&self) -> &str {
        "1.0.0"
    }

    /// Does the step's work. An `Err` or a panic fails the attempt.
    fn call(&self, context: &StepContext) -> Outcome;

    /// Runs the method that the template names in `handler.method`; `call` unless it says otherwise.
    ///
    /// A handler with further methods overrides this, and hands what it does not know to [`no_method`].
    fn dispatch(&self, method: &str, context: &StepContext) -> Outcome {
        match method {
            "call" => self.call(context),
            _ => no_method(self.name(), method),
        }
    }
}

/// The permanent failure of a step whose template names a method that the handler does not have.
pub fn no_method(handler: &str, method: &str) -> Outcome {
    Err(StepError::permanent(format!(
        "handler {handler} has no method '{method}'"
    )))
}

type Function = Box<dyn Fn(&StepContext) -> Outcome + Send + Sync>;

/// A handler that is made of closures.
///
/// ```
/// use serde_json::json;
/// use stepwell::FunctionHandler;
///
/// let invoice = FunctionHandler::new("shop.invoice", |_| Ok(json!({ "form": "text" })))
///     .version("2.1.0")
///     .method("to_pdf", |_| Ok(json!({ "form": "pdf" })));
/// # let _ = invoice;
/// ```
pub struct FunctionHandler {
    name: String,
    version: String,
    methods: HashMap<String, Function>,
}

impl FunctionHandler {
    /// A handler of that name which calls `function`. It returns a JSON value or a [`StepResult`].
    pub fn new<F, R>(name: impl Into<String>, function: F) -> FunctionHandler
    where
        F: Fn(&StepContext) -> Result<R, StepError> + Send + Sync + 'static,
        R: Into<StepResult>,
    {
        let handler = FunctionHandler {
            name: name.into(),
            version: "1.0.0".to_string(),
            methods: HashMap::new(),
        };
        handler.method("call", function)
    }

    /// Another version than 1.0.0.
    pub fn version(mut self, version: impl Into<String>) -> FunctionHandler {
        self.version = version.into();
        self
    }

    /// One more method, for templates that name it in `handler.method`.
    pub fn method<F, R>(mut self, name: impl Into<String>, function: F) -> FunctionHandler
    where
        F: Fn(&StepContext) -> Result<R, StepError> + Send + Sync + 'static,
        R: Into<StepResult>,
    {
        self.methods.insert(
            name.into(),
            Box::new(move |context| function(context).map(Into::into)),
        );
        self
    }
}

impl StepHandler for FunctionHandler {
    fn name(&self) -> &str {
        &self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn call(&self, context: &StepContext) -> Outcome {
        self.dispatch("call", context)
    }

    fn dispatch(&self, method: &str, context: &StepContext) -> Outcome {
        match self.methods.get(method) {
            Some(function) => function(context),
            None => no_method(&self.name, method),
        }
    }
}
