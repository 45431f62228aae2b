"""Where does the command line begin?"""

from plimsoll.cli.application import main

__all__ = ["main"]
