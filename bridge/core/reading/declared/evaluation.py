"""JMESPath evaluated over anything that a stranger may answer: totally, and in bounds.

jmespath's own interpreter raises for types that a function does not take, and some twenty
characters of `[@,@][] | [@,@][] | …` double a list until the memory is full. Here every visit
of a node, and every element that is copied, compared or printed, is a step; who has none left
finds nothing.
"""

from collections.abc import Iterable
from typing import Any

from jmespath.functions import Functions
from jmespath.visitor import Options, TreeInterpreter

from bridge.core.reading.declared.parsing import Tree

STEPS = 100_000
"""Steps of one evaluation: a page of 1,000 generations takes about 10,000, 100,000 take 0.1 s."""

LARGEST = 200_000
"""Values in what an expression has put together itself."""

_CHARACTERS = 256
"""Characters that cost one step."""

_MAKING = frozenset({"multi_select_list", "multi_select_dict", "function_expression"})


class TooMuchError(Exception):
    """The steps are used up."""


def making(tree: Tree) -> bool:
    """Whether an expression puts something together that the document does not hold."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if node["type"] in _MAKING:
            return True
        waiting.extend(child for child in node["children"] if isinstance(child, dict))
    return False


def evaluated(tree: Tree, document: Any, *, made: bool) -> Any:  # noqa: ANN401  (any document)
    """Return what an expression finds; None: nothing, or it cannot be said.

    `made`: the expression puts something together (`making`), whose size is to be bounded.
    """
    try:
        found = _Interpreter().visit(tree, document)
        if made:
            size(found, LARGEST)
    except Exception:  # noqa: BLE001  (a function met a type it does not take, or TooMuchError)
        return None
    return found


def size(value: Any, most: int) -> int:  # noqa: ANN401  (any JSON)
    """Count the values in a value, what is held twice twice; raises TooMuchError above `most`."""
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        count += 1
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, str):
            count += len(one) // _CHARACTERS
        if count + len(waiting) > most:
            raise TooMuchError
    return count


class _Interpreter(TreeInterpreter):
    """jmespath's, which counts."""

    def __init__(self) -> None:
        super().__init__(Options(custom_functions=_Counted(self)))
        self.left = STEPS

    def spend(self, steps: int) -> None:
        """Count steps before they are done; raises TooMuchError."""
        self.left -= steps
        if self.left < 0:
            raise TooMuchError

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Visit a node, which is a step."""
        self.left -= 1
        if self.left < 0:
            raise TooMuchError
        return super().visit(node, *args, **kwargs)

    def visit_flatten(self, node: Any, value: Any) -> Any:  # noqa: ANN401
        """Flatten a list, if it does not become too long."""
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        self.spend(sum(len(one) if isinstance(one, list) else 1 for one in base))
        flat: list[Any] = []
        for one in base:
            if isinstance(one, list):
                flat.extend(one)
            else:
                flat.append(one)
        return flat

    def visit_comparator(self, node: Any, value: Any) -> Any:  # noqa: ANN401
        """Compare, if it is not too much to compare."""
        left, right = (self.visit(child, value) for child in node["children"])
        if isinstance(left, dict | list) and isinstance(right, dict | list):
            self.spend(size(left, self.left))
        known: Any = {**node, "children": [_literal(left), _literal(right)]}
        return super().visit_comparator(known, value)


def _literal(value: Any) -> Tree:  # noqa: ANN401
    return {"type": "literal", "value": value, "children": []}


class _Counted(Functions):
    """jmespath's functions; what they copy, print and compare is counted first."""

    def __init__(self, interpreter: _Interpreter) -> None:
        self._interpreter = interpreter

    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Any:  # noqa: ANN401
        """Call a function, if it is not too much."""
        arguments, counting = list(resolved_args), self._interpreter
        counting.spend(_cost(function_name, arguments, counting.left))
        return super().call_function(function_name, arguments)


def _cost(name: str, arguments: list[Any], most: int) -> int:
    if name == "to_string" or (name == "contains" and _branches(arguments[1:])):
        return sum(size(one, most) for one in arguments)
    cost = sum(map(_length, arguments))
    if name == "join" and isinstance(arguments[1], list):
        texts = sum(map(_length, arguments[1]))
        cost += len(arguments[1]) * _length(arguments[0]) + texts
    return cost


def _branches(arguments: list[Any]) -> bool:
    return any(isinstance(one, dict | list) for one in arguments)


def _length(value: object) -> int:
    if isinstance(value, str):
        return 1 + len(value) // _CHARACTERS
    return len(value) if isinstance(value, dict | list) else 1
