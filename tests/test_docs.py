"""The documentation: commands parse, configs load, and links lead somewhere."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from pipeline.__main__ import command, main
from pipeline.config.load import from_mapping, load
from pipeline.config.reference import reference

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("corpora/**/*.md"), *ROOT.glob("benchmarks/*.md")]
)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block: the page and line it stands on, its language, its lines."""

    place: str
    language: str
    content: str


def blocks(*languages: str) -> list[Block]:
    return [block for page in PAGES for block in _blocks(page) if block.language in languages]


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(f"{page.relative_to(ROOT).as_posix()}:{line}", match[1], match[2])


def commands(program: str) -> list[tuple[str, list[str]]]:
    """The place and the arguments of each call of a program in the shell blocks."""
    lines = [(block.place, line) for block in blocks("sh") for line in block.content.replace("\\\n", " ").splitlines()]
    split = [(place, shlex.split(line, comments=True)) for place, line in lines]
    return [(place, words[1:]) for place, words in split if words and Path(words[0]).name == program]


def test_the_pages_have_what_is_looked_for() -> None:
    assert len(commands("zhpipe")) > 15 and len(commands("make")) > 3
    assert len(blocks("toml")) > 5 and len(blocks("python")) > 5


@pytest.mark.parametrize(("place", "arguments"), commands("zhpipe"))
def test_commands_parse(place: str, arguments: list[str]) -> None:
    if ">" in arguments:
        arguments = arguments[: arguments.index(">")]
    name, *rest = arguments
    assert name in command.commands, f"{place}: no command {name}"
    try:
        context = command.commands[name].make_context(name, rest)
    except click.ClickException as error:
        pytest.fail(f"{place}: zhpipe {' '.join(arguments)}: {error.format_message()}")
    config = next((ROOT / word for word in rest if word.endswith(".toml") and (ROOT / word).exists()), None)
    if config is not None:
        load(config, context.params.get("overrides", ()))


def test_the_first_hour_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of the page one after the other, trained for an epoch."""
    shutil.copytree(ROOT / "corpora" / "samples", tmp_path / "corpora" / "samples")
    monkeypatch.chdir(tmp_path)
    quick = ["--set", "train.epochs=1", "--set", "embed.epochs=1", "--set", "evaluate.baselines=[]"]
    quick += ["--set", "train.batch_size=512"]  # Keras compiles one shape of batch
    page = [arguments for place, arguments in commands("zhpipe") if place.startswith("docs/first-hour.md")]
    assert len(page) >= 7
    for arguments in page:
        with pytest.raises(SystemExit) as ended:
            main([*arguments, *(quick if arguments[0] == "train" else [])])
        assert ended.value.code == 0, arguments
    assert {"mail", "names"} <= {path.name for path in (tmp_path / "runs").iterdir()}


@pytest.mark.parametrize(("place", "arguments"), commands("make"))
def test_make_targets_exist(place: str, arguments: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in (word for word in arguments if "=" not in word):
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), f"{place}: no target {target}"


@pytest.mark.parametrize("block", blocks("toml"), ids=lambda block: block.place)
def test_configs_load(block: Block) -> None:
    values = tomllib.loads(block.content)
    corpus = {"train": "train.csv", **values.pop("corpus", {})}
    from_mapping({"name": "mail", "corpus": corpus, **values}, source=block.place, text=block.content)


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.place)
def test_python_compiles(block: Block) -> None:
    compile(block.content, block.place, "exec")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        found = page.parent / path if path else page
        assert found.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in _anchors(found), f"{page.name}: {target}"


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_reference_config_is_current() -> None:
    written = (ROOT / "configs" / "reference.toml").read_text(encoding="utf-8")
    assert written == reference(), "zhpipe config > configs/reference.toml"


def test_every_section_is_in_the_page_of_configs() -> None:
    page = (ROOT / "docs" / "configs.md").read_text(encoding="utf-8")
    for section in re.findall(r"^\[(.+)\]$", reference(), re.MULTILINE):
        assert f"`[{section}]`" in page


def test_no_file_names_a_place_of_one_machine() -> None:
    """Paths of somebody's home or work folder; a clone elsewhere does not have them."""
    places = re.compile(r"/(?:home|Users|work|root)/[\w.]+|[A-Z]:\\Users\\")
    for path in _tracked():
        if path.suffix in {".png", ".xlsx", ".parquet", ".gz", ".npy", ".onnx"} or not path.is_file():
            continue
        found = places.search(path.read_text(encoding="utf-8", errors="replace"))
        assert found is None, f"{path.relative_to(ROOT)}: {found}"


def _tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode("utf-8").split("\0") if name and name != "tests/test_docs.py"]
