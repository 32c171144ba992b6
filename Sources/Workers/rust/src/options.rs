//! The command line of a worker.

/// How many attempts run at the same time when nobody says otherwise.
pub(crate) const CONCURRENCY: usize = 8;

pub(crate) const HELP: &str = "\
Runs step handlers written in Rust for the Stepwell engine.

Usage: WORKER [worker] [OPTIONS]
       WORKER list

The engine starts it (stepwell run TEMPLATE --worker WORKER); by hand it needs a server.

Options:
  --concurrency N    attempts at the same time, each in a thread, 1 to 1000 (8, or the worker's own)
  --server URL       the server to work for: http://HOST:PORT or unix:PATH (else STEPWELL_URL)
  --name NAME        what the log calls the worker
  --namespace NAME   run steps of this namespace only; may be given several times
  --label KEY=VALUE  shown with the worker; may be given several times
  --help             show this help

STEPWELL_TOKEN holds the token, where the server wants one.

Example:
  WORKER --server http://127.0.0.1:7420 --concurrency 64 --label host=etl-box";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Work,
    List,
    Help,
}

/// What the command line says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub command: Command,
    pub concurrency: usize,
    pub server: Option<String>,
    pub name: Option<String>,
    pub namespaces: Vec<String>,
    pub labels: Vec<(String, String)>,
}

impl Options {
    /// Reads the words after the program's name; `concurrency` is for those that do not say it.
    pub fn read(words: impl Iterator<Item = String>, concurrency: usize) -> Result<Options, String> {
        let mut options = Options {
            command: Command::Work,
            concurrency,
            server: None,
            name: None,
            namespaces: Vec::new(),
            labels: Vec::new(),
        };
        let mut words = words.peekable();
        if let Some(command) = words.next_if(|word| word == "worker" || word == "list") {
            options.command = if command == "list" {
                Command::List
            } else {
                Command::Work
            };
        }
        while let Some(word) = words.next() {
            let (name, joined) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name.to_string(), Some(value.to_string())),
                _ => (word, None),
            };
            if name == "--help" || name == "-h" {
                options.command = Command::Help;
                return Ok(options);
            }
            if !["--concurrency", "--server", "--name", "--namespace", "--label"].contains(&name.as_str()) {
                return Err(format!("'{name}' is no option; --help shows them all"));
            }
            let value = joined.or_else(|| words.next()).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| format!("'{name}' wants a value"))?;
            match name.as_str() {
                "--concurrency" => options.concurrency = count(&value)?,
                "--server" => options.server = Some(value),
                "--name" => options.name = Some(value),
                "--namespace" => options.namespaces.push(value),
                _ => {
                    let pair = value.split_once('=').filter(|(key, _)| !key.is_empty());
                    let (key, label) = pair.ok_or_else(|| format!("'{value}' is no KEY=VALUE"))?;
                    options.labels.push((key.to_string(), label.to_string()));
                }
            }
        }
        Ok(options)
    }
}

fn count(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1000).contains(number));
    number.ok_or_else(|| format!("'{text}' is not a number from 1 to 1000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        Options::read(line.split_whitespace().map(str::to_string), CONCURRENCY)
    }

    #[test]
    fn all_options() {
        let line =
            "worker --concurrency=3 --server unix:a --name n --namespace x --namespace y --label k=v=w";
        let options = read(line).unwrap();
        assert_eq!((options.command, options.concurrency), (Command::Work, 3));
        assert_eq!(
            (options.server.as_deref(), options.name.as_deref()),
            (Some("unix:a"), Some("n"))
        );
        assert_eq!(options.namespaces, ["x", "y"]);
        assert_eq!(options.labels, [("k".to_string(), "v=w".to_string())]);
        assert_eq!(read("").unwrap().concurrency, CONCURRENCY);
        assert_eq!(read("list").unwrap().command, Command::List);
        assert_eq!(read("worker --help").unwrap().command, Command::Help);
    }

    #[test]
    fn what_makes_no_sense() {
        for line in [
            "--colour red",
            "--concurrency 0",
            "--concurrency 1001",
            "--concurrency x",
            "--name",
            "--label x",
            "run",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
