"""A script: what it sees, how it is read, and how a call runs it."""


class HttpResponse:
    """An HTTP answer of the script's own: hand it to `set_response`, or return it from `main`."""

    __module__ = "builtins"

    def __init__(self, status_code=200, content="", content_type="application/json", headers=None):
        self.status_code = status_code
        self.content = content
        self.content_type = content_type
        self.headers = headers


class AppError(Exception):
    """An error that the script's callers know by its name; `data` is anything that JSON can say."""

    __module__ = "builtins"

    def __init__(self, name, data=None):
        super().__init__(name, data)
        self.name = name
        self.data = data

    def __str__(self):
        return str(self.name) if self.data is None else f"{self.name} {self.data!r}"


class TimedOut(BaseException):
    """Raised where the script stands when its time is over; a BaseException, so that `except Exception` lets it pass."""

    __module__ = "builtins"


class Refused(Exception):
    """The script or its caller did something that has no answer; shown without a stack."""

    __module__ = "builtins"


def set_response(response):
    """Makes `response`, an HttpResponse, the answer of this call. The last one counts."""
    state.response = response


class State:
    """What belongs to the call that runs now."""

    running = False
    recycle = False
    # The next call comes over the channel.
    paused = False
    # More descriptors are open than before it.
    keeps_more = False
    response = None
    exit_handlers = []
    namespace = None
    has_signals = False
    settled = False
    collections = 0


state = State()


ONLY_TREE = 0x400  # ast.PyCF_ONLY_AST, without importing ast

PRELOADED_SOURCE = 64 * 1024
PRELOAD_SECONDS = 10  # half of what the server waits for a worker


def calls_main(node):
    """Whether running `node` as part of the top level calls `main`; bodies of functions don't run there."""
    pending = [node]
    while pending:
        node = pending.pop()
        kind = type(node).__name__
        if kind == "Call" and type(node.func).__name__ == "Name" and node.func.id == "main":
            return True
        skipped = "body" if kind in ("FunctionDef", "AsyncFunctionDef", "Lambda") else None
        for field in node._fields:
            if field == skipped:
                continue
            value = getattr(node, field, None)
            if isinstance(value, list):
                pending.extend(item for item in value if hasattr(item, "_fields"))
            elif hasattr(value, "_fields"):
                pending.append(value)
    return False


def is_function_style(tree):
    """A top-level `main` that the top level never calls is there for us to call."""
    defined = any(
        type(node).__name__ in ("FunctionDef", "AsyncFunctionDef") and node.name == "main" for node in tree.body
    )
    return defined and not any(calls_main(node) for node in tree.body)


def leading_imports(tree):
    """The imports that a script begins with. Nothing of it runs before them, so they may as well have been done."""
    found = []
    for node in tree.body:
        kind = type(node).__name__
        if kind in ("Import", "ImportFrom"):
            found.append(node)
        elif found or kind != "Expr" or type(node.value).__name__ != "Constant":
            break
    return found


# Modules that don't lead to files.
FILELESS = frozenset(
    "__future__ abc array base64 binascii bisect calendar cmath collections collections.abc copy dataclasses datetime decimal difflib "
    "enum fractions functools hashlib heapq hmac html itertools json math numbers operator pprint random re secrets statistics string "
    "struct textwrap time types typing unicodedata urllib.parse zlib".split()
)
# Names that lead there, or to a module whose name isn't written down.
LEADS_ON = frozenset(
    "open exec eval compile breakpoint os _os sys _sys io codecs builtins inspect importlib tokenize urllib __import__ __builtins__ "
    "__globals__ __subclasses__ __loader__ __spec__".split()
)
BLOCKS = "body", "orelse", "finalbody", "handlers", "cases"


def reaches_files(tree, code):
    """Whether a script may open files or change descriptors, by what it names; where in doubt, yes. What is left of that has to be looked
    for after each call, which takes longer than many a call."""
    pending = [tree]
    while pending:
        statement = pending.pop()
        kind = type(statement).__name__
        if kind == "Import" and any(alias.name not in FILELESS for alias in statement.names):
            return True
        if kind == "ImportFrom" and statement.module not in FILELESS:
            return True
        for block in BLOCKS:
            pending.extend(getattr(statement, block, ()))
    pending = [code]
    while pending:
        part = pending.pop()
        if not LEADS_ON.isdisjoint(part.co_names):
            return True
        pending.extend(constant for constant in part.co_consts if type(constant) is type(code))
    return False


