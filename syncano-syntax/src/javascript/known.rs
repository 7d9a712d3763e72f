//! The names that Node gives to every script, by the major version that has them first. A test compares them with Node itself.

/// Global names.
pub(super) const GLOBALS: [(u8, &[&str]); 4] = [
    (
        18,
        &[
            "AbortController", "AbortSignal", "AggregateError", "Array", "ArrayBuffer", "Atomics", "BigInt",
            "BigInt64Array", "BigUint64Array", "Blob", "Boolean", "BroadcastChannel", "Buffer",
            "ByteLengthQueuingStrategy", "CompressionStream", "CountQueuingStrategy", "DOMException",
            "DataView", "Date", "DecompressionStream", "Error", "EvalError", "Event", "EventTarget",
            "FinalizationRegistry", "Float32Array", "Float64Array", "FormData", "Function", "Headers",
            "Infinity", "Int16Array", "Int32Array", "Int8Array", "Intl", "JSON", "Map", "Math",
            "MessageChannel", "MessageEvent", "MessagePort", "NaN", "Number", "Object", "Performance",
            "Promise", "Proxy", "RangeError", "ReadableByteStreamController", "ReadableStream",
            "ReadableStreamBYOBReader", "ReadableStreamBYOBRequest", "ReadableStreamDefaultController",
            "ReadableStreamDefaultReader", "ReferenceError", "Reflect", "RegExp", "Request", "Response",
            "Set", "SharedArrayBuffer", "String", "Symbol", "SyntaxError", "TextDecoder",
            "TextDecoderStream", "TextEncoder", "TextEncoderStream", "TransformStream",
            "TransformStreamDefaultController", "TypeError", "URIError", "URL", "URLSearchParams",
            "Uint16Array", "Uint32Array", "Uint8Array", "Uint8ClampedArray", "WeakMap", "WeakRef",
            "WeakSet", "WebAssembly", "WritableStream", "WritableStreamDefaultController",
            "WritableStreamDefaultWriter", "atob", "btoa", "clearImmediate", "clearInterval",
            "clearTimeout", "console", "crypto", "decodeURI", "decodeURIComponent", "encodeURI",
            "encodeURIComponent", "escape", "eval", "fetch", "global", "globalThis", "isFinite", "isNaN",
            "parseFloat", "parseInt", "performance", "process", "queueMicrotask", "setImmediate",
            "setInterval", "setTimeout", "structuredClone", "undefined", "unescape",
        ],
    ),
    (
        20,
        &[
            "Crypto", "CryptoKey", "CustomEvent", "File", "PerformanceEntry", "PerformanceMark",
            "PerformanceMeasure", "PerformanceObserver", "PerformanceObserverEntryList",
            "PerformanceResourceTiming", "SubtleCrypto",
        ],
    ),
    (
        22,
        &[
            "Iterator", "Navigator", "WebSocket", "navigator",
        ],
    ),
    (
        24,
        &[
            "AsyncDisposableStack", "CloseEvent", "DisposableStack", "Float16Array", "SuppressedError",
            "URLPattern",
        ],
    ),
];

/// Modules of its own; those that only `node:` leads to with that.
pub(super) const MODULES: [(u8, &[&str]); 4] = [
    (
        18,
        &[
            "node:test", "node:test/reporters",
            "assert", "assert/strict", "async_hooks", "buffer", "child_process", "cluster", "console",
            "constants", "crypto", "dgram", "diagnostics_channel", "dns", "dns/promises", "domain",
            "events", "fs", "fs/promises", "http", "http2", "https", "inspector", "module", "net", "os",
            "path", "path/posix", "path/win32", "perf_hooks", "process", "punycode", "querystring",
            "readline", "readline/promises", "repl", "stream", "stream/consumers", "stream/promises",
            "stream/web", "string_decoder", "sys", "timers", "timers/promises", "tls", "trace_events",
            "tty", "url", "util", "util/types", "v8", "vm", "wasi", "worker_threads", "zlib",
        ],
    ),
    (
        20,
        &[
            "inspector/promises", "node:sea",
        ],
    ),
    (
        22,
        &[
            "node:sqlite",

        ],
    ),
    (
        24,
        &[
            
        ],
    ),
];
