# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title How are the positions of an account kept, six to a storage word?
@license Apache-2.0
@author The Plimsoll authors
@notice
    A word holds six lanes of 42 bits, the lowest first: instrument id (16 bits) above signed lots (26 bits,
    two's complement); its top four bits are zero. Ids ascend strictly over all lanes of all words; a lane of
    zero is empty, and all lanes after it are. So a book is read until the first word whose last lane is empty,
    and no length is stored: ten positions cost two cold slots.
"""


MAX_WORDS: constant(uint256) = 17
LANES: constant(uint256) = 6
MAX_POSITIONS: constant(uint256) = MAX_WORDS * LANES
LANE_BITS: constant(uint256) = 42
LANE: constant(uint256) = 2**42 - 1
# Where a word's last lane begins.
LAST: constant(uint256) = 210
LOTS_BITS: constant(uint256) = 26
LOTS_MASK: constant(uint256) = 2**26 - 1
MAX_LOTS: constant(int256) = 2**25 - 1
# Above the lots of a lane that is moved to the top of a word.
ABOVE_LOTS: constant(uint256) = 256 - LOTS_BITS
MAX_ID: constant(uint256) = 2**16 - 1


_words: HashMap[address, uint256[MAX_WORDS]]


@internal
@view
def _read(account: address) -> uint256[MAX_WORDS]:
    """
    @notice Give an account's positions as the margin engine takes them.
    @param account Whose positions.
    @return Words; from the first that is zero on, all are.
    """
    words: uint256[MAX_WORDS] = empty(uint256[MAX_WORDS])
    for i: uint256 in range(MAX_WORDS):
        word: uint256 = self._words[account][i]
        words[i] = word
        if word >> LAST == 0:
            break
    return words


@internal
@view
def _none(account: address) -> bool:
    """
    @notice Whether an account holds no position at all.
    @param account Whose positions.
    @return True where it holds none.
    """
    return self._words[account][0] == 0


@internal
@view
def _lots(account: address, instrument: uint256) -> int256:
    """
    @notice Give an account's position in one instrument.
    @param account Whose position.
    @param instrument Its id.
    @return Signed lots; 0 where there is none.
    """
    for i: uint256 in range(MAX_WORDS):
        word: uint256 = self._words[account][i]
        # Ids ascend: the first word whose last id is not below may hold it, no later word does.
        if word >> LAST == 0 or word >> (LAST + LOTS_BITS) >= instrument:
            for _: uint256 in range(LANES):
                lane: uint256 = word & LANE
                if lane != 0 and lane >> LOTS_BITS == instrument:
                    return self._signed(lane)
                word = word >> LANE_BITS
            return 0
    return 0


@internal
def _change(account: address, instrument: uint256, lots: int256) -> int256:
    """
    @notice Add lots to a position; open it in its place where there is none, close it where none are left.
    @param account Whose position.
    @param instrument Its id.
    @param lots Signed change.
    @return Lots held afterwards.
    """
    assert instrument <= MAX_ID, "positions: no such id"
    if lots == 0:
        return self._lots(account, instrument)
    held: int256 = 0
    entering: uint256 = 0
    found: bool = False
    for i: uint256 in range(MAX_WORDS):
        word: uint256 = self._words[account][i]
        if not found and word >> LAST != 0 and word >> (LAST + LOTS_BITS) < instrument:
            continue
        if not found:
            held = self._held(word, instrument) + lots
            assert abs(held) <= MAX_LOTS, "positions: too many lots"
            found = True
            if held == 0:
                self._close(account, instrument, i)
                return 0
            entering = self._lane(instrument, held)
        entering = self._enter(account, i, word, entering)
        if entering == 0:
            return held
    raise "positions: book is full"


@internal
@pure
def _held(word: uint256, instrument: uint256) -> int256:
    """
    @dev Lots of an instrument within a word.
    """
    rest: uint256 = word
    for _: uint256 in range(LANES):
        lane: uint256 = rest & LANE
        if lane != 0 and lane >> LOTS_BITS == instrument:
            return self._signed(lane)
        rest = rest >> LANE_BITS
    return 0


@internal
def _enter(account: address, at: uint256, word: uint256, entering: uint256) -> uint256:
    """
    @dev Put a lane into a word in order of ids, over that of the same id; give what falls out at the top.
    """
    carried: uint256 = entering
    made: uint256 = 0
    for k: uint256 in range(LANES):
        lane: uint256 = (word >> (LANE_BITS * k)) & LANE
        if carried != 0:
            if lane == 0 or carried >> LOTS_BITS < lane >> LOTS_BITS:
                swapped: uint256 = lane
                lane = carried
                carried = swapped
            elif carried >> LOTS_BITS == lane >> LOTS_BITS:
                lane = carried
                carried = 0
        made |= lane << (LANE_BITS * k)
    self._words[account][at] = made
    return carried


@internal
def _close(account: address, instrument: uint256, at: uint256):
    """
    @dev Take the lane of an id out of a word and move all that follow down by one.
    """
    held: uint256 = self._words[account][at]
    word: uint256 = 0
    kept: uint256 = 0
    for k: uint256 in range(LANES):
        lane: uint256 = (held >> (LANE_BITS * k)) & LANE
        if lane >> LOTS_BITS != instrument:
            word |= lane << (LANE_BITS * kept)
            kept += 1
    for i: uint256 in range(at, MAX_WORDS, bound=MAX_WORDS):
        following: uint256 = 0
        if i + 1 < MAX_WORDS:
            following = self._words[account][i + 1]
        self._words[account][i] = word | ((following & LANE) << LAST)
        word = following >> LANE_BITS
        if following == 0:
            break


@internal
@pure
def _lane(instrument: uint256, lots: int256) -> uint256:
    """
    @dev Pack a position: lots in two's complement under the id.
    """
    return (instrument << LOTS_BITS) | (convert(convert(lots, bytes32), uint256) & LOTS_MASK)


@internal
@pure
def _signed(lane: uint256) -> int256:
    """
    @dev Lots of a lane: its low 26 bits moved to the top of the word, and back with their sign.
    """
    return convert(convert(lane << ABOVE_LOTS, bytes32), int256) >> ABOVE_LOTS
