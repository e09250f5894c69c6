"""The command `zhpipe`: its subcommands, its exit codes, and what it prints when one fails."""

import os
import sys

if __name__ == "__main__":
    # `python -m pipeline` looks for modules in the working directory first, which may be a stranger's folder.
    working, own = os.getcwd(), os.path.dirname(os.path.dirname(__file__))  # noqa: PTH109, PTH120 (pathlib is a module)
    if sys.path[0] == working != own:
        del sys.path[0]

import errno
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from io import StringIO
from typing import Any

import click

from corpora.errors import CorpusError
from embeddings.errors import EmbeddingError
from pipeline import extras
from pipeline.commands.terminal import echo
from pipeline.errors import PipelineError, PoorScore

INPUT_ERRORS = (CorpusError, EmbeddingError, PipelineError, UnicodeError)
SUCCESS, POOR_SCORE, BAD_INPUT, INTERRUPTED, CLOSED_PIPE = 0, 1, 2, 130, 141  # the last is 128 + SIGPIPE
SHORT = "memory is too short: use fewer workers, or allow the process more (ulimit -v)"
# What Python says of a library that it can't load because memory is short.
UNMAPPED = re.compile("failed to map segment|bad_alloc|[Cc]annot allocate memory")
FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
CUT_SHORT = re.compile(r"\d+ requested and \d+ written")  # what NumPy says of a disk that is full
# Address space that the libraries map, in KiB, measured: those that label, and TensorFlow.
LABELLING_KIB, TRAINING_KIB, TRAINING = 400_000, 3_000_000, ("run", "train", "embed", "tune", "pretrain")
# Name -> its module in `pipeline.commands`, its function there, and the first sentence of its help.
COMMANDS = {
    "analogies": ("vectors", "analogies", "Answer analogies with vectors: a is to b as c is to ?"),
    "compare": ("evaluate", "compare", "Compare evaluated runs: scores, significance, speed and size."),
    "config": ("run", "config", "Print a config with every setting, explained."),
    "convert": ("convert", "convert", "Convert annotations from one format into another."),
    "embed": ("vectors", "embed", "Train Word2Vec on TEXT, or run a CONFIG's stage embed."),
    "evaluate": ("evaluate", "evaluate", "Score a model on a file, or run a CONFIG's stage evaluate."),
    "generate": ("generate", "generate", "Write texts that continue PROMPT, token by token."),
    "init": ("own_file", "init", "Write a commented config for a FILE of your own, and stop."),
    "inspect": ("inspect", "inspect", "Show what a corpus holds."),
    "label": ("label", "label", "Label the rows of IN with MODEL and write them to OUT."),
    "models": ("models", "models", "List the models that come with zhpipe, or show the card of NAME."),
    "neighbours": ("vectors", "neighbours", "Print the words whose vectors are nearest to WORD's."),
    "next": ("generate", "next_tokens", "List the tokens most likely to follow TEXT."),
    "pretrain": ("pretrain", "pretrain", "Train an encoder on raw text, as CONFIG says."),
    "report": ("evaluate", "report", "Write a report's page, text and Markdown again."),
    "review": ("review", "review", "Mend labels on a page in the browser, one text at a time."),
    "run": ("run", "run", "Run an experiment: segment, embed, train and evaluate."),
    "samples": ("samples", "samples", "Copy the samples and configs that come with zhpipe into a new FOLDER."),
    "segment": ("segment", "segment", "Cut IN into words, or run a CONFIG's stage segment."),
    "serve": ("serve", "serve", "Serve MODELS on a page where texts can be tried, and to programs."),
    "similarity": ("vectors", "similarity", "Compare vectors with human judgements of similarity."),
    "train": ("run", "train", "Train on a FILE of your own without a config, or run the stage train of a CONFIG."),
    "try": ("trial", "try_", "Ask a model about TEXT, or about each line of standard input."),
    "tune": ("tune", "tune", "Search for better settings in the ranges of CONFIG."),
}


