"""The embedding projector: pictures as points, for TensorBoard and for a page of its own."""
