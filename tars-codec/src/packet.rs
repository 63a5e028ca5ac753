//! The packets of a call.
//!
//! A packet is written from its borrowed head ([`RequestHead`], [`ResponseHead`]) straight into the buffer of a
//! connection, and read into its owned form ([`RequestPacket`], [`ResponsePacket`]), whose body shares the memory
//! of the frame.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use bytes::Bytes;

use crate::{ErrorKind, Field, Reader, Result, Struct, Writer, write};

/// Context and status of a packet.
pub type Attributes = BTreeMap<String, String>;

/// `cPacketType` of a call that wants an answer.
pub const PACKET_NORMAL: i8 = 0;
/// `cPacketType` of a call that wants none.
pub const PACKET_ONEWAY: i8 = 1;

/// Everything of a request but its body.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// `iVersion`: 1 TARS, 2 TUP complex, 3 TUP simple, 5 JSON.
    pub version: i16,
    /// `cPacketType`: [`PACKET_NORMAL`] or [`PACKET_ONEWAY`].
    pub packet_type: i8,
    /// `iMessageType`: bits that say what `status` carries.
    pub message_type: i32,
    /// `iRequestId`: the answer has the same.
    pub request_id: i32,
    /// `sServantName`: `App.Server.Obj`.
    pub servant: &'a str,
    /// `sFuncName`.
    pub func: &'a str,
    /// `iTimeout`, in milliseconds.
    pub timeout: i32,
    /// `context`: the caller's.
    pub context: &'a Attributes,
    /// `status`: the framework's.
    pub status: &'a Attributes,
}

impl RequestHead<'_> {
    /// Appends the whole frame to `buf`, the body being what `body` writes.
    ///
    /// # Errors
    /// As [`write()`]; `buf` then is as it was.
    pub fn write_frame(&self, buf: &mut Vec<u8>, body: impl FnOnce(&mut Writer<'_>)) -> Result<()> {
        write_frame(buf, |w| self.write(w, body))
    }

    fn write(&self, w: &mut Writer<'_>, body: impl FnOnce(&mut Writer<'_>)) {
        w.put(1, &self.version);
        w.put(2, &self.packet_type);
        w.put(3, &self.message_type);
        w.put(4, &self.request_id);
        w.put(5, self.servant);
        w.put(6, self.func);
        w.put_nested(7, body);
        w.put(8, &self.timeout);
        w.put(9, self.context);
        w.put(10, self.status);
    }
}

/// A request; also the answer to a TUP request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestPacket {
    /// `iVersion`: 1 TARS, 2 TUP complex, 3 TUP simple, 5 JSON.
    pub version: i16,
    /// `cPacketType`: [`PACKET_NORMAL`] or [`PACKET_ONEWAY`].
    pub packet_type: i8,
    /// `iMessageType`: bits that say what `status` carries.
    pub message_type: i32,
    /// `iRequestId`: the answer has the same.
    pub request_id: i32,
    /// `sServantName`: `App.Server.Obj`.
    pub servant: String,
    /// `sFuncName`.
    pub func: String,
    /// `sBuffer`.
    pub body: Bytes,
    /// `iTimeout`, in milliseconds.
    pub timeout: i32,
    /// `context`: the caller's.
    pub context: Attributes,
    /// `status`: the framework's.
    pub status: Attributes,
}

impl RequestPacket {
    /// The head of this packet.
    pub fn head(&self) -> RequestHead<'_> {
        RequestHead {
            version: self.version,
            packet_type: self.packet_type,
            message_type: self.message_type,
            request_id: self.request_id,
            servant: &self.servant,
            func: &self.func,
            timeout: self.timeout,
            context: &self.context,
            status: &self.status,
        }
    }

    /// Whether the caller wants no answer.
    pub fn is_oneway(&self) -> bool {
        self.packet_type == PACKET_ONEWAY
    }
}

impl Struct for RequestPacket {
    const NAME: &'static str = "tars.RequestPacket";
    const FIELDS: &'static [Field] = &[
        Field::required::<i16>(1, "iVersion"),
        Field::required::<i8>(2, "cPacketType"),
        Field::required::<i32>(3, "iMessageType"),
        Field::required::<i32>(4, "iRequestId"),
        Field::required::<String>(5, "sServantName"),
        Field::required::<String>(6, "sFuncName"),
        Field::required::<Bytes>(7, "sBuffer"),
        Field::required::<i32>(8, "iTimeout"),
        Field::required::<Attributes>(9, "context"),
        Field::required::<Attributes>(10, "status"),
    ];

    fn encode_fields(&self, w: &mut Writer<'_>) {
        self.head().write(w, |w| w.append(&self.body));
    }

    fn decode_fields(r: &mut Reader<'_>) -> Self {
        Self {
            version: r.required(1),
            packet_type: r.optional(2),
            message_type: r.optional(3),
            request_id: r.required(4),
            servant: r.required(5),
            func: r.required(6),
            // TarsJava leaves an empty one out of its answers.
            body: r.optional(7),
            timeout: r.optional(8),
            context: r.optional(9),
            status: r.optional(10),
        }
    }
}

