"""Augmentation by Keras's own layers, run inside the training graph and so on the GPU where there is one."""

import math

from keras import layers

from train.recipes import Augmentation


def augmentation_layers(config: Augmentation, seed: int) -> list[layers.Layer]:
    """Layers for float pixels (N, H, W, C); they do nothing outside training.

    What comes in from beyond the edge repeats the edge (``nearest``), as the article's generator did.
    """
    shear = math.tan(math.radians(config.shear_deg))
    fill = {"fill_mode": "nearest"}
    return [
        layers.RandomRotation(config.rotation_deg / 360, seed=seed, **fill),
        layers.RandomTranslation(config.shift, config.shift, seed=seed + 1, **fill),
        layers.RandomShear(shear, shear, seed=seed + 2, **fill),
        layers.RandomZoom(config.zoom, config.zoom, seed=seed + 3, **fill),
    ]
