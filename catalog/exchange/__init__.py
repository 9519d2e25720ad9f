"""Entries on their way in and out (目录交换): the statutory workbook, DCAT-AP as JSON-LD, ODCS, and lineage as OpenLineage events.

What comes in is parsed here, with every fault at its place; who may take it into the catalogue stands in `casework.entries.importing`.
"""
