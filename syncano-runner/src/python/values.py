"""How a script's values are written as JSON: as pydantic's JSON mode writes them, or not at all.

What JSON knows anyway is written by the C encoder. It would also write keys that aren't text, each in its own way and two alike, and
say of nothing where it stands, so values with anything else in them are made plain first, here, and then written.
"""

TEXT_OR_NUMBER = frozenset((str, int, float, bool, type(None)))
PLAIN = TEXT_OR_NUMBER | {dict, list, tuple}
# Deeper than any answer may be; what is deeper, or contains itself, is for `Plain` to find the place of.
MAX_DEPTH = 200

# Objects that are being written: one among them again is a cycle.
open_objects = {}
# What `json.dumps` would make anew for each value.
pieces_of = json.encoder.c_make_encoder(
    open_objects, json.JSONEncoder().default, json.encoder.encode_basestring, None, ":", ",", False, False, False
)


def encode(value):
    try:
        return "".join(pieces_of(value, 0))
    finally:
        open_objects.clear()


flat = itertools.chain.from_iterable
values_of = dict.values
ONLY_TEXT = {str}


def is_plain(value):
    """Whether the C encoder writes `value` as it should. Goes through it level by level, so that the loops are in C."""
    kind = type(value)
    if kind in TEXT_OR_NUMBER:
        return True
    level, kinds = (value,), {kind}
    for _ in range(MAX_DEPTH):
        if not kinds <= PLAIN:
            return False
        if dict in kinds:
            dicts = level if len(kinds) == 1 else [item for item in level if type(item) is dict]
            if not ONLY_TEXT.issuperset(map(type, set().union(*dicts) if len(dicts) > 1 else dicts[0])):
                return False
            below = list(flat(map(values_of, dicts)))
            if len(kinds) > 1:
                below += flat(item for item in level if type(item) is not dict)
        else:
            below = list(flat(level))
        kinds = set(map(type, below))
        if kinds <= TEXT_OR_NUMBER:
            return True
        if kinds.isdisjoint(TEXT_OR_NUMBER):
            level = below
        else:
            kinds -= TEXT_OR_NUMBER
            level = [item for item in below if type(item) in kinds]
    return False


def to_json(value, what):
    """The JSON of `value`, or Refused with what can't be written, its place, and a way out."""
    try:
        if script.only_text_keys or is_plain(value):
            return to_utf8(encode(value))
    except (TypeError, ValueError, RecursionError):
        # The other way finds the place.
        pass
    plain = Plain()
    try:
        made = plain.value(value)
        try:
            return to_utf8(encode(made))
        except ValueError:
            plain.find(made)
            raise
    except NotPlain as problem:
        place = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in plain.place)
        where = f"at `{place}`: " if place else ""
        raise Refused(f"{what} can't be written as JSON: {where}{problem}") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(f"{what} can't be written as JSON: {error}") from None


class NotPlain(Exception):
    """A value that has no JSON; the text says why, and what to do."""


def shown(value):
    """Few words for a value."""
    try:
        text = repr(value)
    except Exception:
        text = type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."


def half_of_a_pair(text):
    return (
        f"{shown(text)} holds half of a surrogate pair, which is no text by itself: leave it out, as with "
        '`text.encode("utf-8", "replace").decode()`'
    )


def name_of(kind):
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def difference_to_utc(value):
    """How an aware time differs from UTC, in whole minutes; nothing for a naive one."""
    difference = value.utcoffset()
    if difference is None:
        return ""
    seconds = difference.days * 86400 + difference.seconds
    if seconds == 0:
        return "Z"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}"


def moment(value):
    return value.replace(tzinfo=None).isoformat() + difference_to_utc(value)


def duration(value):
    """ISO 8601: years of 365 days, days, hours, minutes and seconds."""
    sign = "-" if value.days < 0 else ""
    if sign:
        value = -value
    years, days = divmod(value.days, 365)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    date = (f"{years}Y" if years else "") + (f"{days}D" if days else "")
    fraction = f".{value.microseconds:06}".rstrip("0") if value.microseconds else ""
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or fraction:
        time += f"{seconds}{fraction}S"
    if not date and not time:
        return "PT0S"
    return f"{sign}P{date}" + (f"T{time}" if time else "")


