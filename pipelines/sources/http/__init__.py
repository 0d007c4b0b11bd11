"""HTTP as every source uses it: timeouts, retries, rate limits, one clock."""
