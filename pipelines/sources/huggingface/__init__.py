"""Hugging Face's Daily Papers: the client, which days are due, and fetching them."""
