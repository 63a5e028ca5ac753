//! Answers, whatever their shape.

use bytes::Bytes;
use tars_codec::{self as codec, Input, RequestPacket, ResponsePacket};

use super::{STATUS_CODE, STATUS_DESC, Version};
use crate::codes;

/// Reads an answer. One to a TUP call is a `RequestPacket`, which has its error in the status; it is brought into
/// the form of the others.
pub(super) fn decode(packet: &Bytes) -> codec::Result<ResponsePacket> {
    let version = Input::new(packet).reader().next_if(1)?;
    if !version.and_then(Version::new).is_some_and(Version::is_tup) {
        return codec::decode_bytes(packet);
    }
    let mut answer: RequestPacket = match codec::decode_bytes(packet) {
        Ok(answer) => answer,
        // TarsGo answers a version that it does not know in the shape of the others.
        Err(error) => return codec::decode_bytes(packet).map_err(|_| error),
    };
    // TarsCpp leaves the code out when all is well, TarsPHP writes a 0.
    let ret = match answer.status.get(STATUS_CODE) {
        None => codes::OK,
        Some(code) => code.parse().unwrap_or(codes::UNKNOWN),
    };
    Ok(ResponsePacket {
        version: answer.version,
        packet_type: answer.packet_type,
        request_id: answer.request_id,
        message_type: answer.message_type,
        ret,
        body: answer.body,
        result_desc: answer.status.remove(STATUS_DESC).unwrap_or_default(),
        status: answer.status,
        context: answer.context,
    })
}
