//! The program that runs handlers: [`Worker`].

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;

use crate::crew::{Crew, Handlers};
use crate::handler::FunctionHandler;
use crate::http::Address;
use crate::options::{Command, Options, CONCURRENCY, HELP};
use crate::remote::Server;
use crate::{remote, stdio, StepContext, StepError, StepHandler, StepResult};

/// A table of handlers, and the program around it.
///
/// ```no_run
/// use serde_json::json;
/// use stepwell::Worker;
///
/// fn main() -> std::process::ExitCode {
///     let mut worker = Worker::new();
///     worker.register("shop.fetch_prices", |context| {
///         Ok(json!({ "prices": [3, 4], "currency": context.get_input("currency") }))
///     });
///     worker.main()
/// }
/// ```
pub struct Worker {
    handlers: Vec<Arc<dyn StepHandler>>,
    concurrency: usize,
}

impl Default for Worker {
    fn default() -> Worker {
        Worker::new()
    }
}

impl Worker {
    /// A worker without handlers.
    pub fn new() -> Worker {
        Worker {
            handlers: Vec::new(),
            concurrency: CONCURRENCY,
        }
    }

    /// Adds a handler: an object of the trait form, or a [`FunctionHandler`].
    pub fn add(&mut self, handler: impl StepHandler + 'static) -> &mut Worker {
        self.handlers.push(Arc::new(handler));
        self
    }

    /// Adds a closure that returns a JSON value or a [`StepResult`].
    pub fn register<F, R>(&mut self, name: impl Into<String>, function: F) -> &mut Worker
    where
        F: Fn(&StepContext) -> Result<R, StepError> + Send + Sync + 'static,
        R: Into<StepResult>,
    {
        self.add(FunctionHandler::new(name, function))
    }

    /// How many attempts run at the same time when the command line does not say it; 8 without this call.
    pub fn concurrency(&mut self, count: usize) -> &mut Worker {
        self.concurrency = count.clamp(1, 1000);
        self
    }

    /// The handler of a name, for tests.
    pub fn handler(&self, name: &str) -> Option<&dyn StepHandler> {
        self.handlers
            .iter()
            .find(|handler| handler.name() == name)
            .map(|handler| &**handler)
    }

    /// Runs the program that the command line and the environment ask for; `--help` explains it.
    ///
    /// With STEPWELL_WORKER=1, which the engine sets, it speaks with the engine on standard input and output. Otherwise
    /// it works for the server that `--server` or STEPWELL_URL names.
    pub fn main(self) -> ExitCode {
        let outcome =
            Options::read(std::env::args().skip(1), self.concurrency).and_then(|options| self.run(options));
        ExitCode::from(outcome.unwrap_or_else(|fault| {
            eprintln!("stepwell: {fault}");
            2
        }))
    }

    fn run(self, options: Options) -> Result<u8, String> {
        match options.command {
            Command::Help => println!("{HELP}"),
            Command::List => {
                self.table()?;
                let mut lines: Vec<(&str, &str)> = self
                    .handlers
                    .iter()
                    .map(|handler| (handler.name(), handler.version()))
                    .collect();
                lines.sort_unstable();
                for (name, version) in lines {
                    println!("{name}  {version}");
                }
            }
            Command::Work => return self.work(&options),
        }
        Ok(0)
    }

    fn work(&self, options: &Options) -> Result<u8, String> {
        let crew = Crew::new(self.table()?, options.concurrency);
        if variable("STEPWELL_WORKER").as_deref() == Some("1") {
            stdio::serve(&crew, &self.hello(options, false)).map_err(|error| error.to_string())?;
            return Ok(0);
        }
        let url = options
            .server
            .clone()
            .or_else(|| variable("STEPWELL_URL"))
            .ok_or(
                "a worker is started by the engine (stepwell run TEMPLATE --worker COMMAND), \
             or needs --server URL; --help says more",
            )?;
        let server = Server {
            address: Address::parse(&url)?,
            token: variable("STEPWELL_TOKEN"),
        };
        remote::serve(&crew, &server, &self.hello(options, true))
    }

    /// The handlers by name. Two of one name are an error, and so are none.
    fn table(&self) -> Result<Handlers, String> {
        let mut table = Handlers::new();
        for handler in &self.handlers {
            if table
                .insert(handler.name().to_string(), handler.clone())
                .is_some()
            {
                return Err(format!("there are two handlers of the name {}", handler.name()));
            }
        }
        if table.is_empty() {
            return Err("the worker has no handlers".to_string());
        }
        Ok(table)
    }

    fn hello(&self, options: &Options, is_remote: bool) -> String {
        let handlers: Vec<_> = self
            .handlers
            .iter()
            .map(|handler| json!({ "name": handler.name(), "version": handler.version() }))
            .collect();
        let mut hello = json!({
            "type": "hello",
            "protocol": 1,
            "handlers": handlers,
            "concurrency": options.concurrency,
            "sdk": concat!("stepwell-rust ", env!("CARGO_PKG_VERSION")),
        });
        if is_remote {
            if let Some(name) = &options.name {
                hello["name"] = json!(name);
            }
            if !options.namespaces.is_empty() {
                hello["namespaces"] = json!(options.namespaces);
            }
            for (name, value) in &options.labels {
                hello["labels"][name] = json!(value);
            }
        }
        hello.to_string()
    }
}

/// A variable of the environment; None when it is empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
