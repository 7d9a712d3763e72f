//! What a run was limited to, as the answer of a failed one says it.

use std::fmt;
use std::time::Duration;

/// The limits in force for a run.
///
/// ```
/// use syncano_core::RunLimits;
///
/// let limits = RunLimits::from_header("timeout=2.5, memory=209715200, output=524288, answer=6291456").unwrap();
/// assert_eq!(limits.to_string(), "2.5 s, 200 MiB of memory, 512 KiB of output, an answer of 6 MiB");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    /// The time it may take.
    pub timeout: Duration,
    /// The memory of its process, in bytes.
    pub memory: u64,
    /// Standard output and error together, in bytes.
    pub output: u64,
    /// The body of its answer, in bytes.
    pub answer: u64,
}

impl RunLimits {
    /// As the header [`LIMITS`](crate::headers::LIMITS) has them.
    pub fn to_header(&self) -> String {
        let RunLimits { timeout, memory, output, answer } = self;
        format!("timeout={}, memory={memory}, output={output}, answer={answer}", timeout.as_secs_f64())
    }

    /// Reads what [`to_header`](RunLimits::to_header) writes. Limits that this version doesn't know are passed over.
    pub fn from_header(text: &str) -> Option<RunLimits> {
        let value = |name: &str| {
            let mut parts = text.split(',').filter_map(|part| part.split_once('='));
            parts.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
        };
        let bytes = |name| value(name)?.parse().ok();
        Some(RunLimits {
            timeout: Duration::try_from_secs_f64(value("timeout")?.parse().ok()?).ok()?,
            memory: bytes("memory")?,
            output: bytes("output")?,
            answer: bytes("answer")?,
        })
    }
}

impl fmt::Display for RunLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RunLimits { timeout, memory, output, answer } = self;
        let (seconds, memory, output, answer) =
            (timeout.as_secs_f64(), Size(*memory), Size(*output), Size(*answer));
        write!(f, "{seconds} s, {memory} of memory, {output} of output, an answer of {answer}")
    }
}

/// Bytes for people.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= 1 << 20 && bytes % (1 << 20) == 0 => write!(f, "{} MiB", bytes >> 20),
            bytes if bytes >= 1 << 10 && bytes % (1 << 10) == 0 => write!(f, "{} KiB", bytes >> 10),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_none_is_no_limits() {
        let limits =
            RunLimits { timeout: Duration::from_millis(1500), memory: 1, output: 2048, answer: 3 << 20 };
        assert_eq!(RunLimits::from_header(&limits.to_header()), Some(limits));
        assert_eq!(RunLimits::from_header(&format!("new=1, {}", limits.to_header())), Some(limits));
        for bad in [
            "",
            "timeout=1",
            "timeout=-1, memory=1, output=1, answer=1",
            "timeout=inf, memory=1, output=1, answer=1",
        ] {
            assert_eq!(RunLimits::from_header(bad), None, "{bad}");
        }
    }
}
