"""Benchmarks (基准测试): what the platform needs in time and memory, as JSON under `results/`."""
