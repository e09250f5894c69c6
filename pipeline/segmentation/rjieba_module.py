"""rjieba without its package, which loads a dictionary that nobody here reads: a seventh of a second at each start."""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from threading import Lock
from typing import Any

NAME = "rjieba.rjieba"
_LOCK = Lock()  # an extension module must not be loaded twice


def load() -> Any:
    """The extension module with the class `Jieba`; the same that `import rjieba` finds, before or after.

    If rjieba keeps it elsewhere, the package itself.
    """
    with _LOCK:
        if NAME in sys.modules:
            return sys.modules[NAME]
        package = find_spec("rjieba")
        spec = PathFinder.find_spec(NAME, package.submodule_search_locations) if package else None
        if spec is None or spec.loader is None:
            import rjieba

            return rjieba
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[NAME] = module
        return module
