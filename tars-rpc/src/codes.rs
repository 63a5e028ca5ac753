//! The return codes of Tars: what stands in `iRet` of an answer, and what
//! [`Error::code`](crate::Error::code) gives.
//!
//! Codes above zero, and below [`UNKNOWN`], belong to applications.

/// The call succeeded.
pub const OK: i32 = 0;
/// The server could not decode the request.
pub const SERVER_DECODE: i32 = -1;
/// The server could not encode its answer.
pub const SERVER_ENCODE: i32 = -2;
/// The servant has no such function.
pub const NO_FUNCTION: i32 = -3;
/// The server has no such servant.
pub const NO_SERVANT: i32 = -4;
/// The grid state of the server does not fit the caller's.
pub const GRID_RESET: i32 = -5;
/// The request waited in the server's queue for longer than its timeout.
pub const QUEUE_TIMEOUT: i32 = -6;
/// No answer came in time.
pub const INVOKE_TIMEOUT: i32 = -7;
/// There is no connection to the server, or it broke.
pub const PROXY_CONNECT: i32 = -8;
/// A queue is full.
pub const OVERLOAD: i32 = -9;
/// The servant has no endpoint that could be called.
pub const NO_ENDPOINT: i32 = -10;
/// The server belongs to another set.
pub const WRONG_SET: i32 = -11;
/// The client could not decode the answer.
pub const CLIENT_DECODE: i32 = -12;
/// The request could not be sent.
pub const SEND_FAILED: i32 = -13;
/// Anything else; a panic of the servant, for one.
pub const UNKNOWN: i32 = -99;
