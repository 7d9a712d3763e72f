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

OrderLine = TypedDict("OrderLine", {
    "article": "str",
    "price-in-cents": "NotRequired[int | None]",
    "quantity": "int",
})

class Receipt(TypedDict):
    by_article: dict[str, float]
    next: NotRequired[Receipt | None]
    pair: list[str | int]
    taken: list[Taken]

State: TypeAlias = "Literal[\"Gone\"] | StateDelayed"

class StateDelayed(TypedDict):
    Delayed: StateDelayedDelayed

class StateDelayedDelayed(TypedDict):
    days: int

class Taken(TypedDict):
    article: str
    state: State

# GET of the endpoint `python_shop/left`.
class LeftArgs(TypedDict):
    article: str
LeftResult: TypeAlias = "list[list[int | bool] | None]"

# POST of the endpoint `python_shop/left`.
class LeftNowArgs(TypedDict):
    article: str
LeftNowResult: TypeAlias = "Any"

# POST of the endpoint `python_shop/take`.
class TakeArgs(TypedDict):
    lines: list[OrderLine]
    note: NotRequired[str]
TakeResult: TypeAlias = "Receipt"
