//! The carrier for a worker that the engine has started: lines on standard input and output.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::process::exit;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::crew::Crew;
use crate::outbox::Letter;
use crate::system::{claim_standard_streams, Signals, SIGTERM};

/// The only session of this carrier.
const SESSION: u64 = 1;
const WRITE_BYTES_MAX: usize = 1 << 20;

/// Works until the engine drains the worker or a SIGTERM comes; ends the process when the engine is gone.
pub(crate) fn serve(crew: &Arc<Crew>, hello: &str) -> io::Result<()> {
    let (input, output) = claim_standard_streams()?;
    let mut signals = Signals::catch()?;
    crew.outbox.push(letter(hello));
    let writer = start_writer(crew.clone(), output)?;
    let listener = crew.clone();
    thread::Builder::new()
        .name("stepwell-reader".into())
        .spawn(move || listen(&listener, input))?;
    let told = crew.clone();
    thread::Builder::new()
        .name("stepwell-signals".into())
        .spawn(move || {
            // A SIGINT of the terminal reaches the engine too, which says what to do.
            while let Ok(number) = signals.next() {
                if number == SIGTERM {
                    if told.is_draining() {
                        exit(1);
                    }
                    told.refuse();
                }
            }
        })?;
    crew.wait(|books| books.is_done().then(|| ()));
    crew.outbox.push(Letter {
        session: 0,
        is_last: true,
        text: r#"{"type":"drained"}"#.into(),
    });
    // The writer ends with it.
    let _ = writer.join();
    Ok(())
}

fn letter(text: &str) -> Letter {
    Letter {
        session: 0,
        is_last: false,
        text: text.to_string(),
    }
}

/// Writes what waits, until the `drained` that belongs to no session.
fn start_writer(crew: Arc<Crew>, mut output: File) -> io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name("stepwell-writer".into())
        .spawn(move || {
            let mut bytes = Vec::new();
            while let Some(letters) = crew.outbox.take(usize::MAX, WRITE_BYTES_MAX) {
                bytes.clear();
                for letter in &letters {
                    bytes.extend_from_slice(letter.text.as_bytes());
                    bytes.push(b'\n');
                }
                if output.write_all(&bytes).is_err() {
                    exit(0); // the engine is gone; nobody is left to tell
                }
                if letters.iter().any(|letter| letter.session == 0 && letter.is_last) {
                    return;
                }
            }
        })
}

fn listen(crew: &Arc<Crew>, input: File) {
    let mut input = BufReader::with_capacity(1 << 20, input);
    let mut line = Vec::new();
    loop {
        line.clear();
        if !matches!(input.read_until(b'\n', &mut line), Ok(count) if count > 0) || line.pop() != Some(b'\n')
        {
            exit(0); // the engine is gone, perhaps while it wrote
        }
        let taken = match std::str::from_utf8(&line) {
            Ok(text) => crew.take(std::iter::once(text), SESSION),
            Err(error) => Err(error.to_string()),
        };
        if let Err(fault) = taken {
            eprintln!("stepwell: cannot read the engine's message: {fault}");
            exit(1);
        }
    }
}
