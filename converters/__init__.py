"""From a trained run to a quantized .tflite, its contract and its card; run from a checkout."""
