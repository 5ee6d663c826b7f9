//! Messages of the protocol on a pair of streams: a head with the length, then JSON.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};

/// Longest message that is read, in bytes.
const LONGEST: usize = 64 << 20;

/// The fault codes of JSON-RPC and of the protocol.
pub(super) mod fault {
    pub(crate) const PARSE: i64 = -32700;
    pub(crate) const NO_SUCH_METHOD: i64 = -32601;
    pub(crate) const WRONG_PARAMS: i64 = -32602;
    pub(crate) const NOT_INITIALIZED: i64 = -32002;
    pub(crate) const AFTER_SHUTDOWN: i64 = -32600;
    pub(crate) const REFUSED: i64 = -32803;
}

/// The body of the next message; `None` when the stream ends. Lines that are no head are passed
/// over.
pub(super) fn read(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut length: Option<usize> = None;
    loop {
        let mut line = Vec::new();
        if io::Read::take(&mut *input, 8 << 10).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if let Some((name, value)) = line.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok().filter(|length| *length <= LONGEST);
        }
        if line.is_empty()
            && let Some(length) = length
        {
            let mut body = vec![0; length];
            return match input.read_exact(&mut body) {
                Ok(()) => Ok(Some(body)),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                Err(error) => Err(error),
            };
        }
    }
}

/// Sends a message.
pub(super) fn write(output: &mut impl Write, message: &Value) -> io::Result<()> {
    let body = message.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    output.flush()
}

/// The answer to a request.
pub(super) fn answer(id: &Value, result: Result<Value, Refusal>) -> Value {
    match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(Refusal { code, message }) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
        }
    }
}

/// Why a request is not done.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: i64,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
