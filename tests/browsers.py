"""The browsers in which pages are tried."""

import pytest

everywhere = pytest.mark.parametrize("browser", ["chromium", "firefox"], indirect=True)
