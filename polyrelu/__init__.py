"""Exact polyhedral geometry of ReLU networks."""
