"""What a script can leave in the process beside files, and whether it did: by what it names.

A script that assigns to no attribute and calls nothing that sets something of the process has nothing to be looked at after its calls.
Of others what they name is looked at: settings of the process, attributes of modules and of what these hold, lists and dicts in them.
After a program that is put back, and where it can't be, the process is replaced. What the top level of a function sets is its own to
keep. What its calls change beyond that costs it the process, since what the function itself remembers would be wrong otherwise; settings
are put back where it can't remember having set them.

It sees what is done by ordinary means, as a script would to its own later calls. Between scripts stands the process.
"""

MISSING = object()
SKIPPED = frozenset(("__main__", "syncano_worker"))

# What may change an attribute whose name isn't written down, of what is named.
SETTERS = frozenset("setattr delattr __setattr__ __delattr__ __dict__ vars patch eval".split())
# What may change anything.
DYNAMIC = frozenset("exec __globals__ __subclasses__ get_objects get_referrers run_path run_module".split())
# What leads to modules whose names aren't written down.
IMPORTERS = frozenset("__import__ import_module modules".split())
# Texts that are no longer than this may be names.
NAME_SIZE = 100
MUTATORS = frozenset(
    "append extend insert pop remove clear update setdefault popitem sort reverse add discard __setitem__ __delitem__".split()
)


def decimal_state(decimal):
    context = decimal.getcontext()
    context.clear_flags()
    traps = [signal for signal, is_set in context.traps.items() if is_set]
    return context.prec, context.rounding, context.Emin, context.Emax, context.capitals, context.clamp, [], traps


def limits_of(resource):
    return [resource.getrlimit(number) for name, number in vars(resource).items() if name.startswith("RLIMIT_")]


def priorities_of(posix):
    policy = posix.sched_getscheduler(0) if hasattr(posix, "sched_getscheduler") else 0
    affinity = posix.sched_getaffinity(0) if hasattr(posix, "sched_getaffinity") else 0
    return posix.getpriority(posix.PRIO_PROCESS, 0), policy, affinity, posix.getpgid(0), posix.getsid(0)


def stack_size(thread):
    # Asking sets it to nothing.
    size = thread.stack_size()
    thread.stack_size(size)
    return size


def types_known(mimetypes):
    if not mimetypes.inited:
        mimetypes.init()
    return dict(mimetypes.types_map), dict(mimetypes.common_types)


def loggers_of(logging):
    """What has been set up of each logger; those as they are made are left out."""
    found = {"": logging.root.manager.disable}
    for logger in [logging.root, *list(logging.root.manager.loggerDict.values())]:
        if isinstance(logger, logging.Logger):
            state = list(logger.handlers), list(logger.filters), logger.level, logger.propagate, logger.disabled
            if state != ([], [], logging.NOTSET, True, False):
                levels = [(handler.level, handler.formatter, list(handler.filters)) for handler in logger.handlers]
                found[logger] = *state, levels
    return found


def set_loggers(logging, before):
    for logger in loggers_of(logging).keys() | before.keys():
        if logger == "":
            continue
        handlers, filters, level, logger.propagate, logger.disabled, levels = before.get(
            logger, ([], [], logging.NOTSET, True, False, [])
        )
        logger.handlers[:], logger.filters[:] = handlers, filters
        for handler, (handler.level, handler.formatter, handler.filters[:]) in zip(handlers, levels):
            pass
        if logger.level != level:
            # It makes what all loggers have found out stale.
            logger.setLevel(level)
    if logging.root.manager.disable != before[""]:
        logging.disable(before[""])


def set_filters(warnings, before):
    # It also makes the caches of shown warnings stale.
    warnings.resetwarnings()
    warnings.filters[:] = before


def replace_dict(read):
    """How to put back a dict that `read` returns a copy of."""

    def write(module, value):
        kept = read(module)
        kept.clear()
        kept.update(value)

    return lambda module: dict(read(module)), write


def never(_):
    """What can't be read, and is taken for changed."""
    return object()


