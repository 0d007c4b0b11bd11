"""The HTTP client that all sources use: timeouts, retries, rate limits, and a clock."""
