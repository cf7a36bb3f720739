"""Training of the four networks with Keras; run from a checkout with ``python -m train``."""
