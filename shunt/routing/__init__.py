"""Which account, and what next: pure decisions over one frozen view."""
