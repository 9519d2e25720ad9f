"""Dagster and nothing else: definitions, assets, checks, jobs, sensors, schedules, the instance, and the same jobs run in process.

No rule of the bureau and no work on rows stands here: an asset reads through the road, calls a domain function, and returns counts.
"""