class Script:
    """The script of this process: compiled at its first call, so that its errors belong to that call."""

    def __init__(self, name, config, source):
        self.filename = f"<{name}>"
        # Which files may begin with, and no text that is compiled.
        self.source = source[1:] if source.startswith("\ufeff") else source
        self.config = config
        self.code = None
        self.module = None
        self.function_style = False
        self.loaded = False
        self.reaches_files = True
        self.fresh_config = None
        # Of the last `main` all of whose parameters have names, and these.
        self.plain_code = self.plain_names = None

    def compile(self):
        linecache.cache[self.filename] = (
            len(self.source), None, io.StringIO(self.source, newline=None).readlines(), self.filename
        )
        # marshal copies plain data several times faster than json reads it.
        config = marshal.dumps(json.loads(self.config))
        self.fresh_config = dict if config == marshal.dumps({}) else lambda: marshal.loads(config)
        tree = compile(self.source, self.filename, "exec", ONLY_TREE, True)
        self.function_style = is_function_style(tree)
        code = compile(tree, self.filename, "exec", 0, True)
        self.reaches_files = reaches_files(tree, code)
        self.code = code

    def preload(self):
        """Imports what the script begins with, so that no call waits for it, and what it changes is there to stay. What
        fails is left to the call: its error belongs there."""
        # A large one may take long to read, for which there is a timeout in calls.
        if len(self.source) > PRELOADED_SOURCE:
            return
        _signal.signal(_signal.SIGALRM, out_of_patience)
        _signal.setitimer(_signal.ITIMER_REAL, PRELOAD_SECONDS)
        try:
            tree = compile(self.source, self.filename, "exec", ONLY_TREE, True)
            tree.body = leading_imports(tree)
            if tree.body:
                exec(compile(tree, self.filename, "exec", 0, True), {"__name__": "__main__"})
        except BaseException:
            pass
        finally:
            _signal.setitimer(_signal.ITIMER_REAL, 0)
            _signal.signal(_signal.SIGALRM, _signal.SIG_DFL)

    def run(self, merged, query, body, main, meta):
        """One call; returns (kind, head, body) of the answer."""
        if self.code is None:
            self.compile()
        arguments = merged
        if query is not None or body is not None:
            arguments = dict(merged) if isinstance(merged, dict) else {}
            arguments["POST"] = {} if body is None else body
            arguments["GET"] = {} if query is None else query
        if self.module is None or not self.function_style:
            self.module = type(sys)("__main__")
            self.module.__dict__.update(
                __builtins__=builtins, HttpResponse=HttpResponse, AppError=AppError, set_response=set_response
            )
        namespace = state.namespace = self.module.__dict__
        sys.modules["__main__"] = self.module
        namespace["ARGS"] = arguments
        namespace["CONFIG"] = self.fresh_config()
        namespace["META"] = meta
        if not self.function_style:
            exec(self.code, namespace)
            end_program()
            return answer_of(None)
        if not self.loaded:
            exec(self.code, namespace)
            self.loaded = True
        return answer_of(call_main(namespace["main"], merged if main is None else main))


def call_main(main, arguments):
    positional, named = bind(main, arguments)
    result = main(*positional, **named)
    if type(result).__name__ == "coroutine":
        import asyncio

        result = asyncio.run(result)
    return result


def bind(main, arguments):
    """Positional and named arguments for `main`, or Refused with the name of what doesn't fit."""
    code = getattr(main, "__code__", None)
    if code is None:
        # A callable object: the call itself tells what doesn't fit.
        return ([], arguments) if isinstance(arguments, dict) else ([arguments], {})
    if code is script.plain_code and isinstance(arguments, dict) and arguments.keys() == script.plain_names:
        # As it mostly is.
        return (), arguments
    count = code.co_argcount
    names = code.co_varnames[: count + code.co_kwonlyargcount]
    if not code.co_posonlyargcount:
        script.plain_code, script.plain_names = code, set(names)
    takes = ", ".join(f"`{name}`" for name in names) or "no arguments"
    takes_any = bool(code.co_flags & 0x08)
    if not isinstance(arguments, dict):
        if len(names) == 1:
            return ([arguments], {}) if count else ([], {names[0]: arguments})
        raise Refused(f"the arguments are a list, which goes to a sole parameter; main() takes {takes}")
    positional_only = code.co_posonlyargcount
    defaults = main.__defaults__ or ()
    first_default = count - len(defaults)
    named_defaults = main.__kwdefaults__ or {}
    missing = [
        name
        for index, name in enumerate(names)
        if name not in arguments
        and not (first_default <= index < count or (index >= count and name in named_defaults))
    ]
    if missing:
        raise Refused("main() needs the argument " + ", ".join(f"`{name}`" for name in missing))
    if not takes_any:
        unknown = [name for name in arguments if name not in names]
        if unknown:
            listed = ", ".join(f"`{name}`" for name in unknown)
            raise Refused(f"main() has no parameter {listed}; it takes {takes}")
    if not positional_only:
        return [], arguments
    named = dict(arguments)
    positional = [
        named.pop(name) if name in named else defaults[index - first_default]
        for index, name in enumerate(names[:positional_only])
    ]
    return positional, named
