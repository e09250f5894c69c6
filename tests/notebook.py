"""Runs the code cells of a notebook in this process, without a kernel, and keeps what they show."""

import ast
import contextlib
import io
from collections.abc import Iterator
from typing import Any

Output = dict[str, Any]


def run(sources: list[str]) -> Iterator[list[Output]]:
    """The outputs of each cell, one after the other: what it prints, and the value of its last line if that has one."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, source in enumerate(sources, start=1):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            value = _value(source, names)
        text = printed.getvalue()
        outputs: list[Output] = []
        if text:
            outputs.append({"output_type": "stream", "name": "stdout", "text": text})
        if value is not None:
            data = {"text/plain": repr(value)}
            if drawn := getattr(value, "_repr_html_", lambda: None)():
                data["text/html"] = drawn
            outputs.append({"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": data})
        yield outputs


def _value(source: str, names: dict[str, Any]) -> Any:
    """Runs a cell; the value of its last line if that is an expression, as Jupyter shows it."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names) if last else None


def kinds(outputs: list[Output]) -> list[tuple[str, list[str]]]:
    """What is shown, without its content: the type of each output and its media types."""
    return [(output["output_type"], sorted(output.get("data", {}))) for output in outputs]
