//! A connection whose caller has to take what is written to it. One who does not would hold its place for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// So much has to be taken each time the patience is used up: one byte now and then is no progress.
const LEAST: usize = 16 << 10;

/// A stream that fails when what is written to it is not taken.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    patience: Duration,
    /// Runs while something waits to be taken.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Bytes that were taken since it runs.
    taken: usize,
}

impl<S> Patient<S> {
    /// Wraps a stream. Below TLS, so that what counts is what leaves.
    pub(super) fn new(stream: S, patience: Duration) -> Patient<S> {
        Patient { stream, patience, waiting: None, taken: 0 }
    }

    fn took(&mut self, bytes: usize) {
        if self.waiting.is_some() {
            self.taken = self.taken.saturating_add(bytes);
            if self.taken >= LEAST {
                self.rest();
            }
        }
    }

    fn rest(&mut self) {
        self.waiting = None;
        self.taken = 0;
    }

    /// The stream takes nothing now.
    fn wait<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.patience)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> Patient<S> {
    fn write(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let written = write(Pin::new(&mut self.stream), context);
        match &written {
            Poll::Pending => return self.wait(context),
            Poll::Ready(Ok(bytes)) => self.took(*bytes),
            Poll::Ready(Err(_)) => {}
        }
        written
    }

    /// Flushing and shutting down: when they are done, nothing of ours waits any more.
    fn end(
        &mut self,
        context: &mut Context<'_>,
        end: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        match end(Pin::new(&mut self.stream), context) {
            Poll::Pending => self.wait(context),
            done @ Poll::Ready(_) => {
                self.rest();
                done
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(context, |stream, context| stream.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end(context, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end(context, AsyncWrite::poll_shutdown)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    const PATIENCE: Duration = Duration::from_millis(300);

    #[test]
    fn who_takes_nothing_or_next_to_nothing_is_given_up() {
        for takes in [0, 1] {
            let failed = run(async {
                let (near, mut far) = duplex(64);
                tokio::spawn(async move {
                    let mut byte = vec![0; takes];
                    loop {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        far.read_exact(&mut byte).await.unwrap();
                    }
                });
                tokio::time::timeout(
                    Duration::from_secs(20),
                    Patient::new(near, PATIENCE).write_all(&vec![0; 1 << 20]),
                )
                .await
            });
            assert_eq!(failed.expect("it is given up").unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
    }

    #[test]
    fn a_slow_caller_and_a_pause_between_answers_are_no_fault() {
        run(async {
            let (near, mut far) = duplex(32 << 10);
            let reader = tokio::spawn(async move {
                let mut all = 0;
                let mut part = vec![0; 32 << 10];
                loop {
                    tokio::time::sleep(PATIENCE / 15).await;
                    match far.read(&mut part).await.unwrap() {
                        0 => return all,
                        more => all += more,
                    }
                }
            });
            let mut near = Patient::new(near, PATIENCE);
            for _ in 0..2 {
                near.write_all(&vec![0; 1 << 20]).await.unwrap();
                near.flush().await.unwrap();
                tokio::time::sleep(PATIENCE * 2).await;
            }
            drop(near);
            assert_eq!(reader.await.unwrap(), 2 << 20);
        });
    }
}
