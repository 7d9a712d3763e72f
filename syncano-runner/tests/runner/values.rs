//! How Python's values cross: as pydantic's JSON mode writes them, or not at all.

use syncano_core::RunStatus;
use syncano_runner::Answer;

use crate::support::*;

const BEFORE: &str = "
import collections, dataclasses, datetime as d, decimal, enum, fractions, functools, ipaddress, pathlib, re, types, uuid
class Color(enum.Enum): RED = 1; BLUE = 'b'; DAY = d.date(2020, 1, 1)
class Level(enum.IntEnum): LOW = 7
class Flags(enum.Flag): A = 1; B = 2
class Coded(str, enum.Enum):
    def __new__(cls, value):
        self = str.__new__(cls, 'text'); self._value_ = value; return self
    A = 5
@dataclasses.dataclass
class Item:
    name: str
    when: object = None
    _left: int = dataclasses.field(default=2, repr=False)
Pair = collections.namedtuple('Pair', 'a b')
class Model:
    __pydantic_serializer__ = types.SimpleNamespace(to_python=None)
    def model_dump(self, mode, by_alias): return {'mode': mode, 'byAlias': by_alias, 'when': '2020-01-01'}
class Old:
    __fields__ = {}
    parse_obj = None
    def json(self, by_alias): return '{\"a\": [1, 2.5]}'
async def later(): return 1
def items(): yield 1
utc, east = d.timezone.utc, d.timezone(d.timedelta(hours=2))
west = d.timezone(-d.timedelta(hours=2, minutes=30, seconds=10))
itself = []; itself.append(itself)
deep = []
for _ in range(500): deep = [deep]
";

