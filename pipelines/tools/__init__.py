"""Commands for maintainers, such as the data dictionary. No other package imports them."""
