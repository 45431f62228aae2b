"""The margin engine as contracts: sources in `contracts/`, their compilation, and their twin in integers."""
