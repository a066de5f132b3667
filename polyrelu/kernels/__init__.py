"""Compiled loops over floats whose every decision carries a proven error bound."""
