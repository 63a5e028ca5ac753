use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use tokio::io::AsyncReadExt as _;

use super::super::flusher::Flushers;
use super::super::queue::{LARGE, OVERHEAD};
use super::*;

/// Writes at most `room` bytes to `sink`, then blocks.
fn socket<'a>(
    sink: &'a mut Vec<u8>,
    mut room: usize,
) -> impl FnMut(&[u8]) -> io::Result<usize> + 'a {
    move |bytes| {
        let taken = bytes.len().min(room);
        if taken == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        room -= taken;
        sink.extend(&bytes[..taken]);
        Ok(taken)
    }
}

fn outbox(limit: usize, policy: SlowConsumer) -> Arc<Outbox> {
    Arc::new(Outbox::new(limit, policy, Arc::default()))
}

/// What is sent when everything is taken.
fn drain(outbox: &Outbox) -> Vec<u8> {
    let mut sent = Vec::new();
    outbox.flush(socket(&mut sent, usize::MAX)).unwrap();
    assert_eq!(outbox.unwritten(), 0);
    sent
}

#[test]
fn the_limit_at_its_borders() {
    for (len, expected) in [
        (9, Pushed::Queued),
        (10, Pushed::Queued),
        (11, Pushed::Overflow),
    ] {
        let outbox = outbox(20 + 2 * OVERHEAD, SlowConsumer::Close);
        assert_eq!(outbox.push(Bytes::from_static(&[1; 10])), Pushed::Queued);
        assert_eq!(outbox.push(Bytes::from(vec![2; len])), expected);
        assert_eq!(outbox.is_closing(), expected == Pushed::Overflow);
    }
}

#[test]
fn frames_leave_in_order_whatever_the_socket_takes() {
    for room in 1..70 {
        let outbox = outbox(100_000, SlowConsumer::Close);
        let mut sent = Vec::new();
        let mut expected = Vec::<u8>::new();
        for value in 0..200u8 {
            let frame = vec![value; usize::from(value) % 7 + 1];
            expected.extend(&frame);
            outbox.push(Bytes::from(frame));
            outbox.flush(socket(&mut sent, room % 5)).unwrap();
            let waiting = outbox.unwritten() % OVERHEAD;
            assert_eq!(waiting, (expected.len() - sent.len()) % OVERHEAD);
        }
        outbox.flush(socket(&mut sent, usize::MAX)).unwrap();
        assert_eq!(sent, expected);
        assert_eq!(outbox.unwritten(), 0);
        assert!(!outbox.is_blocked());
        assert!(outbox.lock().queue.holds_little());
    }
}

#[test]
fn large_frames_and_more_than_a_buffer_leave_in_order() {
    let outbox = outbox(1 << 20, SlowConsumer::Close);
    let mut sent = Vec::new();
    let mut expected = Vec::<u8>::new();
    for (value, len) in (0u8..).zip([LARGE - 1, LARGE, LARGE + 1, 1, 100_000, 2]) {
        // A buffer takes four of the largest small ones, and not the fifth.
        for _ in 0..5 {
            let frame = vec![value; len];
            expected.extend(&frame);
            outbox.push(Bytes::from(frame));
        }
    }
    while sent.len() < expected.len() {
        outbox.flush(socket(&mut sent, 10_007)).unwrap();
    }
    assert_eq!(sent, expected);
    assert_eq!(outbox.unwritten(), 0);
}