class ClosedPipe(Exception):
    """Whoever reads the output has closed it."""


class Imported(Mapping[str, click.Command]):
    """The commands by name, each imported when it is asked for."""

    def __getitem__(self, name: str) -> click.Command:
        module, function, _ = COMMANDS[name]
        found: click.Command = getattr(import_module(f"pipeline.commands.{module}"), function)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class Commands(click.Group):
    """The group of all commands; click itself would end with exit code 1 if a pipe is closed."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        room = formatter.width - 6 - max(map(len, COMMANDS))  # as click leaves it
        shown = {name: click.Command(name, help=said).get_short_help_str(room) for name, (*_, said) in COMMANDS.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(shown.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        found = super().resolve_command(ctx, args)
        _check_memory(TRAINING_KIB if found[0] in TRAINING else LABELLING_KIB)
        return found

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _closing():  # --help is printed here
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with _closing():
            return super().invoke(ctx)


def _check_memory(needed: int) -> None:
    """Raises PipelineError if a limit leaves less address space, in KiB, than the libraries need to load.

    Some of them abort the process, or wait for ever, if they can't allocate memory.
    """
    if sys.platform != "win32":
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY and limit < needed * 1024:
            raise PipelineError(
                f"memory is too short: {limit // 1024:,} KiB are allowed and {needed:,} needed: raise ulimit -v"
            )


@contextmanager
def _closing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise ClosedPipe from None


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and exits: 0: success, 1: poor score, 2: bad input, 130: interrupted, 141: output closed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["PYTHONSAFEPATH"] = "1"  # no process that is started imports from the working directory
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: Sequence[str] | None) -> int:
    try:
        command.main(arguments, prog_name="zhpipe", standalone_mode=False)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        return _complain("interrupted; the same command goes on from the last finished step", INTERRUPTED)
    except click.ClickException as error:
        _show(error)
        return BAD_INPUT
    except (BrokenPipeError, ClosedPipe):
        return _closed_pipe()
    except MemoryError:
        return _complain(SHORT, BAD_INPUT)
    except ImportError as error:
        missing = extras.explained(error)
        if missing is None and not UNMAPPED.search(str(error)):
            raise
        return _complain(missing or SHORT, BAD_INPUT)
    except OSError as error:
        return _complain(_of_system(error), BAD_INPUT)
    except PoorScore as error:
        return _complain(str(error), POOR_SCORE)
    except INPUT_ERRORS as error:
        return _complain(str(error), BAD_INPUT)
    return SUCCESS


def _of_system(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    if error.errno in FULL or CUT_SHORT.fullmatch(str(error)):
        return f"{place}no space is left on the disk: make room, and the same command goes on where it stopped"
    return f"{place}{error.strerror or error}"


def _closed_pipe() -> int:
    """Drops what is still to be written, so that Python says nothing when it exits."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # a stream that is no file
            stream.flush()
            continue
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return CLOSED_PIPE


def _show(error: click.ClickException) -> None:
    """Prints what is wrong with the command line."""
    written = StringIO()
    error.show(written)
    echo(written.getvalue(), err=True, nl=False)


def _complain(message: str, code: int) -> int:
    echo(f"zhpipe: {message}", err=True)
    return code


def _print_version(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        from pipeline.provenance import version

        click.echo(f"zhpipe, version {version()}")
        context.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def command() -> None:
    """Train recurrent networks on Chinese text in tables, evaluate them, and label new rows with them.

    \b
    zhpipe inspect mails.csv                              what is in a file
    zhpipe train mails.csv --text 正文 --label 类别       train and report, into runs/mails
    zhpipe try runs/mails 明天上午九点开会                ask about one text
    zhpipe label runs/mails inbox.csv out.csv --text 正文
    """


command.commands = Imported()  # type: ignore[assignment]


if __name__ == "__main__":
    main()
