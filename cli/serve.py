"""`tongchou serve`: Dagster's pages and its daemon (sensor, schedules), and the JSON interface beside them, on this home."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from cli.output import console
from cli.platform import Platform, platform

GRACE_S = 15


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on (地址).")
@click.option("--port", type=int, default=3000, show_default=True, help="Port of Dagster's pages (端口).")
@click.option("--api-port", type=int, default=8000, show_default=True, help="Port of the JSON interface (接口端口).")
@click.option("--only", type=click.Choice(["api", "pages"]), help="One of the two alone (只启动其一).")
@platform
def serve(here: Platform, host: str, port: int, api_port: int, only: str | None) -> int:
    """Serve Dagster's pages (流水线页面) and the JSON interface (接口) until stopped."""
    here.home.create()
    if only != "pages":
        console.print(f"接口 JSON interface: http://{host}:{api_port}/docs")
    if only == "api":
        return _serve_api(here, host, api_port)
    console.print(f"流水线页面 Dagster's pages: http://{host}:{port} （约 30 秒后可用 ready in about 30 seconds; Ctrl+C 停止 stops）")
    if only == "pages":
        return _serve_pages(here, host, port)
    with _beside(here, host, api_port):
        return _serve_pages(here, host, port)


def _serve_api(here: Platform, host: str, port: int) -> int:
    from access.door import create_keys
    from portal.serve import serve as serve_api

    create_keys(here.home)
    serve_api(here.home, host=host, port=port)
    return 0


def _serve_pages(here: Platform, host: str, port: int) -> int:
    from pipelines.serve import serve as serve_pages

    return serve_pages(here.home, os.environ, host=host, port=port)


@contextmanager
def _beside(here: Platform, host: str, port: int) -> Iterator[None]:
    """The interface as a process of its own: neither waits for the other's work, and both end together."""
    told = {"TONGCHOU_HOME": str(here.home.root), "TONGCHOU_DATABASE_URL": here.home.database_url or ""}
    command = [sys.executable, "-m", "cli.main", "serve", "--only", "api", "--host", host, "--api-port", str(port)]
    child = subprocess.Popen(command, env={**os.environ, **told}, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        child.terminate()
        try:
            child.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
