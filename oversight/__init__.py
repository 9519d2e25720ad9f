"""Oversight (监督): what auditors do with the log and the business tables. Each look of theirs is itself a record (law.md A-07)."""
