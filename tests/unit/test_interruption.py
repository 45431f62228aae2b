"""Does a signal end a command even where a library swallows the exception it raises?"""

import signal
from pathlib import Path

import numpy as np
import pytest

from plimsoll.cli.interruption import Interruption
from plimsoll.cli.run_folder import RECORD, run_folder
from plimsoll.cli.voice import Manner, Voice


@pytest.fixture
def interruption():
    """A handler in place of the test runner's own."""
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handler = Interruption()
    handler.listen()
    yield handler
    for number, action in former.items():
        signal.signal(number, action)


class Probed(type):
    """Type of values that NumPy asks for attributes; the signal arrives while it does."""

    number: signal.Signals

    def __getattr__(cls, name):
        signal.raise_signal(cls.number)
        raise AttributeError(name)


def lose(number: signal.Signals) -> None:
    """Let NumPy clear the exception of a signal, as it does where one arrives in an enumeration's lookup."""
    operand = Probed("Operand", (), {"number": number})()
    assert not (np.zeros(2) == operand).any()


@pytest.mark.parametrize("manner", list(Manner))
@pytest.mark.parametrize(
    ("number", "raised", "status"),
    [(signal.SIGINT, KeyboardInterrupt, None), (signal.SIGTERM, SystemExit, 143)],
)
def test_the_next_step_of_progress_ends_the_work(interruption, number, raised, status, manner):
    with Voice(manner).progress() as progress:
        progress("before", 0, 2)
        lose(number)
        assert interruption.number == number
        with pytest.raises(raised) as ended:
            progress("after", 1, 2)
    assert getattr(ended.value, "code", None) == status


def test_results_are_not_put_in_place_after_a_signal(interruption, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_run_and_lose(signal.SIGINT, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def write_run_and_lose(number: signal.Signals, folder: Path) -> None:
    with run_folder(folder) as unfinished:
        (unfinished / RECORD).write_text("{}")
        lose(number)


def test_without_a_signal_work_goes_on(interruption):
    with Voice(Manner.NOBODY).progress() as progress:
        progress("all", 1, 1)
    assert interruption.number is None