def decimal_text(value):
    if not value.is_finite():
        raise NotPlain(f"{shown(value)} is no number")
    return str(value)


def pattern(value):
    if not isinstance(value.pattern, str):
        raise NotPlain("a pattern of bytes; return its source as text")
    return value.pattern


# By module and name, so that none of these modules has to be loaded.
TEXTS = {
    ("datetime", "datetime"): moment,
    ("datetime", "time"): moment,
    ("datetime", "date"): lambda value: value.isoformat(),
    ("datetime", "timedelta"): duration,
    ("decimal", "Decimal"): decimal_text,
    ("uuid", "UUID"): str,
    ("pathlib", "PurePath"): str,
    ("pathlib._local", "PurePath"): str,
    ("fractions", "Fraction"): str,
    ("builtins", "complex"): lambda value: str(value).strip("()"),
    ("re", "Pattern"): pattern,
    **{
        ("ipaddress", kind + version): str
        for kind in ("IPv4", "IPv6") for version in ("Address", "Network", "Interface")
    },
}
LISTS = {("builtins", "set"), ("builtins", "frozenset"), ("collections", "deque")}

# What to do instead.
WAYS_OUT = {
    "bytes": "send it as text, as with `value.decode()` or `base64.b64encode(value).decode()`, or return an `HttpResponse`",
    "coroutine": "`await` it",
    "async_generator": "collect it, as with `[item async for item in value]`",
    "Task": "`await` it",
    "Future": "`await` it, or take its `result()`",
    "generator": "collect it, as with `list(value)`",
    "function": "call it",
    "ndarray": "convert it, as with `value.tolist()`",
    "generic": "convert it, as with `value.item()`",
    "DataFrame": 'convert it, as with `value.to_dict("records")`',
    "Series": "convert it, as with `value.tolist()`",
    "Index": "convert it, as with `value.tolist()`",
    "array": "convert it, as with `value.tolist()`",
    "range": "convert it, as with `list(value)`",
    "iterator": "collect it, as with `list(value)`",
    "mapping": "convert it, as with `dict(value)`",
    "BaseException": "send its text, as with `str(error)`",
    "HttpResponse": "return it by itself, or hand it to `set_response`",
    "type": "return one of its instances, or its name",
}
ALIASES = {
    "bytearray": "bytes", "memoryview": "bytes", "method": "function", "builtin_function_or_method": "function",
    "partial": "function", "dict_keys": "range", "dict_values": "range", "dict_items": "range", "UserList": "range",
    "mappingproxy": "mapping", "ChainMap": "mapping", "UserDict": "mapping",
}


def way_out(value):
    for kind in type(value).__mro__:
        name = ALIASES.get(kind.__name__, kind.__name__)
        if name in WAYS_OUT:
            return WAYS_OUT[name]
    if hasattr(value, "__next__"):
        return WAYS_OUT["iterator"]
    if callable(value):
        return WAYS_OUT["function"]
    return "return a dict of its fields, as with `vars(value)`" if hasattr(value, "__dict__") else "send it as text"


