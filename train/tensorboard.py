"""Scalars for TensorBoard, written by TensorBoard's own writer (Keras's callback needs TensorFlow as the backend)."""

import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter


class EventLog:
    """An event file in ``folder``, made at the first ``add``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer: EventFileWriter | None = None

    def add(self, step: int, scalars: dict[str, float]) -> None:
        """Appends one value a name for ``step``, and flushes."""
        if self.writer is None:
            self.writer = EventFileWriter(str(self.folder))
        values = [Summary.Value(tag=name, simple_value=value) for name, value in scalars.items()]
        self.writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))
        self.writer.flush()
