"""`python -m zhpipe`: the command `zhpipe`."""

import os
import sys

if __name__ == "__main__":
    # `python -m zhpipe` looks for modules in the working directory first, which may be a stranger's folder.
    working, own = os.getcwd(), os.path.dirname(os.path.dirname(__file__))  # noqa: PTH109, PTH120 (pathlib is a module)
    if sys.path[0] == working != own:
        del sys.path[0]

    from pipeline.__main__ import main

    main()
