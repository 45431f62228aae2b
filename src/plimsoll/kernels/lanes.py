"""How are the price rows of one account's positions added up on whole vector registers?

Left to itself the compiler spills the running sums of a few dozen scenarios to memory at every position.
Here they stay in registers: the loops over positions are written in the compiler's own language, eight
doubles at a time.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from plimsoll.types import Array, Matrix

__all__ = [
    "LANES",
    "MOST_BLOCKS",
    "STRIDE",
    "across",
    "add_rows",
    "below",
    "filled",
    "lowest_sum",
    "moments",
    "neighbours",
    "on_lines",
    "place_of",
    "rows_on_lines",
    "splat",
    "store_sums",
]

LANES = 8
"""Doubles in a vector; the compiler splits it where registers are narrower."""
MOST_BLOCKS = 8
"""Vectors of running sums that fit in registers beside what is loaded."""

_CHAINS = 4
STRIDE = LANES * _CHAINS
"""What the length of a row must be a multiple of, to be read in four independent chains."""

_LINE = 64
"""Bytes of a cache line, and of a vector: one that begins elsewhere takes two loads instead of one."""

_AHEAD = 128
"""Positions by which they are fetched ahead: rows of the table keep the machine too busy to see it."""

_DOUBLE = ir.DoubleType()
_VECTOR = ir.VectorType(_DOUBLE, LANES)
_WORD = ir.IntType(64)


def on_lines(values: Array) -> Array:
    """Copy an array of doubles to where its first byte begins a cache line: same shape, C order."""
    room = np.empty(values.size + LANES)
    start = -room.ctypes.data % _LINE // room.itemsize
    placed: Array = room[start : start + values.size].reshape(values.shape)
    placed[...] = values
    return placed


@njit(cache=True)
def rows_on_lines(count: int, width: int) -> Matrix:
    """Make room for rows whose first begins a cache line, and all others too where 8 divides the width."""
    room = np.empty(count * width + LANES)
    start = (-room.ctypes.data) % _LINE // room.itemsize
    return room[start : start + count * width].reshape((count, width))


@intrinsic
def _lowest_sum(
    _typing: Any,
    table: Any,
    lone: Any,
    columns: Any,
    quantity: Any,
    first: Any,
    last: Any,
    blocks: Any,
    singles: Any,
) -> Any:
    r"""Give :math:`\min_s \sum_{p = first}^{last - 1} q_p\, T_{c_p, s}` over the columns s of T.

    Parameters
    ----------
    table : Matrix [I, 8 len(blocks)], C order
    lone : Matrix [I, len(singles)], C order   Columns that fill no vector: apart, so that they take no line.
    columns : int32 [P]; quantity : Vector [P]
    blocks, singles : tuple   As many zeros as there are vectors and lone columns: known when compiling.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        table, lone, *held, blocks, singles = zip(signature.args, args, strict=True)
        vectors, scalars = add_rows(context, builder, (table, lone, *held), len(blocks[0]), len(singles[0]))
        found = across(builder, "fmin", _lowest(builder, vectors))
        return _lowest(builder, [found, *scalars])

    return types.float64(table, lone, columns, quantity, first, last, blocks, singles), codegen


def _lowest(builder: Any, values: list[Any]) -> Any:
    lowest = values[0]
    for other in values[1:]:
        lowest = builder.select(builder.fcmp_ordered("<", other, lowest), other, lowest)
    return lowest