// What is expected here is what pydantic 2.14 has written of the same values.
#[tokio::test]
async fn values_are_written_as_pydantic_writes_them() {
    let runner = runner_or_skip!();
    for (expression, json) in [
        (
            "[d.datetime(2020, 1, 2, 3, 4, 5), d.datetime(1, 1, 2, 3, 4, 5, 500000)]",
            r#"["2020-01-02T03:04:05","0001-01-02T03:04:05.500000"]"#,
        ),
        (
            "[d.datetime(2020, 1, 2, tzinfo=utc), d.datetime(2020, 1, 2, tzinfo=east)]",
            r#"["2020-01-02T00:00:00Z","2020-01-02T00:00:00+02:00"]"#,
        ),
        ("d.datetime(2020, 1, 2, 3, 4, 5, 1, tzinfo=west)", r#""2020-01-02T03:04:05.000001-02:30""#),
        (
            "[d.date(1, 1, 1), d.time(1, 2), d.time(1, 2, 3, 4), d.time(1, 2, tzinfo=utc)]",
            r#"["0001-01-01","01:02:00","01:02:03.000004","01:02:00Z"]"#,
        ),
        (
            "[d.timedelta(), d.timedelta(400), d.timedelta(1, 90, 500000), d.timedelta(0, 3600), d.timedelta(-1, 1), -d.timedelta(0, 0, 1)]",
            r#"["PT0S","P1Y35D","P1DT1M30.5S","PT1H","-PT23H59M59S","-PT0.000001S"]"#,
        ),
        (
            "[decimal.Decimal('1.10'), decimal.Decimal('1E+5'), fractions.Fraction(1, 3), 1+2j]",
            r#"["1.10","1E+5","1/3","1+2j"]"#,
        ),
        ("uuid.UUID(int=1)", r#""00000000-0000-0000-0000-000000000001""#),
        (
            "[Color.RED, Color.BLUE, Color.DAY, Level.LOW, Flags.A | Flags.B, Coded.A]",
            r#"[1,"b","2020-01-01",7,3,5]"#,
        ),
        (
            "Item('tea', Item('cup'))",
            r#"{"name":"tea","when":{"name":"cup","when":null,"_left":2},"_left":2}"#,
        ),
        (
            "[Pair(1, d.date(2020, 1, 1)), Model(), Old()]",
            r#"[[1,"2020-01-01"],{"mode":"json","byAlias":true,"when":"2020-01-01"},{"a":[1,2.5]}]"#,
        ),
        ("[{1}, frozenset([2]), collections.deque([3]), (4, [])]", "[[1],[2],[3],[4,[]]]"),
        (
            "[pathlib.Path('a/b'), ipaddress.ip_address('::1'), ipaddress.ip_network('10.0.0.0/8'), re.compile('a+')]",
            r#"["a/b","::1","10.0.0.0/8","a+"]"#,
        ),
        (
            "[collections.OrderedDict(a=1), collections.Counter('ab'), collections.defaultdict(int, a=1)]",
            r#"[{"a":1},{"a":1,"b":1},{"a":1}]"#,
        ),
        (
            "{1: 'a', 1.5: 'b', True or 2: 'c', None: 'd', 2**70: 'e'}",
            r#"{"1":"c","1.5":"b","None":"d","1180591620717411303424":"e"}"#,
        ),
        ("{True: 1, False: [{2: 3}]}", r#"{"true":1,"false":[{"2":3}]}"#),
        (
            "{d.date(2020, 1, 1): 1, uuid.UUID(int=0): 2, Color.BLUE: 3, ('a', 1): 4, Level.LOW: 5}",
            r#"{"2020-01-01":1,"00000000-0000-0000-0000-000000000000":2,"b":3,"a,1":4,"7":5}"#,
        ),
        (
            "[functools.reduce(lambda a, b: a * b, range(1, 26)), 0.1, 1e300, True, None]",
            "[15511210043330985984000000,0.1,1e+300,true,null]",
        ),
    ] {
        let outcome = run(&runner, &format!("{BEFORE}\ndef main():\n    return {expression}")).await;
        let Some(Answer::Value(written)) = &outcome.answer else {
            panic!("{expression}: {}", outcome.stderr)
        };
        assert_eq!(std::str::from_utf8(written).unwrap(), json, "{expression}");
    }
    // And in the data of an error.
    let outcome = run(&runner, &format!("{BEFORE}\nraise AppError('X', Item('tea', Color.RED))")).await;
    let expected = r#"{"X":{"name":"tea","when":1,"_left":2}}"#;
    assert_eq!(outcome.answer, Some(Answer::AppError(expected.into())));
}

#[tokio::test]
async fn what_has_no_json_is_refused_with_its_place_and_a_way_out() {
    let runner = runner_or_skip!();
    for (expression, said) in [
        ("{'rows': [{'a/b': b'x'}]}", "at `/rows/0/a~1b`: b'x' of the type `bytes`: send it as text"),
        ("bytearray(b'x')", "of the type `bytearray`: send it as text"),
        ("[memoryview(b'x')]", "at `/0`:"),
        ("[1.0, float('nan')]", "at `/1`: nan is no number in JSON: send `None` or a text"),
        ("{'a': float('-inf')}", "at `/a`: -inf is no number"),
        ("{'a': decimal.Decimal('NaN')}", "at `/a`: Decimal('NaN') is no number"),
        ("{'rows': later()}", "at `/rows`: <coroutine object later"),
        ("[later()]", "of the type `coroutine`: `await` it"),
        ("items()", "of the type `generator`: collect it, as with `list(value)`"),
        ("map(str, [1])", "of the type `map`: collect it"),
        ("{}.keys()", "of the type `dict_keys`: convert it, as with `list(value)`"),
        ("len", "of the type `builtin_function_or_method`: call it"),
        ("[Item]", "at `/0`: <class '__main__.Item'> of the type `type`: return one of its instances"),
        ("ValueError('x')", "send its text, as with `str(error)`"),
        ("types.SimpleNamespace(a=1)", "return a dict of its fields, as with `vars(value)`"),
        ("[HttpResponse()]", "return it by itself, or hand it to `set_response`"),
        ("{1: 'a', '1': 'b'}", "two of its keys are both `1` as text"),
        ("{'a': {None: 1, 'None': 2}}", "at `/a`: two of its keys"),
        ("{b'x': 1}", "the key b'x' is bytes"),
        ("'\\ud800'", "'\\ud800' holds half of a surrogate pair, which is no text by itself: leave it out"),
        ("[1, {'a': ['x\\udfff']}]", "at `/1/a/0`: 'x\\udfff' holds half of a surrogate pair"),
        ("{'a': {'\\udc00\\ud800': 1}}", "at `/a`: the key '\\udc00\\ud800' holds half of a surrogate pair"),
        ("{'a': d.date(1, 1, 1), 'b': '\\ud800'}", "at `/b`: '\\ud800' holds half"),
        ("{'a': pathlib.Path('/\\udcff')}", "at `/a`: '/\\udcff' holds half"),
        (
            "HttpResponse(200, 'a\\ud800')",
            "the response's content can't be written as UTF-8: 'a\\ud800' holds half",
        ),
        ("HttpResponse(200, '', 'text/plain', {'X-A': '\\ud800'})", "at `/2/0/1`: '\\ud800' holds half"),
        (
            "{'a': [1, 10 ** 5000]}",
            "at `/a/1`: an integer of more than 4300 digits: send it as text, as with `hex(value)`",
        ),
        ("{'a': {10 ** 5000: 1}}", "an integer of more than 4300 digits: send it as text"),
        ("{frozenset(): 1}", "the key frozenset() of the type `frozenset`: use text"),
        ("{float('nan'): 1}", "a key that isn't text: nan is no number"),
        ("itself", "at `/0`: it contains itself"),
        ("deep", "nested more than 200 levels deep"),
    ] {
        let outcome = run(&runner, &format!("{BEFORE}\ndef main():\n    return {expression}")).await;
        assert_eq!((outcome.status, &outcome.answer), (RunStatus::Failure, &None), "{expression}");
        let said_so = outcome.stderr.contains("can't be written as ");
        assert!(said_so && outcome.stderr.contains(said), "{expression}: {}", outcome.stderr);
    }
    let outcome = run(&runner, "async def main():\n    yield 1").await;
    assert!(outcome.stderr.contains("[item async for item in value]"), "{}", outcome.stderr);
}

/// Scripts that can make no other keys are not looked at for them; what they do make crosses all the same.
#[tokio::test]
async fn other_keys_are_found_however_they_are_made() {
    let runner = runner_or_skip!();
    for make in [
        "{1: 'a', '1': 'b'}",
        "{k: 0 for k in (1, '1')}",
        "dict([(1, 0), ('1', 0)])",
        "dict.fromkeys([1, '1'])",
        "{**{1: 0}, '1': 0}",
        "{1: 0} | {'1': 0}",
        "__import__('collections').Counter([1, '1'])",
        "eval('{1: 0, \"1\": 0}')",
        "(lambda made: made.update({1: 0, '1': 0}) or made)({})",
        "(lambda made: [made.setdefault(k, 0) for k in (1, '1')] and made)({})",
        "(lambda made: [made.__setitem__(k, 0) for k in (1, '1')] and made)({})",
        "getattr({}, 'fromkeys')([1, '1'])",
        "type({})([(1, 0), ('1', 0)])",
        "{}.__class__([(1, 0), ('1', 0)])",
    ] {
        let outcome = run(&runner, &format!("def main():\n    return [{make}]")).await;
        assert!(outcome.stderr.contains("at `/0`: two of its keys"), "{make}: {}", outcome.stderr);
    }
}
