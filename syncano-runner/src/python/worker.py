"""Serves the calls of one script, one after the other, for as long as the server wants."""


def text_at(frame, offset, length):
    return None if length == ABSENT else frame[offset : offset + length].decode()


read_json = json.JSONDecoder().scan_once


def value_of(data):
    text = data.decode()
    try:
        value, end = read_json(text, 0)
        if end == len(text):
            return value
    except (ValueError, StopIteration):
        pass
    # It begins or ends with spaces, or this says what is wrong with it.
    return json.loads(text)


class Repeated:
    """The value of a text that is often the one of the call before: a copy of it is made in a fraction of the time."""

    data = copy = None

    def value_of(self, data):
        if data != self.data:
            self.data, self.copy = data, None
            return value_of(data)
        if self.copy is None:
            self.copy = marshal.dumps(value_of(data))
        return marshal.loads(self.copy)


meta = Repeated()


def serve(frame):
    """Runs one call and answers it."""
    start = monotonic_ns()
    number, *lengths, meta_length = CALL.unpack_from(frame)
    kind, head, body, exit = NOTHING, b"", b"", 0
    state.response = None
    state.recycle = False
    raw_stdout.left = raw_stderr.left = raw_stdout.limit
    try:
        state.running = True
        values, offset = [], CALL.size
        for length in lengths:
            if length == ABSENT:
                values.append(None)
            else:
                values.append(value_of(frame[offset : offset + length]))
                offset += length
        kind, head, body = script.run(*values, meta.value_of(frame[offset : offset + meta_length]))
        state.running = False
    except BaseException as error:
        kind, head, body, exit = settle(error)
    flags = RECYCLE
    try:
        if clean_up() and not state.recycle:
            state.paused = not is_silent()
            flags = (PAUSED if state.paused else 0) | (QUICK if monotonic_ns() - start < QUICKLY else 0)
    except BaseException:
        pass
    reply(number, kind, exit, flags, head, body)
    if flags & RECYCLE:
        # Calls that it has been sent are for another process.
        os._exit(exit)


def settle(error):
    """What a call answers whose script raised `error`."""
    try:
        # Printing, exit handlers and the answer itself may raise in their turn, but not for ever.
        for _ in range(8):
            try:
                return answer_to(error)
            except BaseException as another:
                error = another
        return NOTHING, b"", b"", FAILED
    finally:
        state.running = False


def answer_to(error):
    if isinstance(error, SystemExit):
        exit = exit_code(error.code)
        end_program()
        if exit == 0 and isinstance(state.response, HttpResponse):
            return *answer_with(state.response), 0
        return NOTHING, b"", b"", exit
    if not isinstance(error, Exception) or isinstance(error, MemoryError):
        state.recycle = True
    print_error(error)
    if isinstance(error, TimedOut):
        return NOTHING, b"", b"", TIMED_OUT
    end_program()
    if isinstance(error, AppError):
        return APP_ERROR, b"", app_error(error), FAILED
    return NOTHING, b"", b"", FAILED


def end_program():
    if script.code is not None and not script.function_style:
        wait_for_threads()
        run_exit_handlers()
