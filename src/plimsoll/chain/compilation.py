"""How does a contract's source become what a chain can run, once per state of the source?"""

import hashlib
import importlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plimsoll.errors import Code, PlimsollError

__all__ = ["CONTRACTS", "EVM", "VYPER", "Artefact", "compile_contract", "source_digest", "sources"]

CONTRACTS = Path(__file__).resolve().parent / "contracts"
"""Folder of the sources that are shipped; what they compile to is never stored beside them."""

EVM = "cancun"
"""Instructions that the code may use: the first set with a copy in memory, which packed rows lean on."""

VYPER = "0.4.3"
_OUTPUTS = ("bytecode", "bytecode_runtime", "abi", "layout", "userdoc", "devdoc")
_FORMAT = 1
"""Of a stored artefact; another figure makes older files count for nothing."""
_IMPORT = re.compile(r"^(?:from\s+([\w.]+)\s+)?import\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Artefact:
    """What a source compiles to.

    Attributes
    ----------
    name : str           As the source file is called, without its ending.
    digest : str         Of every source that it is made from, compiler and settings included.
    initcode : bytes     Deploys; constructor arguments are appended.
    runtime : bytes      What stands on chain, without immutables.
    abi : list of dict   As Ethereum tools read it.
    layout : dict        Storage slots by name.
    userdoc, devdoc : dict   NatSpec.
    """

    name: str
    digest: str
    initcode: bytes
    runtime: bytes
    abi: list[dict[str, Any]]
    layout: dict[str, Any]
    userdoc: dict[str, Any]
    devdoc: dict[str, Any]


def sources(name: str, roots: tuple[Path, ...] = (CONTRACTS,)) -> tuple[Path, ...]:
    """List the files that a contract is made from, its own first; what the compiler brings itself is not."""
    found: dict[Path, None] = {}
    waiting = [_located(name, roots)]
    while waiting:
        path = waiting.pop()
        if path is None or path in found:
            continue
        found[path] = None
        for package, module in _IMPORT.findall(path.read_text(encoding="utf-8")):
            within = package.strip(".").replace(".", "/")
            waiting.append(_located(f"{within}/{module}" if within else module, (path.parent, *roots)))
    if not found:
        raise PlimsollError(
            Code.MISSING_FILE,
            f"no contract {name}.vy in {', '.join(map(str, roots))}",
            where="compile",
            remedy="Name a source file without its ending, relative to the folder of the contracts.",
        )
    return tuple(found)


def source_digest(name: str, roots: tuple[Path, ...] = (CONTRACTS,)) -> str:
    """Give the digest of a contract's sources, the compiler's version and settings."""
    digest = hashlib.sha256(f"{_FORMAT} {VYPER} {EVM} venom gas {name}".encode())
    for text in sorted(path.read_bytes() for path in sources(name, roots)):
        digest.update(hashlib.sha256(text).digest())
    return digest.hexdigest()


def compile_contract(
    name: str, *, roots: tuple[Path, ...] = (CONTRACTS,), cache: Path | None = None
) -> Artefact:
    """Compile a contract with the Venom code generator, or read what an earlier call left in the cache.

    Parameters
    ----------
    name : str             Source without its ending, such as ``MarginEngine``.
    roots : tuple of Path  Folders that hold it and what it imports; the first that has a name gives it.
    cache : Path or None   Folder of artefacts, a file per state of the sources.

    Raises
    ------
    PlimsollError          `MISSING_EXTRA` without the extra `chain`; `MISSING_FILE` where there is no such
                           source. What the compiler has against a source is raised as it comes.
    """
    digest = source_digest(name, roots)
    kept = cache / f"{Path(name).name}-{digest[:24]}.json" if cache else None
    if kept and kept.is_file():
        return _artefact(name, digest, json.loads(kept.read_text(encoding="utf-8")))
    output = _compiled(name, roots)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        whole = kept.with_suffix(f".{os.getpid()}")
        whole.write_text(json.dumps(output), encoding="utf-8")
        whole.replace(kept)
    return _artefact(name, digest, output)


def _located(name: str, roots: tuple[Path, ...]) -> Path | None:
    candidates = (root / f"{name}{ending}" for root in roots for ending in (".vy", ".vyi"))
    return next((path.resolve() for path in candidates if path.is_file()), None)


def _compiled(name: str, roots: tuple[Path, ...]) -> dict[str, Any]:
    compiler, bundles, settings = (
        _vyper(f"vyper.compiler{part}") for part in ("", ".input_bundle", ".settings")
    )
    bundle = bundles.FilesystemInputBundle([root.resolve() for root in reversed(roots)])
    chosen = settings.Settings(
        evm_version=EVM, optimize=settings.OptimizationLevel.GAS, experimental_codegen=True
    )
    source = bundle.load_file(sources(name, roots)[0])
    output = compiler.compile_from_file_input(
        source, input_bundle=bundle, output_formats=_OUTPUTS, settings=chosen
    )
    plain: dict[str, Any] = json.loads(json.dumps({kind: output[kind] for kind in _OUTPUTS}))
    return plain


def _artefact(name: str, digest: str, output: dict[str, Any]) -> Artefact:
    return Artefact(
        name=Path(name).name,
        digest=digest,
        initcode=bytes.fromhex(output["bytecode"].removeprefix("0x")),
        runtime=bytes.fromhex(output["bytecode_runtime"].removeprefix("0x")),
        abi=output["abi"],
        layout=output["layout"],
        userdoc=output["userdoc"],
        devdoc=output["devdoc"],
    )


def _vyper(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise PlimsollError(
            Code.MISSING_EXTRA,
            "vyper is not installed",
            where="compile",
            remedy="Run: pip install 'plimsoll-margin[chain]'",
        ) from error
