"""From records to residents: match keys, candidate pairs, weights, clusters, resident ids, golden values with their reasons.

Each step takes and returns named relations in one DuckDB connection; `reconcile` holds their order.
"""
