//! The frames between the server and a worker; `python/channel.py` and `node/channel.js` describe them from the other
//! side.
//!
//! Every length is checked before anything is allocated for it: what runs in a worker may write what it likes.

use bytes::Bytes;

use crate::call::Call;
use crate::limits;
use crate::script::Script;

const ABSENT: u32 = u32::MAX;

/// Bytes of a reply before its head and body.
pub(crate) const REPLY_HEADER: usize = 20;

/// The number of the reply that says that a worker has started.
pub(crate) const READY_NUMBER: u64 = 0;

/// The longest message that brings a worker a call, in bytes. What is longer comes over the channel.
pub(crate) const MESSAGE: usize = 32 * 1024;

/// What a worker is told first: its own program.
pub(crate) fn program(program: &str) -> Vec<u8> {
    let mut frame = Vec::with_capacity(4 + program.len());
    push_length(&mut frame, program.len());
    frame.extend(program.as_bytes());
    frame
}

/// What a worker is told next, once: the script. One that only checks others has no source.
pub(crate) fn script(script: &Script) -> Vec<u8> {
    let source = (!script.is_checker()).then(|| script.source());
    let texts = [Some(script.name()), Some(script.config()), source];
    let length = 12 + 20 + texts.iter().flatten().map(|text| text.len()).sum::<usize>();
    let mut frame = Vec::with_capacity(4 + length);
    push_length(&mut frame, length);
    push_lengths(&mut frame, &texts);
    frame.extend((limits::OUTPUT_FILE as u64).to_le_bytes());
    push_length(&mut frame, limits::ANSWER);
    push_length(&mut frame, limits::HEAD);
    // Whether it serves one call only.
    push_length(&mut frame, usize::from(script.is_fresh()));
    for text in texts.iter().flatten() {
        frame.extend(text.as_bytes());
    }
    frame
}

/// One call, or its size in bytes if that is beyond [`limits::REQUEST`].
pub(crate) fn call(number: u64, call: &Call) -> Result<Vec<u8>, usize> {
    let texts = texts_of(call);
    let size = size_of(call);
    if size > limits::REQUEST {
        return Err(size);
    }
    let mut frame = Vec::with_capacity(CALL_HEADER + size);
    push_length(&mut frame, CALL_HEADER - 4 + size);
    frame.extend(number.to_le_bytes());
    push_lengths(&mut frame, &texts);
    for text in texts.iter().flatten() {
        frame.extend(text.as_bytes());
    }
    Ok(frame)
}

/// Bytes of a call before its texts.
const CALL_HEADER: usize = 4 + 8 + 5 * 4;

fn texts_of(call: &Call) -> [Option<&str>; 5] {
    let arguments = &call.arguments;
    [
        Some(arguments.merged()),
        arguments.query.as_deref(),
        arguments.body.as_deref(),
        arguments.main.as_deref(),
        Some(&call.meta),
    ]
}

fn size_of(call: &Call) -> usize {
    texts_of(call).into_iter().flatten().map(str::len).sum()
}

/// Whether a message can bring a worker that call.
pub(crate) fn is_message(call: &Call) -> bool {
    CALL_HEADER + size_of(call) <= MESSAGE
}

/// The number of the call that `frame` is, if it is one.
pub(crate) fn number_of(frame: &[u8]) -> Option<u64> {
    frame.get(4..)?.first_chunk().copied().map(u64::from_le_bytes)
}

fn push_lengths(frame: &mut Vec<u8>, texts: &[Option<impl AsRef<str>>]) {
    for text in texts {
        match text {
            Some(text) => push_length(frame, text.as_ref().len()),
            None => frame.extend(ABSENT.to_le_bytes()),
        }
    }
}

fn push_length(frame: &mut Vec<u8>, length: usize) {
    let length = u32::try_from(length).expect("callers bound their texts far below 4 GiB");
    frame.extend(length.to_le_bytes());
}

/// What a worker answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The exit code that the call would have had as a program.
    pub(crate) exit: u16,
    /// The worker asks to be replaced.
    pub(crate) recycle: bool,
    /// It has printed or kept something open, and takes its next call over the channel, when the server has seen to that.
    pub(crate) pauses: bool,
    /// By its own clock the call took next to no time.
    pub(crate) quick: bool,
    /// The answer, unchecked.
    pub(crate) answer: RawAnswer,
}

