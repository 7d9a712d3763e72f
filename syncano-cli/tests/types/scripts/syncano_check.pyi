# Made by `syncano types`: run it again instead of changing this.
from typing import Any, Protocol

from .__builtins__ import *

from .take import main as Take_main

class TakeMain(Protocol):
    def __call__(self, *, lines: list[OrderLine], note: str = ...) -> Any: ...

Take_check: TakeMain = Take_main
