"""What a call answers, and what it shows of an error."""


def to_utf8(text):
    """UTF-8 of a string. Two halves of a surrogate pair are joined; one alone has none, and is an error."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le").encode()


def answer_of(returned):
    """The answer that a call leads to. `returned` is what `main` returned, None for a program."""
    response = returned if isinstance(returned, HttpResponse) else None
    if response is None and returned is None and isinstance(state.response, HttpResponse):
        response = state.response
    if response is not None:
        return answer_with(response)
    if not script.function_style:
        return NOTHING, b"", b""
    return VALUE, b"", limited(to_json(returned, "what main() returned"))


def answer_with(response):
    try:
        status = int(response.status_code)
    except (TypeError, ValueError):
        raise Refused(f"the response's status code is not a number: {response.status_code!r}") from None
    if not 0 <= status <= 999:
        raise Refused(f"the response's status code {status} is not within 200 to 599")
    try:
        headers = [[str(name), str(value)] for name, value in dict(response.headers or {}).items()]
    except (TypeError, ValueError):
        raise Refused(f"the response's headers are not a dict: {response.headers!r}") from None
    content = response.content
    if not isinstance(content, (bytes, bytearray, memoryview)):
        try:
            content = to_utf8("" if content is None else str(content))
        except UnicodeError:
            raise Refused(f"the response's content can't be written as UTF-8: {half_of_a_pair(content)}") from None
    head = to_json([status, str(response.content_type), headers], "the response's head")
    if len(head) > MAX_HEAD:
        raise Refused("the response's headers are too long")
    return RESPONSE, head, limited(bytes(content))


def app_error(error):
    """The externally tagged JSON of an AppError that the script let go."""
    if not isinstance(error.name, str) or not error.name:
        raise Refused(f"the name of an AppError must be a text that isn't empty: {error.name!r}")
    what = f"the data of AppError {error.name!r}"
    return limited(to_json(error.name if error.data is None else {error.name: error.data}, what))


def limited(body):
    if len(body) > MAX_ANSWER:
        raise Refused(f"the answer has {len(body)} bytes; at most {MAX_ANSWER} are allowed")
    return body


def without_runner(error):
    """Cuts this file's frames off the stacks of `error` and of everything it was raised from."""
    pending, seen = [error], set()
    while pending:
        error = pending.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        stack = error.__traceback__
        while stack is not None and stack.tb_frame.f_code.co_filename == "<syncano worker>":
            stack = stack.tb_next
        error.__traceback__ = stack
        while stack is not None:
            # Also where this file was called by the script, as the signal handler is.
            while stack.tb_next is not None and stack.tb_next.tb_frame.f_code.co_filename == "<syncano worker>":
                stack.tb_next = stack.tb_next.tb_next
            stack = stack.tb_next
        pending += [error.__cause__, error.__context__]


HAS_NO_NETWORK = os.environ.get("SYNCANO_NETWORK") == "none"


def print_error(error):
    """The traceback as Python itself prints it, the script's frames only."""
    try:
        if isinstance(error, Refused):
            text = str(error) + "\n"
        else:
            without_runner(error)
            text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            if HAS_NO_NETWORK and '/socket.py", line ' in text:
                text += "scripts have no network at this level of isolation: it takes the level `namespace`\n"
            if isinstance(error, PermissionError) and "mmap(" in text:
                text += "scripts share memory with nobody: ask for it with `flags=mmap.MAP_PRIVATE`\n"
            if HAS_NO_NETWORK and isinstance(error, OSError) and "/multiprocessing/" in text and NO_PROCESSES not in text:
                text += "scripts have no shared memory at this level of isolation: it takes the level `namespace`\n"
    except BaseException:
        # Out of memory, or an exception that can't even be shown.
        text = type(error).__name__ + "\n"
    sys.stderr.write(text)


def exit_code(code):
    """The exit code that `sys.exit(code)` stands for; a text goes to stderr."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return FAILED


def out_of_patience(signal_number, frame):
    raise TimedOut("the imports take too long")


def out_of_time(signal_number, frame):
    if state.running:
        raise TimedOut("the script ran longer than its timeout")
