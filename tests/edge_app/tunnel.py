"""`python -m edge_app` where Gradio's tunnel gives a link at once: its address leads to this machine."""

import sys
from unittest import mock

from gradio import networking

from edge_app.cli import main

HOST = "link.example"


def address(**asked: object) -> str:
    return f"http://{HOST}:{asked['local_port']}/"


if __name__ == "__main__":
    with mock.patch.object(
        networking, "setup_tunnel", mock.create_autospec(networking.setup_tunnel, side_effect=address)
    ):
        sys.exit(main())
