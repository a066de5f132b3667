"""A data set seen through a network: patterns, labels, local affine maps, and the graph of patterns."""
