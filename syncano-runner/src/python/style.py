"""Which of the two styles a script has, and what of it is called.

A script whose top level binds `main` to what can be called, and never calls it itself, is called by us: function style. All others
are programs. A block `if __name__ == "__main__":` is for whoever runs the file by hand: it decides nothing, and doesn't run in
function style. But scripts of 2016 are run like that: one whose block has to do with a `main` that takes and returns nothing is a
program, and so is one whose `main` is bound to anything else than a function.
"""

FUNCTIONS = "FunctionDef", "AsyncFunctionDef"
SCOPES = FUNCTIONS + ("Lambda", "ClassDef")
BLOCKS = "body", "handlers", "orelse", "finalbody", "cases"

# What other platforms call.
ENTRY_POINTS = "main handler lambda_handler handle handle_request entrypoint entry_point run".split()


def kind_of(node):
    return type(node).__name__


def children(node, skipped=None):
    for field in node._fields:
        if field == skipped:
            continue
        value = getattr(node, field, None)
        if isinstance(value, list):
            yield from (item for item in value if hasattr(item, "_fields"))
        elif hasattr(value, "_fields"):
            yield value


def running(nodes):
    """Everything that runs when `nodes` do as part of the top level; bodies of functions don't."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        yield node
        pending.extend(children(node, "body" if kind_of(node) in FUNCTIONS + ("Lambda",) else None))


def statements(tree):
    """The statements of the top level, in order, with those in its blocks; a guard's own are left out."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if node is not tree and hasattr(node, "lineno") and kind_of(node) != "ExceptHandler":
            yield node
        if kind_of(node) in SCOPES:
            continue
        for block in reversed(BLOCKS):
            if block == "body" and is_guard(node):
                continue
            pending.extend(reversed(getattr(node, block, None) or ()))


def is_main(node):
    """`__name__ == "__main__"`"""
    if kind_of(node) == "BoolOp" and kind_of(node.op) == "And":
        return any(map(is_main, node.values))
    if kind_of(node) != "Compare" or len(node.ops) != 1 or kind_of(node.ops[0]) != "Eq":
        return False
    sides = node.left, node.comparators[0]
    return any(getattr(side, "id", None) == "__name__" for side in sides) and any(
        getattr(side, "value", None) == "__main__" for side in sides
    )


def is_guard(node):
    return kind_of(node) == "If" and is_main(node.test)


class Anything:
    """Stands for a value that only running the script tells."""

    _fields = ()


def bindings(statement, name):
    """What `statement` binds `name` to: nodes, in order."""
    kind = kind_of(statement)
    if kind in FUNCTIONS + ("ClassDef",):
        if statement.name == name:
            yield statement
        return
    for node in running(own_parts(statement)):
        if kind_of(node) == "NamedExpr" and node.target.id == name:
            yield node.value
    if kind == "Assign":
        for target in statement.targets:
            yield from assigned(target, statement.value, name)
    elif kind == "AnnAssign":
        yield from assigned(statement.target, statement.value, name)
    elif kind in ("For", "AsyncFor"):
        yield from assigned(statement.target, Anything(), name)
    elif kind in ("With", "AsyncWith"):
        for item in statement.items:
            if item.optional_vars is not None:
                yield from assigned(item.optional_vars, Anything(), name)
    elif kind in ("Import", "ImportFrom"):
        if any((alias.asname or alias.name.partition(".")[0]) == name for alias in statement.names):
            yield statement


def assigned(target, value, name):
    """What `name` gets when `value` is assigned to `target`."""
    if kind_of(target) == "Name":
        if target.id == name:
            yield value
    elif kind_of(target) in ("Tuple", "List"):
        values = value.elts if kind_of(value) in ("Tuple", "List") else []
        if len(values) != len(target.elts) or any(kind_of(one) == "Starred" for one in values + target.elts):
            values = [Anything()] * len(target.elts)
        for part, one in zip(target.elts, values):
            yield from assigned(part, one, name)


# Whose value may be something to call.
CALLABLE = FUNCTIONS + (
    "ClassDef", "Import", "ImportFrom", "Name", "Attribute", "Call", "Lambda", "Subscript", "IfExp", "BoolOp", "NamedExpr", "Anything"
)


def takes_and_returns_nothing(function):
    given = function.args
    if given.args or given.kwonlyargs or given.vararg or given.kwarg or getattr(given, "posonlyargs", ()):
        return False
    pending = list(function.body)
    while pending:
        node = pending.pop()
        kind = kind_of(node)
        if kind in ("Yield", "YieldFrom"):
            return False
        if kind == "Return" and node.value is not None and getattr(node.value, "value", node) is not None:
            return False
        if kind not in SCOPES:
            pending.extend(children(node))
    return True


class Style:
    """What there is to know of a script's style."""

    def __init__(self, tree):
        top = list(statements(tree))
        self.guards = [node for node in top if is_guard(node)]
        self.is_function = self.calls_for_us(top)
        # Nothing calls these, should the script turn out to have done nothing.
        self.idle = [] if self.is_function else self.idle_entry_points(top)

    def calls_for_us(self, top):
        bound = [
            value for statement in top for value in bindings(statement, "main") if kind_of(value) in CALLABLE
        ]
        if not bound:
            return False
        main = bound[-1]
        if kind_of(main) == "Name":
            # Another name of a function that is there.
            main = next((node for node in top if kind_of(node) in FUNCTIONS and node.name == main.id), main)
        is_defined = any(kind_of(value) in FUNCTIONS + ("ClassDef",) for value in bound + [main])
        for node in running(part for statement in top for part in own_parts(statement)):
            if kind_of(node) == "Call" and getattr(node.func, "id", None) == "main":
                return False
            # An object that happens to have this name.
            if not is_defined and kind_of(node) == "Name" and node.id == "main" and kind_of(node.ctx) == "Load":
                return False
        is_guarded = any(
            kind_of(node) == "Name" and node.id == "main" for guard in self.guards for node in running(guard.body)
        )
        if kind_of(main) in FUNCTIONS:
            return not (is_guarded and takes_and_returns_nothing(main))
        return not (is_guarded and kind_of(main) == "ClassDef")

    def idle_entry_points(self, top):
        named = {
            node.id
            for node in running([part for statement in top for part in own_parts(statement)] + [
                statement for guard in self.guards for statement in guard.body
            ])
            if kind_of(node) == "Name" and kind_of(node.ctx) == "Load"
        }
        defined = [node.name for node in top if kind_of(node) in FUNCTIONS and node.name not in named]
        known = [name for name in ENTRY_POINTS if name in defined]
        # Where the top level calls nothing at all it can't have done anything.
        calls = any(kind_of(node) in ("Call", "Await") for node in running(part for it in top for part in own_parts(it)))
        return known or ([] if calls or self.guards else defined[-1:])

    def without_guards(self):
        """Keeps guards from running, and their `else` in place."""
        for guard in self.guards:
            never = compile("False", "<syncano worker>", "eval", ONLY_TREE, True).body
            for field in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
                setattr(never, field, getattr(guard.test, field, None))
            guard.test = never


def own_parts(statement):
    """What of a statement runs itself: not the statements in its blocks, nor the body of a function."""
    kind = kind_of(statement)
    if kind in SCOPES:
        return [statement]
    return [
        node
        for field in statement._fields
        if field not in BLOCKS
        for value in (getattr(statement, field, None),)
        for node in (value if isinstance(value, list) else [value])
        if hasattr(node, "_fields")
    ]


