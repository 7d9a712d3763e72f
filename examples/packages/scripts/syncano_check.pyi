# Made by `syncano types`: run it again instead of changing this.
from typing import Any, Protocol

from .__builtins__ import *

from .render import main as Render_main

class RenderMain(Protocol):
    def __call__(self, *, text: str) -> Any: ...

Render_check: RenderMain = Render_main
