//! What goes into a call, and what comes out of it.

use tars_codec::{self as codec, Attributes, ResponsePacket};

use crate::{
    Call, Error, Result, Version, codes,
    protocol::args::{ArgReader, ArgWriter},
};

/// Takes the arguments of a call.
#[derive(Debug)]
pub struct Args(ArgWriter);

impl Args {
    pub(crate) fn new(version: Version) -> Self {
        Self(ArgWriter::new(version))
    }

    /// Adds an argument: the position of its parameter from 1 on, and the name of the parameter.
    ///
    /// What cannot be encoded (more elements than a fixed array has) becomes the error of the call.
    pub fn put<T: codec::Encode + codec::Typed + ?Sized>(
        &mut self,
        tag: u8,
        name: &'static str,
        value: &T,
    ) {
        self.0.put(tag, name, value);
    }

    pub(crate) fn finish(self) -> codec::Result<Vec<u8>> {
        self.0.finish()
    }
}

/// The answer to a call that succeeded. Its values are decoded when they are taken.
#[derive(Debug)]
pub struct Reply {
    call: Call,
    values: ArgReader,
    context: Attributes,
    status: Attributes,
}

impl Reply {
    /// The answer, unless it says that the call failed. `None` is what comes of a oneway call.
    pub(crate) fn new(
        call: Call,
        asked_in: Version,
        answer: Option<ResponsePacket>,
    ) -> Result<Self> {
        let answer = answer.unwrap_or_default();
        if let Some(code) = failure(&answer) {
            return Err(Error::Server {
                call,
                code,
                message: answer.result_desc,
            });
        }
        let version = asked_in.of_answer(answer.version, &answer.body);
        let values = match ArgReader::new(version, answer.body) {
            Ok(values) => values,
            Err(source) => return Err(Error::Decode { call, source }),
        };
        Ok(Self {
            call,
            values,
            context: answer.context,
            status: answer.status,
        })
    }

    /// Takes an out parameter: its position from 1 on, over all parameters, and its name.
    ///
    /// # Errors
    /// [`Error::Decode`]: it is missing, or not of type `T`.
    pub fn take<T: codec::Decode + codec::Typed>(
        &mut self,
        tag: u8,
        name: &'static str,
    ) -> Result<T> {
        let result = self.values.take(tag, name);
        result.map_err(|source| self.undecodable(source))
    }

    /// Takes the return value.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn take_result<T: codec::Decode + codec::Typed>(&mut self) -> Result<T> {
        let result = self.values.take_result();
        result.map_err(|source| self.undecodable(source))
    }

    fn undecodable(&self, source: codec::Error) -> Error {
        Error::Decode {
            call: self.call.clone(),
            source,
        }
    }

    /// The context that the servant has set.
    pub fn context(&self) -> &Attributes {
        &self.context
    }

    /// The status that the server has set.
    pub fn status(&self) -> &Attributes {
        &self.status
    }
}

/// The code of an answer that says that the call failed.
///
/// TarsPHP answers an unknown function with `iRet` 0, no body, and its code in `sResultDesc`.
fn failure(answer: &ResponsePacket) -> Option<i32> {
    if answer.ret != codes::OK {
        return Some(answer.ret);
    }
    if !answer.body.is_empty() {
        return None;
    }
    answer.result_desc.parse().ok().filter(|code| *code < 0)
}
