"""Benchmarks: ``python -m benchmarks [plane]`` prints what the documentation quotes."""
