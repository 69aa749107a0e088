"""One module per command group. Nothing here decides: commands ask the control API or the stores."""
