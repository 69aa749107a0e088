"""The vocabulary that all three protocols share."""
