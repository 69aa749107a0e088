"""What config.toml may say: frozen types, and structuring with messages that name file, line and key."""
