//! The few calls to the system that the standard library does not have. All unsafe code of the crate is here.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::os::raw::{c_int, c_void};
use std::os::unix::io::{AsFd, AsRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicI32, Ordering};

/// The signal of Ctrl-C.
pub(crate) const SIGINT: c_int = 2;
/// The signal that asks a process to end.
pub(crate) const SIGTERM: c_int = 15;

extern "C" {
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> usize;
    fn write(file: c_int, bytes: *const c_void, count: usize) -> isize;
    fn dup2(from: c_int, to: c_int) -> c_int;
}

/// Where the signal handler writes the number of a signal that came.
static BELL: AtomicI32 = AtomicI32::new(-1);

extern "C" fn ring(number: c_int) {
    let byte = number as u8;
    // SAFETY: write may be called in a signal handler; the byte outlives the call. A full pipe or an error is no matter:
    // then somebody has been told already.
    unsafe { write(BELL.load(Ordering::Relaxed), (&byte as *const u8).cast(), 1) };
}

/// The signals that came, one after the other.
pub(crate) struct Signals(UnixStream);

impl Signals {
    /// From now on SIGINT and SIGTERM do not end the process, but are told by `next`.
    pub fn catch() -> io::Result<Signals> {
        let (bell, listener) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        BELL.store(bell.into_raw_fd(), Ordering::Relaxed);
        for number in [SIGINT, SIGTERM] {
            // SAFETY: the handler does nothing but what a signal handler may do.
            unsafe { signal(number, ring) };
        }
        Ok(Signals(listener))
    }

    /// Waits for the next signal.
    pub fn next(&mut self) -> io::Result<c_int> {
        let mut byte = [0];
        self.0.read_exact(&mut byte)?;
        Ok(c_int::from(byte[0]))
    }
}

/// Takes standard input and output for the protocol.
///
/// Whatever else reads descriptor 0 finds its end; what else writes to descriptor 1, such as `println!`, writes to
/// standard error.
pub(crate) fn claim_standard_streams() -> io::Result<(File, File)> {
    let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let nothing = File::open("/dev/null")?;
    for (from, to) in [(nothing.as_raw_fd(), 0), (2, 1)] {
        // SAFETY: both descriptors are open, and nobody in this process owns 0 or 1 as a file of its own.
        if unsafe { dup2(from, to) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok((input, output))
}