# Of whoever names one of these: the module, what is set there, and how to put it back, if that can be done.
SETTINGS = [
    ("setlocale resetlocale", "_locale", lambda m: m.setlocale(m.LC_ALL), lambda m, value: m.setlocale(m.LC_ALL, value)),
    ("getcontext setcontext", "decimal", decimal_state, lambda m, value: m.setcontext(m.Context(*value))),
    ("DefaultContext BasicContext ExtendedContext", "decimal", lambda m: repr(m.DefaultContext), None),
    ("setdefaulttimeout", "_socket", lambda m: m.getdefaulttimeout(), lambda m, value: m.setdefaulttimeout(value)),
    ("pthread_sigmask", "_signal", lambda m: m.pthread_sigmask(m.SIG_BLOCK, ()), None),
    ("set_wakeup_fd", "_signal", lambda m: m.set_wakeup_fd(-1), lambda m, value: m.set_wakeup_fd(value)),
    ("setrlimit prlimit", "resource", limits_of, None),
    ("nice setpriority sched_setaffinity sched_setscheduler sched_setparam setpgid setpgrp setsid", "posix", priorities_of, None),
    ("putenv unsetenv", "posix", never, None),
    ("set_int_max_str_digits", "sys", lambda m: m.get_int_max_str_digits(), lambda m, value: m.set_int_max_str_digits(value)),
    ("setdlopenflags", "sys", lambda m: m.getdlopenflags(), lambda m, value: m.setdlopenflags(value)),
    ("addaudithook", "sys", never, None),
    ("set_asyncgen_hooks", "sys", lambda m: tuple(m.get_asyncgen_hooks()), lambda m, value: m.set_asyncgen_hooks(*value)),
    ("set_debug", "gc", lambda m: m.get_debug(), lambda m, value: m.set_debug(value)),
    ("install_opener", "urllib.request", lambda m: m._opener, lambda m, value: m.install_opener(value)),
    ("tzset", "time", lambda m: (m.tzname, m.timezone, m.altzone, m.daylight), lambda m, _: m.tzset()),
    ("stack_size", "_thread", stack_size, lambda m, value: m.stack_size(value)),
    ("settrace setprofile", "threading", lambda m: (m._trace_hook, m._profile_hook), None),
    ("field_size_limit", "_csv", lambda m: m.field_size_limit(), lambda m, value: m.field_size_limit(value)),
    ("register_dialect unregister_dialect", "_csv", lambda m: sorted(m.list_dialects()), None),
    ("setfirstweekday", "calendar", lambda m: m.firstweekday(), lambda m, value: m.setfirstweekday(value)),
    ("add_type", "mimetypes", types_known, None),
    ("register_namespace", "xml.etree.ElementTree", *replace_dict(lambda m: m._namespace_map)),
    ("copyreg", "copyreg", *replace_dict(lambda m: m.dispatch_table)),
    (
        "captureWarnings addLevelName setLoggerClass setLogRecordFactory", "logging",
        lambda m: (m._warnings_showwarning, dict(m._levelToName), m._loggerClass, m._logRecordFactory), None,
    ),
    (
        "set_start_method", "multiprocessing.context", lambda m: m._default_context._actual_context,
        lambda m, value: setattr(m._default_context, "_actual_context", value),
    ),
    ("register_error", "codecs", never, None),
    ("seterr", "numpy", lambda m: m.geterr(), lambda m, value: m.seterr(**value)),
    ("set_printoptions", "numpy", lambda m: m.get_printoptions(), lambda m, value: m.set_printoptions(**value)),
    ("logging", "logging", loggers_of, set_loggers),
    ("warnings simplefilter filterwarnings resetwarnings", "warnings", lambda m: list(m.filters), set_filters),
]
# A function may keep what this one is about.
LOOPS = (
    "get_event_loop new_event_loop set_event_loop set_event_loop_policy", "asyncio.events",
    lambda m: m._event_loop_policy, lambda m, value: setattr(m, "_event_loop_policy", value),
)
SEEDS = frozenset(("seed", "setstate", "set_state"))


def parts_of(code):
    """A code object and all that are in it."""
    pending = [code]
    while pending:
        part = pending.pop()
        yield part
        pending.extend(constant for constant in part.co_consts if type(constant) is type(code))


