"""A script: what it sees, how it is read, and how a call runs it."""


class HttpResponse:
    """An HTTP answer of the script's own: hand it to `set_response`, or return it from `main`."""

    __module__ = "builtins"
    # Others would be set in vain.
    __slots__ = "status_code", "content", "content_type", "headers"

    def __init__(self, status_code=200, content="", content_type="application/json", headers=None):
        self.status_code = status_code
        self.content = content
        self.content_type = content_type
        self.headers = {} if headers is None else headers


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


def file_name(name):
    """What a script of that name would be called as a file."""
    fitting = "".join(c if c.isalnum() or c in "._-" else "_" for c in name[:100]).lstrip(".") or "script"
    return fitting if fitting.endswith(".py") else fitting + ".py"


class Script:
    """The script of this process: compiled at its first call, so that its errors belong to that call."""

    def __init__(self, name, config, source):
        self.filename = f"<{name}>"
        # Which files may begin with, and no text that is compiled.
        self.source = source[1:] if source.startswith("\ufeff") else source
        self.config = config
        self.code = None
        self.module = None
        self.style = None
        # Why it may have done nothing.
        self.note = None
        self.function_style = False
        self.loaded = False
        self.reaches_files = True
        self.fresh_config = None
        self.leftovers = None
        # Where it would be as a file, and whether it is there.
        self.path = os.path.join(os.getcwd(), file_name(name))
        self.names_path = self.is_written = False
        # It makes no dicts with other keys.
        self.only_text_keys = False
        # Of the last `main` all of whose parameters have names, and these.
        self.plain_code = self.plain_names = None

    def compile(self):
        lines = io.StringIO(self.source, newline=None).readlines()
        for name in (self.filename, self.path):
            linecache.cache[name] = len(self.source), None, lines, name
        # marshal copies plain data several times faster than json reads it.
        config = marshal.dumps(json.loads(self.config))
        self.fresh_config = dict if config == marshal.dumps({}) else lambda: marshal.loads(config)
        tree = compile(self.source, self.filename, "exec", ONLY_TREE, True)
        self.style = Style(tree)
        self.function_style = self.style.is_function
        if self.function_style:
            self.style.without_guards()
        if self.style.idle:
            names = ", ".join(f"`{name}`" for name in self.style.idle)
            self.note = (
                f"nothing calls {names}: name the function `main`, which is called with the arguments, or call it and "
                "print what it returns"
            )
        code = compile(tree, self.filename, "exec", 0, True)
        self.reaches_files = reaches_files(tree, code)
        self.leftovers = Leftovers(code)
        self.only_text_keys = self.leftovers.names.only_text_keys
        self.names_path = not self.leftovers.names.words.isdisjoint(("__file__", "argv"))
        self.code = code

    def write(self):
        """Makes a file of it, for who asks for it by its name."""
        with open(self.path, "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
            file.write(self.source)
        self.is_written = True

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
            self.leftovers.watch(False)
        if self.names_path and not self.is_written:
            self.write()
        arguments = merged
        if query is not None or body is not None:
            arguments = dict(merged) if isinstance(merged, dict) else {}
            arguments["POST"] = {} if body is None else body
            arguments["GET"] = {} if query is None else query
        if self.module is None or not self.function_style:
            self.module = type(sys)("__main__")
            self.module.__dict__.update(
                __builtins__=builtins, __file__=self.path, HttpResponse=HttpResponse, AppError=AppError,
                set_response=set_response,
            )
        namespace = state.namespace = self.module.__dict__
        sys.modules["__main__"] = self.module
        namespace["ARGS"] = arguments
        namespace["CONFIG"] = self.fresh_config()
        namespace["META"] = meta
        if not self.function_style:
            exec(self.code, namespace)
            return self.end_of_program()
        if not self.loaded:
            exec(self.code, namespace)
            if not callable(namespace.get("main")):
                return self.without_function(namespace)
            self.loaded = True
            self.leftovers.watch(True)
        return answer_of(call_main(namespace["main"], merged if main is None else main))

    def without_function(self, namespace):
        """What looked like a script with a function has turned out to be a program."""
        if self.style.guards:
            found = f"is {shown(namespace['main'])}" if "main" in namespace else "isn't defined"
            raise Refused(f"`main` {found} after the top level has run: it must be a function")
        self.function_style = False
        if "main" not in namespace:
            self.note = "its top level has not defined `main`"
        return self.end_of_program()

    def end_of_program(self):
        end_program()
        answer = answer_of(None)
        if self.note is not None and answer[0] == NOTHING and sys.stdout is stdout and sys.stderr is stderr:
            stdout.flush()
            if not (raw_stdout.is_used() or raw_stderr.is_used()):
                print(f"the script printed nothing, and {self.note}", file=stderr)
        return answer


def call_main(main, arguments):
    positional, named = bind(main, arguments)
    result = main(*positional, **named)
    if type(result).__name__ == "coroutine":
        import asyncio

        result = asyncio.run(result)
    return result


FUNCTION = type(call_main)


def needs(missing):
    return Refused("main() needs the argument " + ", ".join(f"`{name}`" for name in missing))


def has_no(unknown, names):
    takes = ", ".join(f"`{name}`" for name in names) or "no arguments"
    return Refused("main() has no parameter " + ", ".join(f"`{name}`" for name in unknown) + f"; it takes {takes}")


def sole(names):
    takes = ", ".join(f"`{name}`" for name in names) or "no arguments"
    return Refused(f"the arguments are a list, which goes to a sole parameter; main() takes {takes}")


def bind_by_signature(main, arguments):
    """The same for whatever else can be called: methods, classes, `functools.partial`, functions of C."""
    import inspect

    try:
        parameters = inspect.signature(main).parameters.values()
    except (TypeError, ValueError):
        # The call itself tells what doesn't fit.
        return ([], arguments) if isinstance(arguments, dict) else ([arguments], {})
    takes_any = any(parameter.kind == parameter.VAR_KEYWORD for parameter in parameters)
    named = [it for it in parameters if it.kind not in (it.VAR_POSITIONAL, it.VAR_KEYWORD)]
    names = [parameter.name for parameter in named]
    if not isinstance(arguments, dict):
        if len(named) != 1:
            raise sole(names)
        return ([], {names[0]: arguments}) if named[0].kind == named[0].KEYWORD_ONLY else ([arguments], {})
    missing = [it.name for it in named if it.default is it.empty and it.name not in arguments]
    if missing:
        raise needs(missing)
    unknown = [] if takes_any else [name for name in arguments if name not in names]
    if unknown:
        raise has_no(unknown, names)
    positional = [it for it in named if it.kind == it.POSITIONAL_ONLY]
    while positional and positional[-1].name not in arguments:
        # Left to its default, as long as none that is given comes after it.
        positional.pop()
    rest = dict(arguments)
    return [rest.pop(it.name, it.default) for it in positional], rest


def bind(main, arguments):
    """Positional and named arguments for `main`, or Refused with the name of what doesn't fit."""
    if type(main) is not FUNCTION:
        return bind_by_signature(main, arguments)
    code = main.__code__
    if code is script.plain_code and isinstance(arguments, dict) and arguments.keys() == script.plain_names:
        # As it mostly is.
        return (), arguments
    count = code.co_argcount
    names = code.co_varnames[: count + code.co_kwonlyargcount]
    if not code.co_posonlyargcount:
        script.plain_code, script.plain_names = code, set(names)
    takes_any = bool(code.co_flags & 0x08)
    if not isinstance(arguments, dict):
        if len(names) == 1:
            return ([arguments], {}) if count else ([], {names[0]: arguments})
        raise sole(names)
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
        raise needs(missing)
    if not takes_any:
        unknown = [name for name in arguments if name not in names]
        if unknown:
            raise has_no(unknown, names)
    if not positional_only:
        return [], arguments
    named = dict(arguments)
    positional = [
        named.pop(name) if name in named else defaults[index - first_default]
        for index, name in enumerate(names[:positional_only])
    ]
    return positional, named
