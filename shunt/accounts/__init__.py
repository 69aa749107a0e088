"""What an account is, what is known about it, and how facts change that."""
