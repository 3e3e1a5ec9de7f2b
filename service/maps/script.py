"""The map's modules as one script: thirty small files found one after another cost a third of a second."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from service.config import ROOT

MODULES = ROOT / "service" / "static" / "js" / "map"
START, ASSIGNING = "main.js", "assigning.js"
STARTS = (START, ASSIGNING)
_IMPORT = re.compile(r"^import \{ ([^}]+) \} from '\./([\w.]+)';$", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


class UnknownNotation(RuntimeError):
    """A module imports or exports otherwise than `import { a } from './b.js';` or `export const|function|class`."""


@dataclass(frozen=True)
class Script:
    """`digest` names the content, so that browsers may keep it for ever."""

    digest: str
    packed: bytes

    @property
    def path(self) -> str:
        return f"/static/js/map/all-{self.digest}.js"


@lru_cache(maxsize=8)
def map_script(start: str = START) -> Script:
    """Every module that the first one needs, each in a scope of its own and after those that it needs."""
    text = "\n".join(_scoped(path) for path in _in_order(MODULES / start))
    packed = gzip.compress(text.encode(), 9, mtime=0)
    return Script(hashlib.sha256(packed).hexdigest()[:16], packed)


def _in_order(start: Path) -> list[Path]:
    """Modules after those that they import. Raises UnknownNotation when two need each other."""
    done: dict[Path, bool] = {}

    def visit(path: Path) -> None:
        if path in done:
            if not done[path]:
                raise UnknownNotation(f"{path.name} is needed by what it needs")
            return
        done[path] = False
        for _, source in _IMPORT.findall(path.read_text(encoding="utf-8")):
            visit(path.parent / source)
        done[path] = True
        order.append(path)

    order: list[Path] = []
    visit(start)
    return order


def _scoped(path: Path) -> str:
    """One module as a constant that holds what it exports."""
    code = _IMPORT.sub(_taken, path.read_text(encoding="utf-8"))
    exported = _EXPORT.findall(code)
    code = _EXPORT.sub("", code)
    if strange := _OTHER.search(code):
        raise UnknownNotation(f"{path.name}: {strange[0]}")
    return f"// {path.name}\nconst {_name(path.name)} = (() => {{\n{code}\nreturn {{ {', '.join(exported)} }};\n}})();"


def _taken(found: re.Match[str]) -> str:
    names = re.sub(r"(\w+) as (\w+)", r"\1: \2", found[1])
    return f"const {{ {names} }} = {_name(found[2])};"


def _name(file: str) -> str:
    return f"module_{file.removesuffix('.js')}"
