"""Is each module shaped as agreed: one question, one public list, short functions, plain names?"""

import ast
from collections import defaultdict

from tests.conventions.repository import (
    ROOT,
    Function,
    docstring_lines,
    functions,
    module_names,
    modules,
    parsed,
)

CODE = ("src", "tools", "benchmarks")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
SMALLEST_COPY = 6  # statements; shorter bodies are alike by chance
FEWEST_WORDS = 4
VAGUE = {"base", "common", "core", "helper", "helpers", "manager", "misc", "util", "utils"}
CLOCKS = {"time", "timeit"}


def test_every_module_asks_its_question_in_the_first_line():
    unasked = [
        str(path)
        for path in modules(*CODE)
        if not (ast.get_docstring(parsed(path)) or "").partition("\n")[0].endswith("?")
    ]
    assert not unasked, "say in the first line, as a question, what the file answers"


def test_every_test_module_says_what_it_is_about():
    assert not [str(path) for path in modules("tests") if not ast.get_docstring(parsed(path))]


def exported(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets
        ):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def test_every_public_module_lists_what_it_exports():
    silent = [
        str(path)
        for path in modules("src")
        if (path.name == "__init__.py" or not path.name.startswith("_"))
        and len(parsed(path).body) > 1  # a package may hold its docstring alone
        and exported(parsed(path)) is None
    ]
    assert not silent, "add __all__"


def test_what_is_defined_is_exported_or_private():
    astray = [
        f"{path}:{node.lineno} {node.name}"
        for path in modules("src")
        for node in parsed(path).body
        if isinstance(node, Function | ast.ClassDef)
        and not node.name.startswith("_")
        and node.name not in (exported(parsed(path)) or [])
    ]
    assert not astray, "name it in __all__ or begin its name with an underscore"


def test_no_file_is_longer_than_four_hundred_lines():
    lengths = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert not {path: n for path, n in lengths.items() if n > LONGEST_FILE}, "it is two files"


def test_no_function_is_longer_than_a_screen():
    long = {
        f"{path}:{function.lineno} {function.name}": length
        for path in modules()
        for function in functions(path)
        if (length := (function.end_lineno or 0) - function.lineno + 1 - docstring_lines(function))
        > LONGEST_FUNCTION
    }
    assert not long


def test_no_name_is_vague_or_carries_a_version():
    assert not VAGUE & module_names("src", "tools", "benchmarks", "tests"), "use a word a risk manager uses"
    versioned = [
        name
        for path in modules()
        for name in [path.stem, *(function.name for function in functions(path))]
        if name.rpartition("_v")[1] and name.rpartition("_v")[2].isdigit()
    ]
    assert not versioned, "git keeps history"


def caught(handler: ast.ExceptHandler) -> list[str]:
    if handler.type is None:
        return ["everything"]
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [ast.unparse(kind) for kind in kinds]


def test_no_handler_catches_whatever_comes():
    blind = [
        f"{path}:{node.lineno}"
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler)
        and {"everything", "Exception", "BaseException"} & set(caught(node))
    ]
    assert not blind, "catch what can be answered, let the rest be seen"


def test_no_function_body_stands_in_two_places():
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in modules():
        for function in functions(path):
            body = function.body[1:] if ast.get_docstring(function) else function.body
            if (
                sum(isinstance(node, ast.stmt) for statement in body for node in ast.walk(statement))
                >= SMALLEST_COPY
            ):
                arguments = ast.dump(function.args)
                places[arguments + "".join(map(ast.dump, body))].append(
                    f"{path}:{function.lineno} {function.name}"
                )
    assert not [copies for copies in places.values() if len(copies) > 1], "keep one, import it"


def test_names_of_tests_read_as_sentences():
    terse = [
        f"{path}:{function.lineno} {function.name}"
        for path in modules("tests")
        for function in functions(path)
        if function.name.startswith("test_") and len(function.name.split("_")) - 1 < FEWEST_WORDS
    ]
    assert not terse, f"a test's name says in {FEWEST_WORDS} words or more what must hold"


def imported(tree: ast.Module) -> set[str]:
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    sources = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | sources}


def test_no_test_looks_at_a_clock():
    timed = [str(path) for path in modules("tests") if CLOCKS & imported(parsed(path))]
    assert not timed, "speed is shown by benchmarks/, never judged by a test"
