"""The machine shunt runs on: what starts it, and what shows it."""