@intrinsic
def _store_sums(
    _typing: Any,
    table: Any,
    columns: Any,
    quantity: Any,
    first: Any,
    last: Any,
    sums: Any,
    blocks: Any,
) -> Any:
    """Write the sums of the ``8 len(blocks)`` columns of a table into `sums`, a Vector of as many."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        table, *held = zip(signature.args[:5], args[:5], strict=True)
        found, _ = add_rows(context, builder, (table, table, *held), len(signature.args[6]), 0)
        place = place_of(context, builder, signature.args[5], args[5])
        for number, vector in enumerate(found):
            target = builder.gep(place, [_WORD(number * LANES)])
            builder.store(vector, builder.bitcast(target, _VECTOR.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.void(table, columns, quantity, first, last, sums, blocks), codegen


def place_of(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    """Point to the first value of an array."""
    return context.make_array(kind)(context, builder, array).data


def add_rows(
    context: Any, builder: Any, operands: Any, blocks: int, singles: int
) -> tuple[list[Any], list[Any]]:
    """Emit the loop over positions; its running sums are phi nodes, so they live in registers.

    `operands` are kinds and values of table, lone, columns, quantity, first and last.
    """
    prices, apart, column_data, quantity_data = (place_of(context, builder, *pair) for pair in operands[:4])
    (_, first), (_, last) = operands[4:]
    entry = builder.block
    head, body, leave = (builder.append_basic_block(name) for name in ("positions", "position", "added"))
    builder.branch(head)
    builder.position_at_end(head)
    position = builder.phi(_WORD)
    sums = [builder.phi(_VECTOR) for _ in range(blocks)]
    scalars = [builder.phi(_DOUBLE) for _ in range(singles)]
    position.add_incoming(first, entry)
    for running in sums:
        running.add_incoming(filled(0.0), entry)
    for running in scalars:
        running.add_incoming(_DOUBLE(0.0), entry)
    builder.cbranch(builder.icmp_signed("<", position, last), body, leave)
    builder.position_at_end(body)
    column = builder.sext(builder.load(builder.gep(column_data, [position])), _WORD)
    row = builder.gep(prices, [builder.mul(column, _WORD(blocks * LANES))])
    quantity = builder.load(builder.gep(quantity_data, [position]))
    _fetch(builder, [quantity_data, column_data], builder.add(position, _WORD(_AHEAD)))
    held = splat(builder, quantity)
    for number, running in enumerate(sums):
        source = builder.bitcast(builder.gep(row, [_WORD(number * LANES)]), _VECTOR.as_pointer())
        running.add_incoming(_added(builder, held, builder.load(source, align=8), running), body)
    single = builder.gep(apart, [builder.mul(column, _WORD(singles))])
    for number, running in enumerate(scalars):
        price = builder.load(builder.gep(single, [_WORD(number)]))
        running.add_incoming(_added(builder, quantity, price, running), body)
    position.add_incoming(builder.add(position, _WORD(1)), body)
    builder.branch(head)
    builder.position_at_end(leave)
    return sums, scalars


def _fetch(builder: Any, arrays: list[Any], place: Any) -> None:
    """Ask for what will be needed soon; beyond an array's end this does nothing."""
    pointer, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
    shape = ir.FunctionType(ir.VoidType(), [pointer, flag, flag, flag])
    fetch = cgutils.get_or_insert_function(builder.module, shape, "llvm.prefetch.p0")
    for array in arrays:
        cell = builder.bitcast(builder.gep(array, [place]), pointer)
        builder.call(fetch, [cell, flag(0), flag(3), flag(1)])


def _added(builder: Any, quantity: Any, price: Any, running: Any) -> Any:
    """Multiply and add in one rounding."""
    kind = running.type
    name = f"llvm.fma.v{LANES}f64" if kind == _VECTOR else "llvm.fma.f64"
    fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)
    return builder.call(fma, [quantity, price, running])


