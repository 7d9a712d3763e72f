# Made by `syncano types`: run it again instead of changing this.
from typing import Any, Protocol

from .__builtins__ import *

from .statistics import main as Statistics_main

class StatisticsMain(Protocol):
    def __call__(self, *, text: str, top: int = ...) -> Any: ...

Statistics_check: StatisticsMain = Statistics_main

from .invoice import main as AnotherCustomScript_main

class AnotherCustomScriptMain(Protocol):
    def __call__(self, *, lines: list[OrderLine], vat_percent: str) -> Any: ...

AnotherCustomScript_check: AnotherCustomScriptMain = AnotherCustomScript_main
