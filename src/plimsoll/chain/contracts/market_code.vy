# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title What is kept of a market, as code that adds up what its options ask for by delta, gamma and vega?
@license Apache-2.0
@author The Plimsoll authors
@notice
    A market's code is a program, ten words (eight of scenarios, the corners of the box that holds them, the lot) and a
    table of the normal distribution. `PROGRAM` is what market_code.evm assembles to, which tests hold it to; there
    it is explained. It is not Vyper because what runs once per option weighs most.

    The table has the normal tail (2**-96, above 128 bits) and the density from 0 to 8 in steps of 2**-5. Densities on
    the safe side are those of the node before or behind; tails are three terms of the series about the nearest node.
"""

import data_code
import fixed_point
import packed_rows


# Of a book, in 2**-64 quanta: value, dollar delta, curvature downwards and upwards, what volatility takes when it
# falls and when it rises, and rounding; then, where in a call's data the next word of positions begins, and what is
# left of a word, the next of them in its low bits; 0 when all are added.
struct Sums:
    value: int256
    slope: int256
    down: int256
    up: int256
    falls: int256
    rises: int256
    allowance: int256
    next: uint256
    rest: uint256


# When rows are read, and what moves with them: spot of a lot in 2**-64 quanta, when the rows were published, the power
# of tenors and the largest moves of volatility in millionths.
struct Moment:
    spot: int256
    as_of: uint256
    power: int256
    fall: int256
    rise: int256


# What moves make of spot at the ends: logarithms and inverses of the multiples, and the larger of them.
struct Reach:
    low_logarithm: int256
    high_logarithm: int256
    low_inverse: int256
    high_inverse: int256
    high: int256


# All that a call takes.
struct Run:
    sums: Sums
    moment: Moment
    reach: Reach
    terms: address
    rows: address
    words: uint256[17]


interface Legs:
    def add(run: Run) -> Sums: view


PROGRAM: constant(Bytes[2462]) = x"6102a060046020375f5f5f5f5f610120515f5f5f5f5f5f86601a1c61fc00166102c0525b6102c05187601a1c61ffff16036103ff81116105955760061b6040816041016102e0610280513c60409061032e016103206102a0513c6103005115610593576102e05160801c64ffffffffff1660201b6103205160381c78ff00000000000000ff00000000000000ff00000000000000ff1678010000000000000100000000000001000000000000010000000260c01c176001018061036051186105a1575b50620f42406103405160381c78ff00000000000000ff00000000000000ff00000000000000ff1678010000000000000100000000000001000000000000010000000260c01c6303ffffff166103a05102058099506c4000000000000000000000000080821390821802186a0100000000000000000000819250901261059357610300516fffffffffffffffffffffffffffffffff169750878260601b12610593578660e61b60e61d8096508060ff1d9081180382890160131d6010010260e0510160e052806103005160801d610380510360601b058160011d0192508183808060ff1d90811803806b04000000000000000000000001605b1c60208160051b610ade015f39605b1b9081900380910260611d6c0100000000000000000000000003905f516fffffffffffffffffffffffffffffffff160260601d0260601d5f5160801c03905f128160011b6c010000000000000000000000000302010260601d88828503808060ff1d90811803806b04000000000000000000000001605b1c60208160051b610ade015f39605b1b9081900380910260611d6c0100000000000000000000000003905f516fffffffffffffffffffffffffffffffff160260601d0260601d5f5160801c03905f128160011b6c010000000000000000000000000302010260601d810360016102e05160a81c03808b86030290910388026020510160205283029003860260405101604052806101e05160601b0583019450806102005160601b05830193505f86126103b65780826020875f03868082129082180218605b1c60010160051b610ade015f395f516fffffffffffffffffffffffffffffffff16020586026060510160605280826020855f03878082129082180218605b1c60010160051b610ade015f395f516fffffffffffffffffffffffffffffffff16610240510260601d0205860260805101608052886103c0510260601d6c4000000000000000000000000080821390821802189950809a508085038482038082129082180218805f120260a09c506104bb565b8082602087865f038082129082180218805f1202605b1c60051b610ade015f395f516fffffffffffffffffffffffffffffffff16660200000000000001610220510260601d60010102056001018602606051016060528082602085875f038082129082180218805f1202605b1c60051b610ade015f395f516fffffffffffffffffffffffffffffffff166602000000000000010205600101860260805101608052809950886103e0510260601d6c4000000000000000000000000080821390821802189a506103005160801d6103805103806101e0510160601b8c90058c60011d900390610200510160601b8c90058c60011d038082129082180218805f120260c09c505b8b8b1215610572578a8c03808d8d010260631d6c010000000000000000000000008112156105335780800260601d016c0100000000000000000000000001602083605b1c60051b610ade015f395f516fffffffffffffffffffffffffffffffff166602000000000000018b0260601d0260601d610558565b5083610260510260601d8a80821390821802186b662114cf50db42343f2cf1400260601d5b6002010260601d600101878060ff1d90811803028d51018d525b5086602a1c8097506100235761010051806020016101005235809750610023575b5f5b87610120526101206020f35b8061036052806001900360e01b60e01d633b9aca00016101405102633b9aca009005925060018312610595576d100000000000000000000000000083136105955761061c6102e05160801c64ffffffffff166101605190036201518080821290821802186f00278d000000000000000000000000000461080b565b6101805102620f42409005806c0171547652b82fe1777d0ffda10260601d6b8000000000000000000000000160601d90816bb17217f7d1cf79abc9e3b39802900380800260601d806d034800000000000000000000000001810260601d6e01275000000000000000000000000001810260601d6e0a26c0000000000000000000000000019080602a026d2760000000000000000000000000010260601d6e0513600000000000000000000000000190910260601d808203910160601b05906020011b60201c806101a05102620f424090056c0100000000000000000000000001805f12026103c0526101c05102620f424090056c0100000000000000000000000001805f12026103e052426102e05160801c64ffffffffff1603805f120260601b6301e13380900460601b5f81811c6fffffffffffffffffffffffffffffffff1060071b1781811c67ffffffffffffffff1060061b1781811c63ffffffff1060051b1781811c61ffff1060041b1781811c60ff1060031b1781811c600f1060021b1781811c60031060011b1781811c6001101760011c6001016001901b8082040160011c8082040160011c8082040160011c8082040160011c8082040160011c8082040160011c8082040160011c80910480821190821802186103a0526108028361080b565b610380526100c2565b5f81811c6fffffffffffffffffffffffffffffffff1060071b1781811c67ffffffffffffffff1060061b1781811c63ffffffff1060051b1781811c61ffff1060041b1781811c60ff1060031b1781811c600f1060021b1781811c60031060011b1781811c600110178060ff039091901b609f1c6c016a09e667f3bcc908b2fb1367811190811c91016060900390806c0100000000000000000000000001906c01000000000000000000000000900360601b0580800260601d6c001ed4af7b1a6e01c8971b7b00810260601d6c001dde51fa77bf0a7250d8c91401810260601d6c0022245ee61b75992ce05bd39401810260601d6c0027626a1413a19f53a5e0e51801810260601d6c002e8ba310f4dfde44a1ee26ce01810260601d6c0038e38e389217dfd2bf07922d01810260601d6c004924924924f0eede344132ba01810260601d6c006666666666662e997837544c01810260601d6c00aaaaaaaaaaaaaab76b58c19401810260601d6c01ffffffffffffffffff84f5840190500260601d906bb17217f7d1cf79abc9e3b39802019056"
LENGTH: constant(uint256) = 2462
NODES: constant(uint256) = 256
# Where code holds the ten words and the table, behind which every byte reads as nothing.
WORDS: constant(uint256) = LENGTH
CORNERS: constant(uint256) = WORDS + 256
LOT: constant(uint256) = WORDS + 288
TABLE: constant(uint256) = WORDS + 320
# Where in a call's data the second word of positions begins.
SECOND: constant(uint256) = 708
# Where codes hold the first terms and the first row; of rows, what gathers a head, and volatility.
TERMS_AT: constant(uint256) = 65
ROWS_AT: constant(uint256) = packed_rows.ROWS
BYTES: constant(uint256) = packed_rows.BYTES
GATHER: constant(uint256) = packed_rows.GATHER
VOLATILITY: constant(uint256) = packed_rows.VOLATILITY
ONE: constant(int256) = fixed_point.ONE
MILLION: constant(int256) = 1_000_000
BILLION: constant(int256) = 1_000_000_000
DAY: constant(uint256) = 86_400
YEAR: constant(uint256) = 31_536_000
# Thirty days, 2**-96.
MONTH: constant(uint256) = 30 * DAY * 2**96
MOST_MONEY: constant(int256) = 2**108
# Of fixed_point, and the exponential's own.
LN2: constant(int256) = fixed_point.LN2
INVERSE_LN2: constant(int256) = fixed_point.INVERSE_LN2
SQRT2: constant(int256) = fixed_point.SQRT2
HALF: constant(int256) = fixed_point.HALF
LN_C0: constant(int256) = fixed_point.LN_C0
LN_C1: constant(int256) = fixed_point.LN_C1
LN_C2: constant(int256) = fixed_point.LN_C2
LN_C3: constant(int256) = fixed_point.LN_C3
LN_C4: constant(int256) = fixed_point.LN_C4
LN_C5: constant(int256) = fixed_point.LN_C5
LN_C6: constant(int256) = fixed_point.LN_C6
LN_C7: constant(int256) = fixed_point.LN_C7
LN_C8: constant(int256) = fixed_point.LN_C8
LN_C9: constant(int256) = fixed_point.LN_C9
E840: constant(int256) = 840 * ONE
E10080: constant(int256) = 10_080 * ONE
E75600: constant(int256) = 75_600 * ONE
E332640: constant(int256) = 332_640 * ONE
E665280: constant(int256) = 665_280 * ONE
DEVIATION_MOST: constant(int256) = 64 * ONE
# Below this total deviation, 2**-16, an option is its payoff and at most this much times the density more.
KINK: constant(int256) = 2**80
STEP_BITS: constant(uint256) = 91
HALF_STEP: constant(int256) = 2**90
LOW: constant(uint256) = 2**128 - 1
# Beyond the last node the density is below 2**-47 and counts as nothing. Densities of nodes are kept 2**-50 below what
# they are, as roundings are below 2**-56, and count 2**-47 more where the most is asked for.
BELOW: constant(int256) = 2**46
ABOVE: constant(int256) = 2**49
# Density of the standard normal at 0, and what no density is above.
DENSITY: constant(int256) = 31_607_463_825_455_920_808_620_519_744
FLATTEST: constant(int256) = DENSITY + ABOVE
# A tail between nodes is off by less than 0.4 / 6 / 2**18 = 2.6e-7, as its third derivative is below 0.4: value and
# slope together, over a move of at most four times, by less than 2**-19 of forward plus strike.
TAIL_BITS: constant(uint256) = 19
# And the exact path by eight times at most what that leaves, and by as many units.
UNITS: constant(int256) = 16


@internal
def _kept(words: uint256[10]) -> address:
    """
    @notice Keep a market as code.
    @param words Scenarios, corners and lot.
    @return Where.
    """
    nodes: uint256[NODES] = empty(uint256[NODES])
    for i: uint256 in range(NODES):
        x: int256 = convert(i << STEP_BITS, int256)
        shared: int256 = fixed_point._exp(-(x * x >> 97))
        density: int256 = max((DENSITY * shared >> 96) - BELOW, 0)
        nodes[i] = convert(fixed_point._tail(x, shared), uint256) << 128 | convert(density, uint256)
    return data_code._store(concat(PROGRAM, abi_encode(words), abi_encode(nodes)))
