"""The life of one request: choose, attempt, deliver or fail over, wait when everybody is spent."""
