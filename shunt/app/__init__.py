"""The composition root: builds every part, owns the nurseries. Nothing else constructs.

`main` starts and ends a run, `program` is one running shunt, and each part that takes several lines to
put together has a module that does it.
"""
