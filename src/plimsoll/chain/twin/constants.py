"""Which constants do the contracts compute with, read from their sources so that they are written once?"""

import ast
import operator
import re
from collections.abc import Callable
from functools import cache

from plimsoll.chain.compilation import CONTRACTS

__all__ = ["constants"]

_LINE = re.compile(r"^(\w+): constant\(u?int256\) = (.+?)(?:  #.*)?$", re.MULTILINE)
_IMPORT = re.compile(r"^import (\w+)$", re.MULTILINE)
_OPERATIONS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Pow: operator.pow,
    ast.FloorDiv: operator.floordiv,
}


@cache
def constants(contract: str) -> dict[str, int]:
    """Give a contract's integer constants by name; expressions are worked out as the compiler does.

    >>> constants("fixed_point")["ONE"] == 2**96
    True
    """
    text = (CONTRACTS / f"{contract}.vy").read_text(encoding="utf-8")
    imported = {name: constants(name) for name in _IMPORT.findall(text)}
    found: dict[str, int] = {}
    for name, expression in _LINE.findall(text):
        found[name] = _value(ast.parse(expression, mode="eval").body, found, imported)
    return found


def _value(node: ast.expr, known: dict[str, int], imported: dict[str, dict[str, int]]) -> int:
    match node:
        case ast.Constant(value=int() as number):
            return number
        case ast.Name(id=name):
            return known[name]
        case ast.Attribute(value=ast.Name(id=library), attr=name):
            return imported[library][name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, known, imported)
        case ast.BinOp(left=left, op=operation, right=right):
            work = _OPERATIONS[type(operation)]
            return work(_value(left, known, imported), _value(right, known, imported))
    raise ValueError(ast.dump(node))
