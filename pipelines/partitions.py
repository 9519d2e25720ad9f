"""One partition per registered data set, the same for raw, standard and gate."""

import dagster as dg

DATASETS = dg.DynamicPartitionsDefinition(name="dataset")

STAGES = ("raw", "standard", "gate")

REACHED = {"raw": STAGES[:1], "standard": STAGES[:2], "refused": STAGES[:2], "accepted": STAGES}
"""State of a snapshot → the stages whose files it has. A data set with a fault but no snapshot has reached none."""