def splat(builder: Any, value: Any) -> Any:
    """Fill a vector with one value, of its type."""
    nothing = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
    single = builder.insert_element(nothing, value, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(single, nothing, zeros)


@intrinsic
def _moments(_typing: Any, values: Any) -> Any:
    """Give the sum and the sum of squares of a Vector whose length is a multiple of `STRIDE`."""

    def step(builder: Any, _: Any, vector: Any, kept: list[Any]) -> list[Any]:
        square = builder.fmul(vector, vector)
        return [builder.fadd(kept[0], vector), builder.fadd(kept[1], square)]

    return _scan(values, (), [0.0, 0.0], step, ["fadd", "fadd"])


@intrinsic
def _below(_typing: Any, values: Any, threshold: Any) -> Any:
    """Give how many values lie below a threshold, as a float, and their sum."""

    def step(builder: Any, threshold: Any, vector: Any, kept: list[Any]) -> list[Any]:
        low = builder.fcmp_ordered("<", vector, threshold)
        counted = builder.select(low, builder.fadd(kept[0], filled(1.0)), kept[0])
        return [counted, builder.select(low, builder.fadd(kept[1], vector), kept[1])]

    return _scan(values, (threshold,), [0.0, 0.0], step, ["fadd", "fadd"])


@intrinsic
def _neighbours(_typing: Any, values: Any, threshold: Any) -> Any:
    """Give the largest value below a threshold and the smallest not below it; infinite for none."""

    def step(builder: Any, threshold: Any, vector: Any, kept: list[Any]) -> list[Any]:
        low = builder.fcmp_ordered("<", vector, threshold)
        rises = builder.and_(low, builder.fcmp_ordered(">", vector, kept[0]))
        falls = builder.and_(builder.not_(low), builder.fcmp_ordered("<", vector, kept[1]))
        return [builder.select(rises, vector, kept[0]), builder.select(falls, vector, kept[1])]

    return _scan(values, (threshold,), [-math.inf, math.inf], step, ["fmax", "fmin"])


def filled(value: float) -> Any:
    """Fill a vector with one number."""
    return ir.Constant(_VECTOR, [value] * LANES)


def _scan(values: Any, extra: tuple[Any, ...], start: list[float], step: Any, reductions: list[str]) -> Any:
    """Make an intrinsic that passes once through a row in four chains and reduces two running results."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        length = builder.extract_value(array.shape, 0)
        threshold = splat(builder, args[1]) if extra else None
        entry = builder.block
        head, body, leave = (builder.append_basic_block(name) for name in ("row", "stride", "scanned"))
        builder.branch(head)
        builder.position_at_end(head)
        place = builder.phi(_WORD)
        place.add_incoming(_WORD(0), entry)
        chains = [[builder.phi(_VECTOR) for _ in start] for _ in range(_CHAINS)]
        for chain in chains:
            for running, value in zip(chain, start, strict=True):
                running.add_incoming(filled(value), entry)
        builder.cbranch(builder.icmp_signed("<", place, length), body, leave)
        builder.position_at_end(body)
        for number, chain in enumerate(chains):
            source = builder.gep(array.data, [builder.add(place, _WORD(number * LANES))])
            vector = builder.load(builder.bitcast(source, _VECTOR.as_pointer()), align=8)
            for running, value in zip(chain, step(builder, threshold, vector, chain), strict=True):
                running.add_incoming(value, body)
        place.add_incoming(builder.add(place, _WORD(STRIDE)), body)
        builder.branch(head)
        builder.position_at_end(leave)
        results = [
            _reduced(builder, kind, [chain[column] for chain in chains])
            for column, kind in enumerate(reductions)
        ]
        return context.make_tuple(builder, signature.return_type, results)

    pair = types.UniTuple(types.float64, len(start))
    return pair(values, *(types.float64 for _ in extra)), codegen


def _reduced(builder: Any, kind: str, vectors: list[Any]) -> Any:
    """Reduce vectors to one double: their sum, largest or smallest."""
    total = vectors[0]
    for other in vectors[1:]:
        if kind == "fadd":
            total = builder.fadd(total, other)
        else:
            sign = ">" if kind == "fmax" else "<"
            total = builder.select(builder.fcmp_ordered(sign, other, total), other, total)
    return across(builder, kind, total)


def across(builder: Any, kind: str, vector: Any) -> Any:
    """Reduce the lanes of one vector as a tree, whose order the sums do not depend on beyond rounding."""
    start = [_DOUBLE(0.0)] if kind == "fadd" else []
    shape = ir.FunctionType(_DOUBLE, [value.type for value in start] + [_VECTOR])
    reduce = cgutils.get_or_insert_function(builder.module, shape, f"llvm.vector.reduce.{kind}.v{LANES}f64")
    flags = ("reassoc",) if kind == "fadd" else ("nnan",)
    return builder.call(reduce, [*start, vector], fastmath=flags)


lowest_sum: Callable[..., float] = _lowest_sum
store_sums: Callable[..., None] = _store_sums
moments: Callable[..., tuple[float, float]] = _moments
below: Callable[..., tuple[float, float]] = _below
neighbours: Callable[..., tuple[float, float]] = _neighbours
