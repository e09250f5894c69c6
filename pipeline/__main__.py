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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import StringIO
from typing import Any

import click

from corpora.errors import CorpusError
from embeddings.errors import EmbeddingError
from pipeline import extras
from pipeline.commands import (
    convert,
    evaluate,
    generate,
    inspect,
    label,
    own_file,
    review,
    run,
    samples,
    segment,
    serve,
    trial,
    tune,
    vectors,
)
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
LABELLING_KIB, TRAINING_KIB, TRAINING = 400_000, 3_000_000, ("run", "train", "embed", "tune")
COMMANDS = (
    *(run.train, trial.try_, own_file.init, run.run, segment.segment, vectors.embed, evaluate.evaluate, label.label),
    *(inspect.inspect, convert.convert, evaluate.report, evaluate.compare, tune.tune, run.config, samples.samples),
    *(vectors.neighbours, vectors.similarity, vectors.analogies),
    *(generate.generate, generate.next_tokens, serve.serve, review.review),
)


class ClosedPipe(Exception):
    """Whoever reads the output has closed it."""


class Commands(click.Group):
    """The group of all commands; click itself would end with exit code 1 if a pipe is closed."""

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


for part in COMMANDS:
    command.add_command(part)


if __name__ == "__main__":
    main()