#[test]
fn the_task_is_woken_once_for_all_that_comes_until_it_waits_again() {
    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let count = Arc::new(Count::default());
    let woken = || count.0.swap(0, Ordering::Relaxed);
    let waker = Waker::from(count.clone());
    let cx = &mut Context::from_waker(&waker);
    let outbox = outbox(0, SlowConsumer::Close);

    outbox.push_pong(b"before the task waits");
    assert!(outbox.poll_changed(cx).is_ready());
    assert!(outbox.poll_changed(cx).is_pending());
    assert_eq!(woken(), 0);

    outbox.push_pong(b"while it waits");
    outbox.look_for_life();
    assert_eq!(woken(), 1);
    assert!(outbox.poll_changed(cx).is_ready());
    assert!(outbox.poll_changed(cx).is_pending());

    outbox.look_for_life();
    assert_eq!(woken(), 1);
    drain(&outbox);
    assert!(outbox.poll_changed(cx).is_pending());
    assert!(outbox.turn().look);

    assert_eq!(outbox.push(Bytes::from_static(b"m")), Pushed::Overflow);
    assert_eq!(woken(), 1);
    assert!(outbox.poll_changed(cx).is_ready());
}

#[test]
fn an_overflow_keeps_the_frame_that_is_half_written() {
    let outbox = outbox(8 + 2 * OVERHEAD, SlowConsumer::Close);
    let mut sent = Vec::new();
    outbox.push(Bytes::from_static(b"abcd"));
    outbox.flush(socket(&mut sent, 2)).unwrap();
    assert_eq!(outbox.push(Bytes::from_static(b"efgh")), Pushed::Queued);
    assert_eq!(outbox.push(Bytes::from_static(b"ijkl")), Pushed::Overflow);
    assert_eq!(outbox.push(Bytes::from_static(b"m")), Pushed::Closing);
    outbox.flush(socket(&mut sent, usize::MAX)).unwrap();
    let close = frame::encode_close(Some(CloseCode::TRY_AGAIN_LATER), "slow consumer");
    assert_eq!(sent, [b"abcd", close.as_ref()].concat());
    assert_eq!(outbox.unwritten(), 0);
}

#[test]
fn the_newest_is_dropped() {
    let outbox = outbox(2 * OVERHEAD + 2, SlowConsumer::DropNewest);
    let pushed = [b"a", b"b", b"c"].map(|frame| outbox.push(Bytes::from_static(frame)));
    assert_eq!(pushed, [Pushed::Queued, Pushed::Queued, Pushed::Dropped(1)]);
    outbox.push_answer(Bytes::from_static(b"!"));
    assert_eq!(drain(&outbox), b"ab!");
    assert_eq!(outbox.push(Bytes::from_static(b"d")), Pushed::Queued);
}

#[test]
fn the_oldest_are_dropped_and_answers_are_not() {
    let outbox = outbox(4 * OVERHEAD + 4, SlowConsumer::DropOldest);
    outbox.push_answer(Bytes::from_static(b"!"));
    for frame in [b"a", b"b", b"c"] {
        assert_eq!(outbox.push(Bytes::from_static(frame)), Pushed::Queued);
    }
    assert_eq!(outbox.push(Bytes::from_static(b"d")), Pushed::Dropped(1));
    assert_eq!(outbox.push(Bytes::from_static(b"ef")), Pushed::Dropped(2));
    let huge = Bytes::from(vec![0; 4 * OVERHEAD]);
    assert_eq!(outbox.push(huge), Pushed::Dropped(3));
    assert_eq!(outbox.push(Bytes::from_static(b"g")), Pushed::Queued);
    assert_eq!(drain(&outbox), b"!g");
}

#[test]
fn what_the_writer_has_is_not_dropped() {
    let outbox = outbox(2 * OVERHEAD + 20, SlowConsumer::DropOldest);
    let mut sent = Vec::new();
    outbox.push(Bytes::from_static(b"abcdefghij"));
    outbox.flush(socket(&mut sent, 1)).unwrap();
    outbox.push(Bytes::from_static(b"klm"));
    assert_eq!(
        outbox.push(Bytes::from_static(b"nopqrstuvw")),
        Pushed::Dropped(1)
    );
    outbox.flush(socket(&mut sent, usize::MAX)).unwrap();
    assert_eq!(sent, b"abcdefghijnopqrstuvw");
}

