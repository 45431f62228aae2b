"""Which of an account's profits are its lowest, without keeping the others?

Scenarios are dealt to the lanes of a vector register in turn. Every lane keeps its `KEPT` lowest sums, in
ascending order: the vectors of a strip are sorted against one another, lane by lane, and merged with what
was kept, by networks of minimum and maximum without a branch. While a strip is added up the machine waits
for the cache, so the networks cost next to nothing.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from plimsoll.kernels.lanes import LANES, MOST_BLOCKS, across, add_rows, filled, place_of, splat

__all__ = ["KEPT", "keep_lowest", "take_lowest"]

KEPT = MOST_BLOCKS
"""Lowest sums that each lane keeps."""

_SORT = "01 23 45 67  02 13 46 57  12 56  04 15 26 37  24 35  12 34 56"
"""Batcher's odd-even merge sort of eight, 19 exchanges."""
_MERGE = "04 15 26 37  02 13 46 57  01 23 45 67"
"""The last stages of his bitonic sort: eight that rise and then fall, or the reverse, in 12 exchanges."""


@intrinsic
def _keep_lowest(
    _typing: Any,
    table: Any,
    columns: Any,
    quantity: Any,
    first: Any,
    last: Any,
    scenarios: Any,
    kept: Any,
    blocks: Any,
) -> Any:
    """Merge the sums of one strip into what each lane kept of the strips before.

    Parameters
    ----------
    table : Matrix [I, 64], C order; columns : int32 [P]; quantity : Vector [P]
    first, last : int    Positions of the account.
    scenarios : int      Of the strip; sums beyond them are left out.
    kept : Vector [64]   Kept sums, lowest first: [KEPT, LANES] in C order. Infinite where there is none.
    blocks : tuple       Eight zeros.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        table, *held = zip(signature.args[:5], args[:5], strict=True)
        sums, _ = add_rows(context, builder, (table, table, *held), KEPT, 0)
        low = _exchanged(builder, _counted(builder, sums, args[5]), _SORT)
        cells = _cells(builder, place_of(context, builder, signature.args[6], args[6]))
        before = [builder.load(cell, align=8) for cell in cells]
        both = [_lower(builder, old, new) for old, new in zip(before, reversed(low), strict=True)]
        for cell, vector in zip(cells, _exchanged(builder, both, _MERGE), strict=True):
            builder.store(vector, cell, align=8)
        return context.get_dummy_value()

    return types.void(table, columns, quantity, first, last, scenarios, kept, blocks), codegen


def _cells(builder: Any, place: Any) -> list[Any]:
    """Point to the vectors of a row."""
    kind = filled(0.0).type.as_pointer()
    return [builder.bitcast(builder.gep(place, [_word(number * LANES)]), kind) for number in range(KEPT)]


def _word(value: int) -> Any:
    return ir.Constant(ir.IntType(64), value)


def _counted(builder: Any, sums: list[Any], scenarios: Any) -> list[Any]:
    """Replace the sums beyond the last scenario by infinity."""
    lanes = ir.VectorType(ir.IntType(64), LANES)
    limit = splat(builder, scenarios)
    found = []
    for number, vector in enumerate(sums):
        index = ir.Constant(lanes, list(range(number * LANES, (number + 1) * LANES)))
        found.append(builder.select(builder.icmp_signed("<", index, limit), vector, filled(float("inf"))))
    return found


def _exchanged(builder: Any, vectors: list[Any], network: str) -> list[Any]:
    """Put each pair of a network in ascending order, lane by lane."""
    vectors = list(vectors)
    for pair in network.split():
        low, high = int(pair[0]), int(pair[1])
        vectors[low], vectors[high] = (
            _lower(builder, vectors[low], vectors[high]),
            _higher(builder, vectors[low], vectors[high]),
        )
    return vectors


def _lower(builder: Any, one: Any, other: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", one, other), one, other)


def _higher(builder: Any, one: Any, other: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", one, other), one, other)


@intrinsic
def _take_lowest(_typing: Any, kept: Any, tail: Any) -> Any:
    """Add up the `tail` lowest of what the lanes kept.

    Returns the sum, the largest that went into it, and the least that any lane kept last. Nothing that was
    not kept is lower than that one, so the sum is that of the tail if none of its values is higher.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        cells = _cells(builder, place_of(context, builder, signature.args[0], args[0]))
        heads = [builder.load(cell, align=8) for cell in cells]
        last = across(builder, "fmin", heads[-1])
        entry = builder.block
        body, leave = (builder.append_basic_block(name) for name in ("take", "taken"))
        builder.branch(body)
        builder.position_at_end(body)
        double, word = ir.DoubleType(), ir.IntType(64)
        missing, total = builder.phi(word), builder.phi(double)
        rows = [builder.phi(head.type) for head in heads]
        missing.add_incoming(args[1], entry)
        total.add_incoming(double(0.0), entry)
        for row, head in zip(rows, heads, strict=True):
            row.add_incoming(head, entry)
        lowest = across(builder, "fmin", rows[0])
        taken = builder.fcmp_ordered("==", rows[0], splat(builder, lowest))
        bits = builder.zext(builder.bitcast(taken, ir.IntType(LANES)), word)
        count = builder.ctpop(bits)
        enough = builder.icmp_signed("<", count, missing)
        used = builder.select(enough, count, missing)
        added = builder.fadd(total, builder.fmul(lowest, builder.sitofp(used, double)))
        left = builder.sub(missing, used)
        for row, after in zip(rows, [*rows[1:], filled(float("inf"))], strict=True):
            row.add_incoming(builder.select(taken, after, row), body)
        missing.add_incoming(left, body)
        total.add_incoming(added, body)
        more = builder.and_(builder.icmp_signed(">", left, word(0)), builder.icmp_signed(">", count, word(0)))
        builder.cbranch(more, body, leave)
        builder.position_at_end(leave)
        return context.make_tuple(builder, signature.return_type, [added, lowest, last])

    three = types.UniTuple(types.float64, 3)
    return three(kept, tail), codegen


take_lowest: Callable[..., tuple[float, float, float]] = _take_lowest
keep_lowest: Callable[..., None] = _keep_lowest
