"""What is seen of the running program: traces, errors, counts, events. It watches and decides nothing."""
