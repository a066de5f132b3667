"""Values without rounding: rationals, rational matrices, affine maps, domains."""