#[test]
fn the_first_close_wins_and_pongs_pass_the_limit() {
    let outbox = outbox(0, SlowConsumer::Close);
    outbox.push_pong(b"p");
    outbox.close(None, "");
    outbox.close(Some(CloseCode::GOING_AWAY), "later");
    outbox.push_pong(b"q");
    assert_eq!(drain(&outbox), [0x8A, 1, b'p', 0x88, 0]);
}

/// Both ends of a connection over loopback.
async fn pair() -> (Arc<TcpStream>, TcpStream) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (ours, theirs) = tokio::join!(listener.accept(), TcpStream::connect(address));
    (Arc::new(ours.unwrap().0), theirs.unwrap())
}

#[tokio::test]
async fn a_flusher_writes_messages_without_the_task() {
    let (socket, mut peer) = pair().await;
    let flushers = Flushers::start();
    let outbox = Arc::new(Outbox::new(1 << 20, SlowConsumer::Close, flushers.of(7)));
    outbox.push(Bytes::from_static(b"before there is a socket,"));
    outbox.attach(socket);
    outbox.push(Bytes::from_static(b"with one"));
    let mut received = [0; 33];
    peer.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"before there is a socket,with one");
    assert_eq!(outbox.unwritten(), 0);
}

#[tokio::test]
async fn what_the_socket_does_not_take_is_left_to_the_task() {
    let (socket, mut peer) = pair().await;
    let flushers = Flushers::start();
    let outbox = Arc::new(Outbox::new(1 << 30, SlowConsumer::Close, flushers.of(0)));
    outbox.attach(Arc::clone(&socket));
    // More than the kernel buffers of both ends.
    let frame = Bytes::from(vec![7; 1 << 20]);
    let mut sent = 0;
    while !outbox.is_blocked() {
        outbox.push(frame.clone());
        sent += frame.len();
        tokio::task::yield_now().await;
    }
    poll_fn(|cx| outbox.poll_changed(cx)).await;
    assert!(outbox.turn().blocked);
    let reading = tokio::spawn(async move {
        let mut received = vec![0; sent];
        peer.read_exact(&mut received).await.unwrap();
        received.iter().all(|&byte| byte == 7)
    });
    while outbox.is_blocked() {
        socket.writable().await.unwrap();
        outbox.flush(|bytes| socket.try_write(bytes)).unwrap();
    }
    assert!(reading.await.unwrap());
    assert_eq!(outbox.unwritten(), 0);
}

#[tokio::test]
async fn a_socket_that_is_gone_closes_and_wakes_the_task() {
    let (socket, peer) = pair().await;
    let flushers = Flushers::start();
    let outbox = Arc::new(Outbox::new(1 << 20, SlowConsumer::Close, flushers.of(0)));
    outbox.attach(Arc::clone(&socket));
    drop(peer);
    // The first write is answered with a reset, a later one fails.
    while !outbox.is_blocked() {
        outbox.push(Bytes::from_static(b"x"));
        tokio::task::yield_now().await;
    }
    poll_fn(|cx| outbox.poll_changed(cx)).await;
    assert!(outbox.flush(|bytes| socket.try_write(bytes)).is_err());
    outbox.detach();
    assert_eq!(Arc::strong_count(&socket), 1);
}

/// An outbox that is in the list of a flusher does not keep itself, nor does one that would come into it.
#[tokio::test]
async fn the_end_of_the_flushers_keeps_nothing() {
    let (socket, _peer) = pair().await;
    let flushers = Flushers::start();
    let [before, after] = [0, 0].map(|number| {
        let outbox = Outbox::new(1 << 20, SlowConsumer::Close, flushers.of(number));
        outbox.attach(Arc::clone(&socket));
        Arc::new(outbox)
    });
    before.push(Bytes::from_static(b"listed"));
    drop(flushers);
    after.push(Bytes::from_static(b"not listed"));
    tokio::task::yield_now().await;
    let left = [&before, &after].map(Arc::downgrade);
    drop((before, after));
    assert!(left.iter().all(|outbox| outbox.upgrade().is_none()));
    assert_eq!(Arc::strong_count(&socket), 1);
}
