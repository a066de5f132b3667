"""The network: exact layers, piecewise-linear activations, patterns, slices and importers."""
