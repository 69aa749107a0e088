"""Usage windows: reading them from headers, and how long to stay away."""
