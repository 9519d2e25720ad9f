"""A run of a peer: seconds by stage, peak memory of this process, and the clusters in a file; printed as one JSON line for the driver."""

import argparse
import json
import resource
import sys
import time
from pathlib import Path


class Stages:
    """Wall and processor seconds of each stage, from `begin` to the next one."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.processor_seconds: dict[str, float] = {}
        self._name, self._since, self._worked = "", 0.0, 0.0

    def begin(self, name: str) -> None:
        self.end()
        self._name, self._since, self._worked = name, time.perf_counter(), time.process_time()

    def end(self) -> None:
        if self._name:
            self.seconds[self._name] = round(time.perf_counter() - self._since, 2)
            self.processor_seconds[self._name] = round(time.process_time() - self._worked, 2)
            self._name = ""

    def report(self, **found: object) -> None:
        """Print the figures. To be called before anything is measured against the truth: memory counts up to here."""
        self.end()
        peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)
        said = {"seconds": self.seconds, "processor_seconds": self.processor_seconds, "peak_gib": peak, **found}
        sys.stdout.write(json.dumps(said) + "\n")


def asked() -> argparse.Namespace:
    """What every runner is told: the model, the input files, and where the clusters go (dataset, record, resident_id)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("clusters", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    return parser.parse_args()
