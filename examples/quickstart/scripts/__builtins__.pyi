# Made by `syncano types`: run it again instead of changing this.
from typing import Any, Literal, Never, NotRequired, TypeAlias, TypedDict, overload

# Of which keys, a script says itself: `args: "NAMEArgs" = ARGS`.
ARGS: Any
CONFIG: dict[str, Any]
META: dict[str, Any]

class HttpResponse:
    """An HTTP answer of the script's own: hand it to `set_response`, or return it from `main`."""

    status_code: int
    content: Any
    content_type: str
    headers: dict[str, str] | None
    def __init__(
        self,
        status_code: int = 200,
        content: Any = "",
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None: ...

class AppError(Exception):
    """An error that the script's callers know by its name; `data` is anything that JSON can say."""

    name: str
    data: Any
    def __init__(self, name: str, data: Any = None) -> None: ...

def set_response(response: HttpResponse) -> None: ...

class Frequency(TypedDict):
    count: int
    word: str

class Invoice(TypedDict):
    net: str
    total: str
    vat: str

class OrderLine(TypedDict):
    article: str
    price: str
    quantity: int

class Statistics(TypedDict):
    distinct: int
    lines: int
    longest: str
    most_common: list[Frequency]
    words: int

# GET of the endpoint `text_tools/slug`.
class SlugArgs(TypedDict):
    title: str
SlugResult: TypeAlias = "str"

# POST of the endpoint `text_tools/statistics`.
class StatisticsArgs(TypedDict):
    text: str
    top: NotRequired[int]
StatisticsResult: TypeAlias = "Statistics"

# GET of the endpoint `my_custom_socket/my_endpoint`.
class CustomScriptArgs(TypedDict):
    country: str
CustomScriptResult: TypeAlias = "str | None"

# POST of the endpoint `my_custom_socket/my_endpoint`.
class AnotherCustomScriptArgs(TypedDict):
    lines: list[OrderLine]
    vat_percent: str
AnotherCustomScriptResult: TypeAlias = "Invoice"
