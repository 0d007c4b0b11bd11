"""Hugging Face: the client, which days are due, and fetching them."""
