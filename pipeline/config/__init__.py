"""Config: the settings of an experiment, a TOML file read into them, and the commented reference."""
