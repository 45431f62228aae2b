"""Does ``plimsoll`` offer what it says, and nothing that type checkers do not see?"""

import ast
import inspect
from pathlib import Path

import plimsoll


def test_every_public_name_is_there_and_no_other():
    for name in plimsoll.__all__:
        value = getattr(plimsoll, name)
        assert inspect.isclass(value) or inspect.ismodule(value) or callable(value)
    assert dir(plimsoll) == sorted(plimsoll.__all__)


def test_type_checkers_see_the_names_that_programs_get():
    tree = ast.parse(Path(plimsoll.__file__).read_text())
    seen = {
        alias.name: node.module
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == plimsoll._HOMES | dict.fromkeys(plimsoll._MODULES, "plimsoll")


def test_a_name_that_is_not_there_is_an_attribute_error():
    assert not hasattr(plimsoll, "margin_call")
