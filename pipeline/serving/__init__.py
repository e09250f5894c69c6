"""Serving: models answer over HTTP, to programs and to a page in the browser."""
