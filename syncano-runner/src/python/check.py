"""A worker that has no script of its own compiles those of others, to say what is wrong with them. None is run."""


class Checker:
    """Stands where others have their script."""

    code = None
    function_style = False
    loaded = False
    reaches_files = True
    leftovers = None
    only_text_keys = False
    path = ""

    def preload(self):
        pass

    def run(self, sources, *_):
        """A line of output for each source: what a process has found out survives its end."""
        warnings.simplefilter("ignore")
        for source in sources:
            print(encode(check(source)).encode(errors="replace").decode())
        return NOTHING, b"", b""


def check(source):
    """What keeps a source from being compiled, and where; nothing if it can be."""
    script = Script("script", "{}", source)
    try:
        script.compile()
    except SyntaxError as error:
        return {"message": error.msg, **place_of(error, script.filename)}
    except (MemoryError, RecursionError):
        return {"too_large": True}
    except ValueError as error:
        return {"message": str(error)}
    return {}


def place_of(error, filename):
    if error.filename != filename or not error.lineno:
        return {}
    # Of what stands in an f-string, some versions give the column within its braces.
    lines = linecache.getlines(filename)
    line = lines[error.lineno - 1] if error.lineno <= len(lines) else ""
    known = error.text is None or error.text.strip() in line
    return {"line": error.lineno, "column": max(error.offset or 0, 1) if known else None}


