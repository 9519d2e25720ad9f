"""`tongchou district`: writes a synthetic district whose truth is known."""

from pathlib import Path

import click

from cli.output import console, print_json


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write into (输出目录).")
@click.option("--residents", type=click.IntRange(1_000, 5_000_000), default=20_000, show_default=True, help="How many residents (居民数).")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed and size give the same district (随机种子).")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def district(out: Path, residents: int, seed: int, as_json: bool) -> None:
    """Write a synthetic district (合成区): contracts, sources, area register and the truth. All people in it are invented."""
    from district.build import build

    manifest = build(out, residents=residents, seed=seed)
    if as_json:
        print_json(manifest)
        return
    console.print(f"合成区已写入 The district is in {out}: contracts/ sources/ areas/ truth/")
    console.print(
        f"下一步 Next: tongchou init; tongchou areas {out}/areas; tongchou register {out}/contracts; tongchou ingest; tongchou reconcile"
    )
