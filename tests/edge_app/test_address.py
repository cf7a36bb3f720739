"""The addresses the page is served at."""

import ipaddress
import socket

import pytest
from browser import Server

from edge_app.page.app import in_url, own_address


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_ipv6_stands_in_brackets_in_a_url() -> None:
    assert [in_url(host) for host in ("127.0.0.1", "localhost", "::1")] == ["127.0.0.1", "localhost", "[::1]"]


def test_other_machines_are_told_an_address_that_is_not_this_machines_alone() -> None:
    address = own_address()
    assert address == socket.gethostname() or not ipaddress.ip_address(address).is_loopback


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")
def test_the_page_is_served_by_ipv6() -> None:
    server = Server("--host", "::1")
    server.url = f"http://[::1]:{server.port}/"
    try:
        server.wait()
        assert server.process.stdout is not None
        assert server.process.stdout.readline() == f"Edge Fashion: {server.url}  (Ctrl-C ends it)\n"
        assert server.stop() == (0, "Bye.\n")
    finally:
        server.process.kill()
        server.process.communicate(timeout=20)