/// The kinds of reply.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RawAnswer {
    /// The worker has started.
    Ready,
    /// No answer but the exit code.
    Nothing,
    /// JSON.
    Value(Bytes),
    /// Head (JSON) and content.
    Response(Bytes, Bytes),
    /// JSON.
    AppError(Bytes),
}

/// Takes the reply to call `number` out of `received`, which another one may follow: `None` while it is incomplete, an error when
/// what is there can't be that reply.
pub(crate) fn take_reply(received: &mut Vec<u8>, number: u64) -> Result<Option<Reply>, &'static str> {
    let Some(header) = received.first_chunk::<REPLY_HEADER>() else { return Ok(None) };
    let word =
        |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize;
    let (low, high) = (word(0) as u64, word(4) as u64);
    if low | high << 32 != number {
        return Err("it answered another call");
    }
    let (kind, flags, exit) = (header[8], header[9], u16::from_le_bytes([header[10], header[11]]));
    let (head, body) = (word(12), word(16));
    if head > limits::HEAD || body > limits::ANSWER {
        return Err("its answer is larger than allowed");
    }
    let end = REPLY_HEADER + head + body;
    if received.len() < end {
        received.reserve(end - received.len());
        return Ok(None);
    }
    // The buffer serves the next call, unless the answer fills it.
    let mut rest = if end < received.len() || end < received.capacity() / 2 {
        let rest = Bytes::copy_from_slice(&received[REPLY_HEADER..end]);
        received.drain(..end);
        rest
    } else {
        Bytes::from(std::mem::take(received)).split_off(REPLY_HEADER)
    };
    let head = rest.split_to(head);
    let answer = match kind {
        0 => RawAnswer::Ready,
        1 => RawAnswer::Nothing,
        2 => RawAnswer::Value(rest),
        3 => RawAnswer::Response(head, rest),
        4 => RawAnswer::AppError(rest),
        _ => return Err("its answer is of an unknown kind"),
    };
    let has = |flag: u8| flags & flag != 0;
    Ok(Some(Reply { exit, recycle: has(1), pauses: has(2), quick: has(4), answer }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(number: u64, kind: u8, head: u32, body: u32) -> Vec<u8> {
        let mut bytes = number.to_le_bytes().to_vec();
        bytes.extend([kind, 1, 3, 0]);
        bytes.extend(head.to_le_bytes());
        bytes.extend(body.to_le_bytes());
        bytes
    }

    #[test]
    fn a_reply_may_come_in_pieces() {
        let mut whole = reply(7, 3, 2, 3);
        whole.extend(b"[]abc");
        for cut in 0..whole.len() {
            let mut part = whole[..cut].to_vec();
            assert_eq!(take_reply(&mut part, 7), Ok(None));
            part.extend(&whole[cut..]);
            let answer = RawAnswer::Response(Bytes::from("[]"), Bytes::from("abc"));
            assert_eq!(
                take_reply(&mut part, 7),
                Ok(Some(Reply { exit: 3, recycle: true, pauses: false, quick: false, answer }))
            );
            assert!(part.is_empty());
        }
    }

    #[test]
    fn forged_replies_are_told_apart() {
        assert!(take_reply(&mut reply(8, 1, 0, 0), 7).is_err());
        assert!(take_reply(&mut reply(7, 9, 0, 0), 7).is_err());
        assert!(take_reply(&mut reply(7, 2, 0, u32::MAX), 7).is_err());
        assert!(take_reply(&mut reply(7, 3, u32::MAX, 0), 7).is_err());
    }

    #[test]
    fn another_reply_may_follow() {
        let mut both = reply(7, 2, 0, 1);
        both.push(b'1');
        both.extend(reply(9, 1, 0, 0));
        let first = take_reply(&mut both, 7).unwrap().unwrap();
        assert_eq!(first.answer, RawAnswer::Value(Bytes::from("1")));
        assert_eq!(take_reply(&mut both, 9).unwrap().unwrap().answer, RawAnswer::Nothing);
        assert!(both.is_empty());
    }
}
