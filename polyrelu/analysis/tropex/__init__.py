"""Networks as differences of maxima of affine functions (tropical rational maps), in full or from data (TropEx)."""
