"""`tongchou serve`: Dagster's pages and its daemon (sensor, schedules) on this home."""

import os

import click

from cli.output import console
from cli.platform import Platform, platform


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on (地址).")
@click.option("--port", type=int, default=3000, show_default=True, help="Port (端口).")
@platform
def serve(here: Platform, host: str, port: int) -> int:
    """Serve Dagster's pages (流水线页面) until stopped; the sensor sees new files, the schedules follow each update frequency."""
    from pipelines.serve import serve as serve_pages

    here.home.create()
    console.print(f"流水线页面 Dagster's pages: http://{host}:{port} （约 30 秒后可用 ready in about 30 seconds; Ctrl+C 停止 stops）")
    return serve_pages(here.home, os.environ, host=host, port=port)
