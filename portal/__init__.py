"""The HTTP side of the platform for departments' systems: JSON under /v1, described by OpenAPI. FastAPI is known here and nowhere else."""
