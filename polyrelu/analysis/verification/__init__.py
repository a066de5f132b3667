"""Properties of networks in VNN-LIB files, decided exactly and with proofs."""
