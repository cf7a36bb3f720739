"""Every error this project raises on purpose.

    EdgeAppError
    ├── ContractError     a model file and its contract disagree, or a contract is malformed
    ├── ModelNotFound     no such model among those installed
    ├── RuntimeMissing    no TFLite runtime works here
    ├── ImageError        a picture cannot be read, or is refused before it is decoded
    ├── CameraError       a camera cannot be opened, or has stopped
    │   ├── BlankPicture  it gives pictures that show nothing
    │   └── GaveUp        the device's camera has failed too often (watch)
    ├── Refused           a message that is not what the page's script sends (page.frames)
    ├── Busy              all places of the page are taken (page.places)
    │   ├── StillLooking  this visitor's last frame is still being looked at (page.places)
    │   └── TooSoon       this visitor sends more frames a second than are taken (page.places)
    ├── NotYet            no answer yet: the device's camera may yet give a picture, or it is looked at (watch)
    ├── PointsError       a model's points are missing, damaged or another model's
    ├── LessonError       a name cannot be taught, or what was taught cannot be read or kept
    │   └── NoHome        this user has no folder to keep anything in
    ├── DataError         training data is missing, damaged or foreign
    ├── RunError          a training run cannot be started, resumed or read
    └── ConversionError   a converted model is not good enough to be kept

Messages name the thing, say what was expected and what was found, and end with what to do next.
"""


class EdgeAppError(Exception):
    """Base of all; the command line prints its message and exits with status 2."""


class ContractError(EdgeAppError):
    """A model file and its contract disagree, or a contract is malformed."""


class ModelNotFound(EdgeAppError):
    """No model of that name is installed."""


class RuntimeMissing(EdgeAppError):
    """No TFLite runtime can construct an interpreter here."""


class ImageError(EdgeAppError):
    """A picture cannot be read, or is refused before it is decoded."""


class CameraError(EdgeAppError):
    """A camera cannot be opened, or has stopped."""


class BlankPicture(CameraError):
    """A camera gives pictures that show nothing: a dark room, a lens cover, or a cable that is loose."""


class PointsError(EdgeAppError):
    """A model's points are missing, damaged, or another model's."""


class LessonError(EdgeAppError):
    """A name cannot be taught, or what was taught cannot be read or kept."""


class NoHome(LessonError):
    """This user has no folder to keep anything in."""


class DataError(EdgeAppError):
    """Training data is missing, damaged or foreign."""


class RunError(EdgeAppError):
    """A training run cannot be started, resumed or read."""


class ConversionError(EdgeAppError):
    """A converted model is not good enough to be kept."""
