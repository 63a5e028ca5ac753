//! Finding values by their tags.

use bytes::Bytes;
use tars_codec::{Error, ErrorKind, Input, Result};

/// Values that follow each other like the fields of a struct.
///
/// Values are nearly always asked for in the order in which they are there, and then each is found where the last
/// one ended. On the first miss the places of all values are noted, once, so that the cost stays linear whatever
/// the order. What nobody asks for is passed over: sync TarsCpp clients send their out parameters, too.
#[derive(Debug)]
pub(super) struct Positional {
    pub(super) body: Bytes,
    order: Order,
}

#[derive(Debug)]
enum Order {
    /// All values were where they were expected; the next one is expected here.
    Kept(usize),
    Lost(Box<Places>),
}

impl Positional {
    pub(super) fn new(body: Bytes) -> Self {
        Self {
            body,
            order: Order::Kept(0),
        }
    }

    /// Where the next value begins, as long as they come in order.
    pub(super) fn next(&self) -> Option<usize> {
        match self.order {
            Order::Kept(next) => Some(next),
            Order::Lost(_) => None,
        }
    }

    /// Notes that the next value was the one asked for, and where it ended.
    pub(super) fn came_in_order(&mut self, end: usize) {
        self.order = Order::Kept(end);
    }

    /// Where the value with this tag begins, which is not the next one; the first one, if there are several.
    pub(super) fn find(&mut self, tag: u8) -> Result<usize> {
        if let Order::Kept(_) = self.order {
            self.order = Order::Lost(Box::new(Places::note(&self.body)?));
        }
        let place = match &self.order {
            Order::Kept(_) => None,
            Order::Lost(places) => places.get(tag),
        };
        place.ok_or_else(|| Error::new(ErrorKind::Missing, self.body.len()))
    }
}

/// Where the value of each tag begins.
#[derive(Debug)]
struct Places([u32; 256]);

const NOWHERE: u32 = u32::MAX; // a frame, with its length, is shorter

impl Places {
    fn note(body: &[u8]) -> Result<Self> {
        let mut places = Self([NOWHERE; 256]);
        let input = Input::new(body);
        let mut r = input.reader();
        loop {
            let place = u32::try_from(r.offset()).unwrap_or(NOWHERE);
            let Some(head) = r.next_field()? else {
                return Ok(places);
            };
            if let Some(first) = places.0.get_mut(usize::from(head.tag))
                && *first == NOWHERE
            {
                *first = place;
            }
            r.skip(head)?;
        }
    }

    fn get(&self, tag: u8) -> Option<usize> {
        let place = *self.0.get(usize::from(tag))?;
        usize::try_from(place).ok().filter(|_| place != NOWHERE)
    }
}
