"""Config: the settings of an experiment, read from TOML, checked, and documented in a reference."""