# A script that imports nothing else, names none of these and sets no items makes no dict whose keys aren't text.
TEXT_KEYED = frozenset("__future__ base64 datetime hashlib hmac itertools json math operator os random re secrets statistics string "
                       "sys textwrap time typing unicodedata urllib urllib.parse uuid zlib".split())
KEY_MAKERS = frozenset("dict fromkeys setdefault update maketrans modules exec eval __class__ __build_class__ type vars globals locals "
                       "__dict__ __import__ environ".split())


# A function with none of these, nor anything that stores beyond its own call, remembers nothing from call to call.
MEMORIES = MUTATORS | SETTERS | DYNAMIC | IMPORTERS | frozenset("cache lru_cache cached_property next send __defaults__".split())
# Attributes of what is put back itself.
OF_SETTINGS = frozenset("propagate disabled prec rounding".split())


class Names:
    """What a script names: in its code, and in texts, which may be names or code themselves."""

    def __init__(self, code):
        import opcode

        store_attributes = {opcode.opmap["STORE_ATTR"], opcode.opmap["DELETE_ATTR"]}
        store_items = {opcode.opmap["STORE_SUBSCR"], opcode.opmap["DELETE_SUBSCR"]}
        extended, imports = opcode.opmap["EXTENDED_ARG"], opcode.opmap["IMPORT_NAME"]
        sets_items = {opcode.opmap[name] for name in ("STORE_SUBSCR", "MAP_ADD", "BUILD_MAP", "DICT_MERGE", "DICT_UPDATE",
                                                      "BUILD_MAP_UNPACK", "BUILD_MAP_UNPACK_WITH_CALL") if name in opcode.opmap}
        key_map = opcode.opmap.get("BUILD_CONST_KEY_MAP")
        lasts = store_items | {
            opcode.opmap[name] for name in ("STORE_GLOBAL", "DELETE_GLOBAL", "STORE_DEREF", "DELETE_DEREF", "STORE_SLICE")
            if name in opcode.opmap
        }
        self.in_code, self.words, self.stores, self.imports = set(), set(), set(), set()
        self.changes_items = self.sets_items = self.remembers = False
        for part in parts_of(code):
            self.in_code.update(part.co_names)
            for constant in part.co_consts:
                for text in constant if type(constant) in (tuple, frozenset) else (constant,):
                    if type(text) is str and len(text) <= NAME_SIZE:
                        self.words.update(words_of(text))
            steps = part.co_code[::2]
            self.changes_items = self.changes_items or not store_items.isdisjoint(steps)
            self.sets_items = self.sets_items or not sets_items.isdisjoint(steps) or (
                key_map in steps and any(type(keys) is tuple and set(map(type, keys)) != {str} for keys in part.co_consts)
            )
            self.remembers = self.remembers or (part is not code and not lasts.isdisjoint(steps))
            if store_attributes.isdisjoint(steps) and imports not in steps:
                continue
            high = 0
            for step, argument in zip(steps, part.co_code[1::2]):
                argument |= high
                high = argument << 8 if step == extended else 0
                if step in store_attributes:
                    self.stores.add(part.co_names[argument])
                elif step == imports:
                    name = part.co_names[argument]
                    self.imports.add(name)
                    self.words.update(name.split("."))
        self.words |= self.in_code
        self.remembers = (
            self.remembers or not self.stores <= OF_SETTINGS or not MEMORIES.isdisjoint(self.words)
            or not all(is_standard(name.partition(".")[0]) for name in self.imports)
        )
        self.changes_items = self.changes_items or not MUTATORS.isdisjoint(self.words)
        self.only_text_keys = (
            not self.sets_items and self.words.isdisjoint(KEY_MAKERS) and self.imports <= TEXT_KEYED
        )


words_of = sys.modules["re"].compile(r"[^\W\d]\w*").findall


FUNCTIONS_AND_THE_LIKE = type(words_of), type(lambda: 0), staticmethod, classmethod, property


