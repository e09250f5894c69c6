"""The command `zhpipe`: its subcommands, its exit codes, and what it prints when one fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from corpora.errors import CorpusError
from embeddings.errors import EmbeddingError
from pipeline.commands import evaluate, generate, inspect, label, own_file, run, segment, trial, tune, vectors
from pipeline.errors import PipelineError, PoorScore

INPUT_ERRORS = (CorpusError, EmbeddingError, PipelineError, UnicodeError)
SUCCESS, POOR_SCORE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
COMMANDS = (
    *(run.train, trial.try_, own_file.init, run.run, segment.segment, vectors.embed, evaluate.evaluate, label.label),
    *(inspect.inspect, evaluate.report, evaluate.compare, tune.tune, run.config),
    *(vectors.neighbours, vectors.similarity, vectors.analogies),
    *(generate.generate, generate.next_tokens),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and exits: 0 for success, 1 for a poor score, 2 for bad input, 130 if interrupted."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: Sequence[str] | None) -> int:
    try:
        command.main(arguments, prog_name="zhpipe", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return _complain("interrupted; the same command goes on from the last finished step", INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SUCCESS
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _complain(f"{place}{error.strerror or error}", BAD_INPUT)
    except PoorScore as error:
        return _complain(str(error), POOR_SCORE)
    except INPUT_ERRORS as error:
        return _complain(str(error), BAD_INPUT)
    return SUCCESS


def _complain(message: str, code: int) -> int:
    click.echo(f"zhpipe: {message}", err=True)
    return code


def _print_version(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        from pipeline.provenance import version

        click.echo(f"zhpipe, version {version()}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
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
