"""`python -m edge_app` where each inference takes 80 ms longer, as a large model's does on a small device."""

import sys
import time
from unittest import mock

from edge_app.classifier import Classifier, Float32
from edge_app.cli import main
from edge_app.pixels import UInt8

LONGER_S = 0.08
invoke = Classifier._invoke


def invoke_slowly(classifier: Classifier, image: UInt8) -> tuple[Float32, Float32]:
    time.sleep(LONGER_S)
    return invoke(classifier, image)


if __name__ == "__main__":
    with mock.patch.object(Classifier, "_invoke", invoke_slowly):
        sys.exit(main())
