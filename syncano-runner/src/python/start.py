"""Becomes the worker of the script that comes over the channel. What is above only defines; this runs."""

frame = take_frame()
name_size, config_size, source_size, output_limit, MAX_ANSWER, MAX_HEAD, is_fresh = SETUP.unpack_from(frame)
offset = SETUP.size
pieces = []
for size in (name_size, config_size, source_size):
    pieces.append(text_at(frame, offset, size))
    offset += 0 if size == ABSENT else size
script = Checker() if pieces[2] is None else Script(*pieces)
del frame, pieces

for raw in (raw_stdout, raw_stderr):
    raw.limit = raw.left = output_limit
use_outputs()
sys.argv = [script.path]
atexit.register, atexit.unregister = register, unregister
# Threads get 4 MiB of stack: the usual 8 MiB would eat a script's memory limit with 25 of them.
_thread.stack_size(4 << 20)
_signal.signal(_signal.SIGINT, out_of_time)
os.umask(0o077)
if not is_fresh:
    notice_signals()
    script.preload()
    # A package may have put others in their place.
    use_outputs()
    baseline = Baseline()
    collect()
reply(0, READY)
while True:
    serve(take_call())
