"""The full-screen monitor: a process of its own, a client of the control API. Never imported by `run`."""
