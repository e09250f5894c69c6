"""`python -m zhpipe`: the command, once it is clear that no other package hides one of ours."""

from zhpipe import check_rooms


def main() -> None:
    """Runs the command `zhpipe`. Raises ImportError if another package hides one of ours."""
    check_rooms()
    from pipeline.__main__ import main as run_command

    run_command()


if __name__ == "__main__":
    main()
