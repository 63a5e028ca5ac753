//! Both sides, joined by a network and driven by a servant that do everything wrong, in virtual time: thousands of
//! schedules, each by its seed.
//!
//! What must hold in all of them: every call ends exactly once, with its own answer or a reason; and when all is over
//! nothing is left of them, in no table and in no buffer.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use fastrand::Rng;
use tars_codec::{Attributes, RequestPacket, ResponseHead};

use super::{
    MAX_FRAME, Version,
    client::{ClientConnection, Event, Limits, Request},
    server::{Answer, Extras, ReplyTo, ServerConnection, push_frame},
};

const SCHEDULES: u64 = 3000;
const STEPS: u32 = 150;

static NONE: Attributes = Attributes::new();

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// The connection ends, after whatever byte.
    Cut,
    AnsweredNever,
    AnsweredTwice,
    /// After its caller has gone.
    AnsweredLate,
    AnsweredOutOfOrder,
    AnswerWithWrongId,
    /// What either side sends vanishes, and neither is told.
    HalfOpen,
    /// Much more than anybody has asked for.
    Flood,
    /// The client does not take its answers.
    SlowClient,
    /// The server does not take its requests.
    SlowServer,
    ClockJump,
    /// Bytes that are no frame.
    Garbage,
}

const ALL: [Fault; 12] = [
    Fault::Cut,
    Fault::AnsweredNever,
    Fault::AnsweredTwice,
    Fault::AnsweredLate,
    Fault::AnsweredOutOfOrder,
    Fault::AnswerWithWrongId,
    Fault::HalfOpen,
    Fault::Flood,
    Fault::SlowClient,
    Fault::SlowServer,
    Fault::ClockJump,
    Fault::Garbage,
];

type Faults = BTreeMap<Fault, u64>;

/// How calls ended.
#[derive(Debug, Default)]
struct Ends {
    refused: u64,
    answered: u64,
    expired: u64,
    given_up: u64,
    oneway: u64,
    disconnected: u64,
}

struct World<'a> {
    rng: Rng,
    now: Instant,
    client: ClientConnection<u32>,
    server: ServerConnection,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    half_open: bool,
    /// Requests that the servant has, and that it had.
    held: Vec<RequestPacket>,
    answered: Vec<RequestPacket>,
    /// Calls that have not ended, and their ids.
    under_way: HashMap<u32, i32>,
    begun: u32,
    ends: &'a mut Ends,
    faults: &'a mut Faults,
}

/// How many of so many bytes are moved: often all.
fn part(rng: &mut Rng, n: usize) -> usize {
    if rng.bool() { n } else { rng.usize(..=n) }
}

fn server(rng: &mut Rng) -> ServerConnection {
    ServerConnection::new(1 << 20, rng.usize(1..2000))
}

impl<'a> World<'a> {
    fn new(seed: u64, ends: &'a mut Ends, faults: &'a mut Faults) -> Self {
        let mut rng = Rng::with_seed(seed);
        let limits = Limits {
            max_request: MAX_FRAME,
            max_frame: 1 << 20,
            max_pending: rng.usize(1..40),
            max_unsent: rng.usize(1..4000),
        };
        Self {
            now: Instant::now(),
            client: ClientConnection::new(limits),
            server: server(&mut rng),
            rng,
            to_server: Vec::new(),
            to_client: Vec::new(),
            half_open: false,
            held: Vec::new(),
            answered: Vec::new(),
            under_way: HashMap::new(),
            begun: 0,
            ends,
            faults,
        }
    }

