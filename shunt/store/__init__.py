"""Our files on disk: atomic, private, locked."""
