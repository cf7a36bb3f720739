"""The four networks of the article, and one that only teaches them, as Keras models of raw pixels.

Every model takes float32 pixels 0..255 (N, H, W, C), scales them itself, and has two outputs: ``logits``
(N, classes) and ``features``, the layer before them. Softmax belongs to whoever reads the logits, which are float32
whatever the other layers compute in.
"""

from collections.abc import Iterator
from typing import Any

import keras
from keras import layers

from edge_app.labels import FASHION, LIVE
from train.batch_norm import BatchNormalization

CNNS = ("cnn1", "cnn3", "cnn4")
MODELS = (*CNNS, "vgg19")
WIDE = "wide"  # too large for a device: it teaches the others, and is never converted


def _conv(filters: int) -> layers.Layer:
    return layers.Conv2D(filters, 3, activation="relu")


def _cnn1() -> list[layers.Layer]:
    return [_conv(32), layers.MaxPooling2D(), layers.Dropout(0.2), layers.Flatten()]


def _cnn3() -> list[layers.Layer]:
    return [
        *(_conv(32), layers.MaxPooling2D(), layers.Dropout(0.25)),
        *(_conv(64), layers.MaxPooling2D(), layers.Dropout(0.25)),
        *(_conv(128), layers.Dropout(0.4)),
        layers.Flatten(),
    ]


def _cnn4() -> list[layers.Layer]:
    return [
        *(_conv(32), BatchNormalization()),
        *(_conv(32), BatchNormalization(), layers.MaxPooling2D(), layers.Dropout(0.25)),
        *(_conv(64), BatchNormalization(), layers.Dropout(0.25)),
        *(_conv(128), BatchNormalization(), layers.MaxPooling2D(), layers.Dropout(0.25)),
        layers.Flatten(),
        *(layers.Dense(512, activation="relu"), BatchNormalization(), layers.Dropout(0.5)),
    ]


def build_cnn(name: str, classes: int = 10) -> keras.Model:
    """cnn1, cnn3 or cnn4 for grey pixels (N, 28, 28, 1): 3x3 convolutions, valid padding, ReLU."""
    body, tail = {
        "cnn1": (_cnn1, []),
        "cnn3": (_cnn3, [layers.Dropout(0.3)]),
        "cnn4": (_cnn4, [BatchNormalization(), layers.Dropout(0.5)]),
    }[name]
    pixels = keras.Input((28, 28, 1), name="pixels")
    hidden = layers.Rescaling(1 / 255, name="scale")(pixels)
    for layer in body():
        hidden = layer(hidden)
    features = layers.Dense(128, activation="relu", name="features")(hidden)
    hidden = features
    for layer in tail:
        hidden = layer(hidden)
    logits = layers.Dense(classes, name="logits", dtype="float32")(hidden)
    return keras.Model(pixels, {"logits": logits, "features": features}, name=name)


def build_wide(classes: int) -> keras.Model:
    """A wide residual network of 16 layers, four times as wide as a plain one, for grey pixels (N, 28, 28, 1).

    WRN-16-4 of arXiv 1605.07146 (table 1, without dropout): three groups of two blocks at 28, 14 and 7 pixels.
    """

    def conv(filters: int, size: int = 3, strides: int = 1) -> layers.Layer:
        return layers.Conv2D(filters, size, strides, padding="same", use_bias=False, kernel_initializer="he_normal")

    def active(tensor: keras.KerasTensor) -> keras.KerasTensor:
        return layers.ReLU()(BatchNormalization()(tensor))

    pixels = keras.Input((28, 28, 1), name="pixels")
    hidden = conv(16)(layers.Rescaling(1 / 255, name="scale")(pixels))
    for filters, strides in ((64, 1), (128, 2), (256, 2)):
        before = active(hidden)
        branch = conv(filters)(active(conv(filters, strides=strides)(before)))
        hidden = layers.Add()([conv(filters, 1, strides)(before), branch])
        branch = conv(filters)(active(conv(filters)(active(hidden))))
        hidden = layers.Add()([hidden, branch])
    features = layers.GlobalAveragePooling2D(name="features")(active(hidden))
    logits = layers.Dense(classes, name="logits", dtype="float32")(features)
    return keras.Model(pixels, {"logits": logits, "features": features}, name=WIDE)


def build_vgg19_base(size: int, weights: str | None) -> keras.Model:
    """VGG-19's convolutions for raw RGB pixels 0..255 (N, size, size, 3) -> (N, size // 32, size // 32, 512).

    ``weights`` is None, "imagenet" (Keras's download) or a file. The preprocessing is Keras's own for these
    weights, written as layers: RGB to BGR, then the ImageNet mean of each channel taken away
    (https://github.com/keras-team/keras, applications/imagenet_utils.py, mode "caffe").
    """
    pixels = keras.Input((size, size, 3), name="pixels")
    bgr = keras.ops.flip(pixels, axis=-1)
    centred = layers.Rescaling(1.0, offset=[-103.939, -116.779, -123.68], name="scale")(bgr)
    base = keras.applications.VGG19(weights=weights, include_top=False, input_shape=(size, size, 3))
    return keras.Model(pixels, base(centred), name="vgg19_base")


def build_vgg19_head(feature_shape: tuple[int, ...], live: bool = False) -> keras.Model:
    """Flatten - Dense512 - Dropout .5 - Dense10 on the base's output; ``live`` averages over places and has 11."""
    maps = keras.Input(feature_shape, name="maps")
    flat = layers.GlobalAveragePooling2D()(maps) if live else layers.Flatten()(maps)
    features = layers.Dense(512, activation="relu", name="features")(flat)
    logits = layers.Dense(len(LIVE if live else FASHION), name="logits", dtype="float32")(layers.Dropout(0.5)(features))
    return keras.Model(maps, {"logits": logits, "features": features}, name="vgg19_head")


def join_vgg19(base: keras.Model, head: keras.Model) -> keras.Model:
    """The whole network: raw RGB pixels in, logits and features out."""
    outputs = head(base.output)
    return keras.Model(base.input, {"logits": outputs["logits"], "features": outputs["features"]}, name="vgg19")


def build(name: str, size: int = 28, live: bool = False) -> keras.Model:
    """Any of the five, with fresh weights: for ten classes, or ``live`` for eleven.

    ``size`` is the side of vgg19's input in pixels; the others take 28.
    """
    if name != "vgg19":
        classes = len(LIVE if live else FASHION)
        return build_wide(classes) if name == WIDE else build_cnn(name, classes)
    base = build_vgg19_base(size, None)
    return join_vgg19(base, build_vgg19_head(base.output_shape[1:], live))


def flattened(network: keras.Model) -> Iterator[Any]:
    """The layers and operations of a chain, those of networks inside it too."""
    for operation in network.operations:
        if isinstance(operation, keras.Model):
            yield from flattened(operation)
        elif not isinstance(operation, layers.InputLayer):
            yield operation