def changeable(value):
    """The attributes of a module, class or object as a dict, if a script can change them."""
    if isinstance(value, FUNCTIONS_AND_THE_LIKE) or (isinstance(value, type) and not value.__flags__ & 1 << 9):
        # A class without that flag is written in C.
        return None
    try:
        return vars(value)
    except TypeError:
        return None


class Leftovers:
    """What there is to look at after each call of a script."""

    def __init__(self, code):
        self.names = names = Names(code)
        words = names.words
        self.top_level_seeds = not SEEDS.isdisjoint(code.co_names)
        self.seeds = not SEEDS.isdisjoint(words)
        self.everything = not DYNAMIC.isdisjoint(names.in_code)
        self.whole = self.everything or not SETTERS.isdisjoint(words)
        self.any_module = self.everything or (
            not IMPORTERS.isdisjoint(words) and (self.whole or bool(names.stores))
        )
        self.touches_environment = not words.isdisjoint(("environ", "environb", "putenv", "unsetenv"))
        self.touches_path = "path" in words
        self.touches_builtins = self.everything or not words.isdisjoint(("builtins", "__builtins__", "__self__"))
        self.settings = [row for row in SETTINGS if not words.isdisjoint(row[0].split())]
        self.loops = [LOOPS] if not words.isdisjoint(LOOPS[0].split()) else []
        # Whether there is anything to look at, once it has been noted.
        self.is_armed = False
        self.may_change_objects = self.whole or names.changes_items or bool(names.stores)

    def watch(self, of_function):
        """Notes how things are."""
        for name in self.names.imports if self.may_change_objects else ():
            # What is loaded by the call itself could have been changed by it.
            if name not in sys.modules and is_standard(name.partition(".")[0]):
                try:
                    __import__(name)
                except Exception:
                    pass
        self.unloaded = [name for name in self.names.imports if name not in sys.modules]
        # Packages may change them when they are loaded.
        self.touches_builtins = self.touches_builtins or bool(self.unloaded)
        self.values = []
        for row in self.settings + ([] if of_function else self.loops):
            module = sys.modules.get(row[1])
            if module is None and row[1] != "numpy":
                try:
                    __import__(row[1])
                    module = sys.modules[row[1]]
                except ImportError:
                    pass
            if module is not None and hasattr(module, "__dict__"):
                try:
                    self.values.append((module, row[2], row[3], row[2](module)))
                except AttributeError:
                    # Another version has no such thing.
                    pass
        self.attributes, self.whole_owners, self.containers, self.modules, self.seen = [], [], [], None, set()
        if self.may_change_objects:
            self.look_at(self.owners())
        self.is_watching = bool(self.attributes or self.whole_owners or self.containers or self.modules)
        if of_function:
            self.environ = dict(os.environ._data)
            self.builtins = dict(vars(builtins)) if self.touches_builtins else None
            self.path = list(sys.path)
        self.is_armed = bool(
            self.seeds or self.values or self.is_watching or (self.unloaded and self.may_change_objects)
            or (of_function and (self.touches_environment or self.touches_path or self.touches_builtins))
        )

    def owners(self):
        """What has attributes, and can be reached by names."""
        if self.any_module:
            first = [module for name, module in list(sys.modules.items()) if name not in SKIPPED]
        else:
            first = [
                sys.modules[name]
                for word in self.names.imports | self.names.words
                for name in prefixes(word)
                if name in sys.modules and name not in SKIPPED
            ]
        found, pending = {}, first + [HttpResponse, AppError]
        while pending and len(found) < MAX_OWNERS:
            owner = pending.pop()
            attributes = None if id(owner) in found or owner is builtins else changeable(owner)
            if attributes is None:
                continue
            found[id(owner)] = owner
            for word in self.names.words & attributes.keys():
                pending.append(attributes[word])
        return list(found.values())

    def look_at(self, owners):
        names = self.names
        for owner in owners:
            if id(owner) in self.seen:
                continue
            self.seen.add(id(owner))
            attributes = changeable(owner)
            if self.whole:
                self.whole_owners.append((owner, attributes, dict(attributes)))
            self.attributes += [(owner, attributes, name, attributes.get(name, MISSING)) for name in names.stores]
            if not names.changes_items:
                continue
            for word in names.words & attributes.keys():
                value = attributes[word]
                if value is sys.modules:
                    self.modules = dict(value)
                elif any(value is known for known, _ in self.containers):
                    continue
                elif type(value) in (dict, list, set) and value is not sys.path and len(value) <= MAX_ITEMS:
                    self.containers.append((value, value.copy()))

    def restore(self, of_function):
        """False: something has been changed that can't be put back, or that a function has changed."""
        if self.seeds and not (of_function and self.top_level_seeds):
            self.draw_anew()
        for module, read, write, before in self.values:
            if read(module) != before:
                if write is None or (of_function and self.names.remembers):
                    return False
                write(module, before)
        if self.unloaded and self.may_change_objects and not self.see_loaded():
            return False
        if self.is_watching and not self.restore_objects(of_function):
            return False
        if not of_function:
            return True
        return (
            (not self.touches_environment or os.environ._data == self.environ)
            and (not self.touches_builtins or vars(builtins) == self.builtins)
            and (not self.touches_path or sys.path == self.path)
        )

    def see_loaded(self):
        """Takes packages that a call has loaded as they are, unless that very call may have changed them."""
        loaded = [sys.modules[name] for name in self.unloaded if name in sys.modules]
        if not loaded:
            return True
        self.unloaded = [name for name in self.unloaded if name not in sys.modules]
        if self.whole or not all(self.names.stores.isdisjoint(changeable(module) or ()) for module in loaded):
            return False
        self.look_at(self.owners())
        self.is_watching = bool(self.attributes or self.whole_owners or self.containers or self.modules)
        return True

    def restore_objects(self, of_function):
        for owner, attributes, name, before in self.attributes:
            if attributes.get(name, MISSING) is not before and (of_function or not put_back(owner, name, before)):
                return False
        for owner, attributes, before in self.whole_owners:
            if not is_same(attributes, before) and not self.restore_whole(owner, attributes, before, of_function):
                return False
        for container, before in self.containers:
            if not is_same(container, before):
                if of_function:
                    return False
                container.clear()
                (container.extend if type(container) is list else container.update)(before)
        return self.modules is None or self.modules_are_real()

    def restore_whole(self, owner, attributes, before, of_function):
        for name in before.keys() | attributes.keys():
            old, new = before.get(name, MISSING), attributes.get(name, MISSING)
            if old is new or (old is MISSING and (isinstance(new, MODULE) or name.startswith("_"))):
                # Also a part of a package that has been loaded since, or what it keeps for itself.
                continue
            if of_function and (old is None or name.startswith("_")):
                # What a module finds out when it is first asked.
                continue
            if of_function or not put_back(owner, name, old):
                return False
        return True

    def modules_are_real(self):
        """Whether `sys.modules` has what it had, and beside it only what has been imported."""
        for name, module in list(sys.modules.items()):
            if name in SKIPPED or self.modules.get(name) is module:
                continue
            if name in self.modules or getattr(getattr(module, "__spec__", None), "name", None) != name:
                return False
        return all(name in sys.modules for name in self.modules)

    @staticmethod
    def draw_anew():
        """No call foresees what another one draws."""
        module = sys.modules.get("random")
        if module is not None:
            module._inst.seed()
        module = sys.modules.get("numpy.random")
        if module is not None:
            module.seed()


MODULE = type(sys)
MAX_OWNERS = 5000
MAX_ITEMS = 10_000


def is_standard(name):
    names = getattr(sys, "stdlib_module_names", None)
    if names is not None:
        return name in names
    # Python 3.9 and older
    path = os.path.join(os.path.dirname(os.__file__), name)
    return os.path.exists(path) or os.path.exists(path + ".py")


def prefixes(name):
    """`a`, `a.b`, `a.b.c`"""
    parts = name.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def is_same(found, before):
    try:
        return bool(found == before)
    except Exception:
        return False


def put_back(owner, name, value):
    try:
        if value is MISSING:
            delattr(owner, name)
        else:
            setattr(owner, name, value)
        return True
    except (AttributeError, TypeError):
        return False


