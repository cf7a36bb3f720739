"""cnn4 in plain Keras, as short as it gets: the same network, pixels and steps as `python -m train cnn4`, and no more.

scripts/measure-training sets the time of the one beside the other's.
"""

import keras
import numpy as np
from keras import layers


def train(
    images: np.ndarray, labels: np.ndarray, val: tuple[np.ndarray, np.ndarray], plain: int, augmented: int
) -> None:
    """Trains on uint8 images (N, 28, 28) and labels (N,): ``plain`` epochs, then ``augmented`` ones."""
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Conv2D(64, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.25),
            layers.Conv2D(128, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(128, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(10),
        ]
    )
    shear = np.tan(np.radians(0.3))
    augment = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.UpSampling2D(2),
            layers.RandomRotation(8 / 360, fill_mode="constant", interpolation="nearest"),
            layers.RandomTranslation(0.08, 0.08, fill_mode="constant", interpolation="nearest"),
            layers.RandomShear(shear, shear, fill_mode="constant"),
            layers.RandomZoom(0.08, 0.08, fill_mode="constant", interpolation="nearest"),
            layers.AveragePooling2D(2),
        ]
    )
    steps = (plain + augmented) * -(-len(images) // 256)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.001, steps))
    optimizer.build(network.trainable_variables)
    pixels, val_pixels = (array[..., np.newaxis].astype(np.float32) for array in (images, val[0]))
    targets, val_targets = (keras.utils.to_categorical(array, 10) for array in (labels, val[1]))
    for model, epochs in ((network, plain), (keras.Sequential([augment, network]), augmented)):
        model.compile(optimizer, keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        model.fit(
            pixels, targets, 256, epochs, 0, validation_data=(val_pixels, val_targets), validation_batch_size=1000
        )
