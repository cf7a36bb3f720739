"""A link through Gradio's tunnel to a page that is served already."""

import contextlib
import io

import httpx  # Gradio's own client: what goes wrong there is of its kind

from edge_app.page.quick import gradio as gr


def share_link(page: gr.Blocks) -> str | None:
    """The address at which everybody reaches the page, for a week at most; None if none can be had from here.

    `launch(share=True)` would get one, too, but then Gradio serves a page whose script comes from another server, which
    this page's policy forbids.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # a dozen lines of Gradio's own
            address = gr.networking.setup_tunnel(
                local_host=page.server_name,
                local_port=page.server_port,
                share_token=page.share_token,
                share_server_address=None,
                share_server_tls_certificate=None,
            )
    except (OSError, RuntimeError, ValueError, httpx.HTTPError, gr.exceptions.ChecksumMismatchError):
        return None
    return f"https://{address.partition('://')[2].rstrip('/')}"
