"""Names a garment held up to a camera, live, on the device itself."""
