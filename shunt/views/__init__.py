"""What every view says alike: pure, from documents of the control API to words and numbers."""