/// Everything of a response but its body.
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead<'a> {
    /// `iVersion`: 1 TARS, 5 JSON. (A TUP answer is a [`RequestPacket`].)
    pub version: i16,
    /// `cPacketType`, that of the request.
    pub packet_type: i8,
    /// `iRequestId`, that of the request; 0 is a push.
    pub request_id: i32,
    /// `iMessageType`.
    pub message_type: i32,
    /// `iRet`: 0, or what went wrong.
    pub ret: i32,
    /// `status`: the framework's.
    pub status: &'a Attributes,
    /// `sResultDesc`: what went wrong, in words. Not written when empty.
    pub result_desc: &'a str,
    /// `context`: the servant's. Not written when empty.
    pub context: &'a Attributes,
}

impl ResponseHead<'_> {
    /// Appends the whole frame to `buf`, the body being what `body` writes.
    ///
    /// # Errors
    /// As [`write()`]; `buf` then is as it was.
    pub fn write_frame(&self, buf: &mut Vec<u8>, body: impl FnOnce(&mut Writer<'_>)) -> Result<()> {
        write_frame(buf, |w| self.write(w, body))
    }

    fn write(&self, w: &mut Writer<'_>, body: impl FnOnce(&mut Writer<'_>)) {
        w.put(1, &self.version);
        w.put(2, &self.packet_type);
        w.put(3, &self.request_id);
        w.put(4, &self.message_type);
        w.put(5, &self.ret);
        w.put_nested(6, body);
        w.put(7, self.status);
        if !self.result_desc.is_empty() {
            w.put(8, self.result_desc);
        }
        if !self.context.is_empty() {
            w.put(9, self.context);
        }
    }
}

/// The answer to a request of version 1 or 5.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponsePacket {
    /// `iVersion`: 1 TARS, 5 JSON.
    pub version: i16,
    /// `cPacketType`, that of the request.
    pub packet_type: i8,
    /// `iRequestId`, that of the request; 0 is a push.
    pub request_id: i32,
    /// `iMessageType`.
    pub message_type: i32,
    /// `iRet`: 0, or what went wrong.
    pub ret: i32,
    /// `sBuffer`.
    pub body: Bytes,
    /// `status`: the framework's.
    pub status: Attributes,
    /// `sResultDesc`: what went wrong, in words.
    pub result_desc: String,
    /// `context`: the servant's.
    pub context: Attributes,
}

impl ResponsePacket {
    /// The head of this packet.
    pub fn head(&self) -> ResponseHead<'_> {
        ResponseHead {
            version: self.version,
            packet_type: self.packet_type,
            request_id: self.request_id,
            message_type: self.message_type,
            ret: self.ret,
            status: &self.status,
            result_desc: &self.result_desc,
            context: &self.context,
        }
    }
}

impl Struct for ResponsePacket {
    const NAME: &'static str = "tars.ResponsePacket";
    const FIELDS: &'static [Field] = &[
        Field::required::<i16>(1, "iVersion"),
        Field::required::<i8>(2, "cPacketType"),
        Field::required::<i32>(3, "iRequestId"),
        Field::required::<i32>(4, "iMessageType"),
        Field::required::<i32>(5, "iRet"),
        Field::required::<Bytes>(6, "sBuffer"),
        Field::required::<Attributes>(7, "status"),
        Field::optional::<String>(8, "sResultDesc"),
        Field::optional::<Attributes>(9, "context"),
    ];

    fn encode_fields(&self, w: &mut Writer<'_>) {
        self.head().write(w, |w| w.append(&self.body));
    }

    fn decode_fields(r: &mut Reader<'_>) -> Self {
        Self {
            version: r.required(1),
            packet_type: r.optional(2),
            request_id: r.required(3),
            message_type: r.optional(4),
            ret: r.optional(5),
            body: r.required(6),
            status: r.optional(7),
            result_desc: r.optional(8),
            context: r.optional(9),
        }
    }
}

/// Length, then what `packet` writes; the length is filled in afterwards.
fn write_frame(buf: &mut Vec<u8>, packet: impl FnOnce(&mut Writer<'_>)) -> Result<()> {
    write(buf, |w| {
        w.append(&[0; 4]);
        packet(w);
        let len = w.len();
        match u32::try_from(len) {
            Ok(len) => w.patch(0, &len.to_be_bytes()),
            Err(_) => w.fail(ErrorKind::TooLong {
                what: "frame",
                len,
                max: u32::MAX as usize,
            }),
        }
    })
}