    fn happened(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    fn step(&mut self) {
        match self.rng.u8(..26) {
            0..6 => self.call(),
            6..9 => self.client_sends(),
            9..12 => self.server_reads(),
            12..17 => self.servant_acts(),
            17..20 => self.client_reads(),
            20..22 => self.time_passes(),
            22 => self.give_up(),
            23 => self.flood(),
            24 if self.rng.u8(..16) == 0 => {
                self.half_open = true;
                self.happened(Fault::HalfOpen);
            }
            24 => self.garbage(),
            _ if self.rng.u8(..20) == 0 => {
                self.happened(Fault::Cut);
                self.disconnect();
            }
            _ => {}
        }
    }

    fn call(&mut self) {
        let caller = self.begun;
        self.begun += 1;
        let oneway = self.rng.u8(..6) == 0;
        let request = Request {
            version: Version::Tars,
            servant: "App.Server.Obj",
            func: "f",
            message_type: 0,
            context: &NONE,
            status: &NONE,
            body: &caller.to_be_bytes(),
            oneway,
            deadline: self.now + Duration::from_millis(self.rng.u64(..1000)),
        };
        match self.client.start(&request, self.now, caller) {
            Ok(id) => {
                assert!(id > 0, "0 is for pushes");
                assert!(!self.under_way.values().any(|other| *other == id));
                self.under_way.insert(caller, id);
            }
            Err((_, refused)) => {
                assert_eq!(refused, caller);
                self.ends.refused += 1;
            }
        }
    }

    fn end(&mut self, caller: u32) -> i32 {
        self.under_way.remove(&caller).expect("a call ends once")
    }

    fn client_sends(&mut self) {
        if self.to_server.len() > 500 {
            return self.happened(Fault::SlowServer); // the socket's buffer is full
        }
        let output = self.client.buffers().1;
        let n = part(&mut self.rng, output.len());
        if !self.half_open {
            self.to_server.extend_from_slice(&output[..n]);
        }
        self.client.sent(n);
        while let Some(caller) = self.client.sent_oneway() {
            self.end(caller);
            self.ends.oneway += 1;
        }
    }

    fn server_reads(&mut self) {
        let n = part(&mut self.rng, self.to_server.len());
        if let (Some(space), _) = self.server.buffers(true) {
            space.extend(self.to_server.drain(..n));
            self.server.received(n);
        }
        if !self.server.has_room() {
            return self.happened(Fault::SlowClient);
        }
        while let Some(request) = self.server.next_request().expect("the client is good") {
            if !request.is_oneway() {
                self.held.push(request);
            }
        }
    }

    fn servant_acts(&mut self) {
        if let Some(again) = self.answered.last().filter(|_| self.rng.u8(..8) == 0) {
            Self::answer(&mut self.server, again);
            return self.happened(Fault::AnsweredTwice);
        }
        if self.held.is_empty() {
            return;
        }
        let which = self.rng.usize(..self.held.len());
        let request = self.held.remove(which);
        match self.rng.u8(..10) {
            0 => return self.happened(Fault::AnsweredNever),
            1 => {
                let mut other = request.clone();
                other.request_id = self.rng.i32(1 << 30..) * if self.rng.bool() { 1 } else { -1 };
                Self::answer(&mut self.server, &other);
                return self.happened(Fault::AnswerWithWrongId);
            }
            _ => {}
        }
        if which > 0 {
            self.happened(Fault::AnsweredOutOfOrder);
        }
        let waits = |id: &i32| *id == request.request_id;
        if !self.under_way.values().any(waits) {
            self.happened(Fault::AnsweredLate);
        }
        Self::answer(&mut self.server, &request);
        self.answered.push(request);
    }

    /// An echo.
    fn answer(server: &mut ServerConnection, request: &RequestPacket) {
        let answer = Answer::ok(&request.body, Extras::NONE);
        server.answer(&ReplyTo::from(request), &answer).unwrap();
    }

    fn client_reads(&mut self) {
        let n = part(&mut self.rng, self.server.unsent());
        if !self.half_open {
            self.to_client
                .extend_from_slice(&self.server.buffers(false).1[..n]);
        }
        self.server.sent(n);
        let n = part(&mut self.rng, self.to_client.len());
        self.client.buffers().0.extend(self.to_client.drain(..n));
        self.client.received(n);
        loop {
            match self.client.next_event() {
                Ok(None) => return,
                Ok(Some(Event::Answer(caller, answer))) => {
                    assert_eq!(answer.body[..], caller.to_be_bytes(), "its own answer");
                    assert_eq!(self.end(caller), answer.request_id);
                    self.ends.answered += 1;
                }
                Ok(Some(Event::Stray(id))) => {
                    assert!(!self.under_way.values().any(|other| *other == id));
                }
                Ok(Some(Event::Push(_) | Event::Pong)) => {}
                Err(_) => return self.disconnect(),
            }
        }
    }

    fn time_passes(&mut self) {
        self.now += Duration::from_millis(self.rng.u64(..50));
        if self.rng.u8(..30) == 0 {
            self.now += Duration::from_secs(self.rng.u64(3600..200_000));
            self.happened(Fault::ClockJump);
        }
        while let Some(caller) = self.client.expired(self.now) {
            self.end(caller);
            self.ends.expired += 1;
        }
        let next = self.client.next_deadline();
        assert!(next.is_none_or(|at| at > self.now), "all of them");
        if self.half_open && self.rng.u8(..4) == 0 {
            self.disconnect(); // keep-alive has found it
        }
    }

    /// A future is dropped.
    fn give_up(&mut self) {
        let Some((caller, id)) = self.under_way.iter().next().map(|(c, id)| (*c, *id)) else {
            return;
        };
        assert_eq!(self.client.cancel(id), Some(caller));
        assert_eq!(self.client.cancel(id), None);
        self.end(caller);
        self.ends.given_up += 1;
    }

    fn flood(&mut self) {
        if !self.server.has_room() {
            return;
        }
        for _ in 0..self.rng.usize(1..50) {
            self.server
                .push(&push_frame("onNews", &NONE, &[7; 30]).unwrap());
        }
        self.happened(Fault::Flood);
    }

    fn garbage(&mut self) {
        // Between two frames.
        if self.server.unsent() > 0 || self.half_open || self.rng.u8(..10) > 0 {
            return;
        }
        self.to_client.extend([0, 0, 0, self.rng.u8(..4)]);
        self.happened(Fault::Garbage);
    }

    /// The connection is over on both sides, and there is another at once.
    fn disconnect(&mut self) {
        for (caller, _) in self.client.close().collect::<Vec<_>>() {
            self.end(caller);
            self.ends.disconnected += 1;
        }
        assert!(self.under_way.is_empty() && self.client.is_idle());
        self.server = server(&mut self.rng);
        self.to_server.clear();
        self.to_client.clear();
        self.held.clear();
        self.answered.clear();
        self.half_open = false;
    }

    fn over(mut self) {
        self.disconnect();
        self.client.assert_empty();
    }
}

#[test]
fn every_call_ends_once_and_nothing_is_left() {
    let (mut ends, mut faults) = (Ends::default(), Faults::new());
    let mut begun = 0;
    for seed in 0..SCHEDULES {
        let mut world = World::new(seed, &mut ends, &mut faults);
        for _ in 0..STEPS {
            world.step();
        }
        begun += u64::from(world.begun);
        world.over();
    }
    for fault in ALL {
        let times = faults.get(&fault).copied().unwrap_or_default();
        assert!(times > SCHEDULES / 10, "{fault:?}: {faults:?}");
    }
    let Ends {
        refused,
        answered,
        expired,
        given_up,
        oneway,
        disconnected,
    } = ends;
    let all = [refused, answered, expired, given_up, oneway, disconnected];
    assert_eq!(all.iter().sum::<u64>(), begun, "{all:?}");
    assert!(all.iter().all(|n| *n > SCHEDULES / 2), "{all:?}");
}

/// An answer, cut after each byte: half of it changes nothing, and the rest ends the call.
#[test]
fn cut_at_every_byte() {
    let head = ResponseHead {
        version: 1,
        packet_type: 0,
        request_id: 1,
        message_type: 0,
        ret: 0,
        status: &NONE,
        result_desc: "",
        context: &NONE,
    };
    let mut frame = Vec::new();
    head.write_frame(&mut frame, |w| w.put(0, "hello")).unwrap();
    for cut in 0..frame.len() {
        let (mut ends, mut faults) = (Ends::default(), Faults::new());
        let mut world = World::new(7, &mut ends, &mut faults);
        while world.under_way.is_empty() {
            world.client = ClientConnection::new(Limits {
                max_request: MAX_FRAME,
                max_frame: 1 << 20,
                max_pending: 1,
                max_unsent: 1000,
            });
            world.call();
        }
        let mut receive = |bytes: &[u8]| {
            world.client.buffers().0.extend_from_slice(bytes);
            world.client.received(bytes.len());
            world.client.next_event().unwrap()
        };
        assert_eq!(receive(&frame[..cut]), None, "cut at {cut}");
        match cut % 2 {
            0 => assert!(matches!(receive(&frame[cut..]), Some(Event::Answer(..)))),
            _ => assert_eq!(world.client.close().count(), 1, "cut at {cut}"),
        }
        world.client.assert_empty();
    }
}
