"""Evidence: the kinds of proof, and the checkers, which share nothing with the engine but `exact` and `network`."""