class Plain:
    """Makes values plain. `place` is where it stands, for the error."""

    def __init__(self):
        self.place = []
        self.open = set()

    def value(self, value):
        kind = type(value)
        if kind is str or kind is int or kind is bool or value is None:
            return value
        if kind is float:
            return self.number(value)
        if isinstance(value, (dict, list, tuple)):
            return self.container(value)
        written = self.by_kind(value)
        if written is not None:
            return written[0]
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int.__int__(value)
        if isinstance(value, float):
            return self.number(float.__float__(value))
        if kind.__name__ == "coroutine":
            # Nobody needs to be warned of it besides.
            value.close()
        raise NotPlain(f"{shown(value)} of the type `{name_of(kind)}`: {way_out(value)}")

    @staticmethod
    def number(value):
        if value - value != 0:
            raise NotPlain(f"{value!r} is no number in JSON: send `None` or a text")
        return value

    def by_kind(self, value):
        """A tuple of what `value` is written as; None: by nothing that is known of its kind."""
        # Classes that say so themselves.
        own = getattr(type(value), "__pydantic_serializer__", None)
        if own is not None and hasattr(own, "to_python"):
            if hasattr(type(value), "model_dump"):
                dumped = value.model_dump(mode="json", by_alias=True)
            else:
                dumped = own.to_python(value, mode="json", by_alias=True)
            return (self.value(dumped),)
        if hasattr(type(value), "__fields__") and hasattr(type(value), "parse_obj"):
            # pydantic 1
            return (self.value(json.loads(value.json(by_alias=True))),)
        fields = getattr(type(value), "__dataclass_fields__", None)
        if fields is not None:
            names = [name for name, field in fields.items() if field._field_type.name == "_FIELD"]
            return (self.items(value, [(name, getattr(value, name)) for name in names if hasattr(value, name)]),)
        for kind in type(value).__mro__:
            key = kind.__module__, kind.__qualname__
            if key in TEXTS:
                return (TEXTS[key](value),)
            if key in LISTS:
                return (self.container(value),)
            if key == ("enum", "Enum"):
                return (self.value(value.value),)
        return None

    def find(self, made):
        """Raises NotPlain if something in a plain value can't be written: half of a character, or an integer of no end."""
        if isinstance(made, str):
            try:
                to_utf8(made)
            except UnicodeError:
                raise NotPlain(half_of_a_pair(made)) from None
        elif isinstance(made, int):
            self.digits(made)
        elif isinstance(made, (dict, list)):
            for key, item in made.items() if isinstance(made, dict) else enumerate(made):
                if isinstance(key, str):
                    self.find_in_key(key)
                self.place.append(key)
                self.find(item)
                self.place.pop()

    @staticmethod
    def find_in_key(key):
        try:
            to_utf8(key)
        except UnicodeError:
            raise NotPlain(f"the key {half_of_a_pair(key)}") from None

    @staticmethod
    def digits(number):
        try:
            return repr(number)
        except ValueError:
            # `str` would fail like this.
            raise NotPlain(
                f"an integer of more than {sys.get_int_max_str_digits()} digits: send it as text, as with `hex(value)`"
            ) from None

    def container(self, value):
        if isinstance(value, dict):
            return self.items(value, value.items())
        self.enter(value)
        written = []
        self.place.append(0)
        for item in value:
            self.place[-1] = len(written)
            written.append(self.value(item))
        self.place.pop()
        self.open.discard(id(value))
        return written

    def items(self, value, items):
        self.enter(value)
        written = {}
        for key, item in items:
            text = key if type(key) is str else self.key(key)
            if text in written:
                raise NotPlain(f"two of its keys are both `{text}` as text")
            self.place.append(text)
            written[text] = self.value(item)
            self.place.pop()
        self.open.discard(id(value))
        return written

    def enter(self, value):
        if id(value) in self.open:
            raise NotPlain("it contains itself")
        if len(self.open) > MAX_DEPTH:
            self.place.clear()
            raise NotPlain(f"it is nested more than {MAX_DEPTH} levels deep")
        self.open.add(id(value))

    def key(self, key):
        """The text of a key."""
        if isinstance(key, tuple):
            return ",".join(map(self.key, key))
        if isinstance(key, (bytes, bytearray)):
            raise NotPlain(f"the key {shown(key)} is bytes: use text, as with `key.decode()`")
        try:
            value = self.value(key)
        except NotPlain as problem:
            raise NotPlain(f"a key that isn't text: {problem}") from None
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if value is None or isinstance(value, (int, float)):
            return self.digits(value)
        raise NotPlain(f"the key {shown(key)} of the type `{name_of(type(key))}`: use text")


